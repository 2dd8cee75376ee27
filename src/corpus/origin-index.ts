// PREFIX-00000.origins, beside each shard: where its documents are from, so that a token can be traced to its document. One of a document costs about a
// hundred bytes, some hundredths of its tokens. It is read by the document's number, in two reads.
//
//    0   magic "criaorg1"
//    8   a line of JSON per document: {"document", "at", "url", "title"}
//        u64 per document: where its line begins
//   -16  u64 documents, magic "criaend1"
import { z } from "zod";
import { type ByteSource, check, decodeUtf8, parseJson } from "../base/index.ts";
import { parseWith } from "../schema/index.ts";
import type { PlacedDocument } from "./texts/index.ts";

const where = "data";
const [headMagic, tailMagic] = ["criaorg1", "criaend1"];
const tailBytes = 16;
/** UTF-16 units that are written at once, about. */
const chunkLength = 1 << 20;

const originSchema = z.strictObject({
  document: z.string(),
  at: z.int().min(0),
  url: z.string().optional(),
  title: z.string().optional(),
});

/** Where the text of a document in a shard is from. */
export interface DocumentOrigin {
  /** The file by its path from the recipe's folder, its address, or its package and the path in there; behind "@" the byte at which the part of it begins that one task cleaned, and behind "#" the document's number there, from 0. */
  readonly document: string;
  /** Where the text begins in the document, in UTF-16 units: above 0 where it was cut, or stretches of it are held out. */
  readonly at: number;
  readonly url?: string | undefined;
  readonly title?: string | undefined;
}

/** The origin of a document, or of a part of it that begins at a unit of its text. What was cleaned, or cut before, says itself where it stood. */
export function originOf({ place, facts: { id, at: begins, url, title } }: PlacedDocument, at: number): DocumentOrigin {
  const text = (value: string | number | undefined) => (value === undefined ? undefined : String(value));
  return { document: text(id) ?? place, at: at + (typeof begins === "number" ? begins : 0), url: text(url), title: text(title) };
}

/** The bytes of an index. */
export function* encodeOrigins(origins: readonly DocumentOrigin[]): Generator<Uint8Array> {
  const begins = new BigUint64Array(origins.length);
  let [at, chunk] = [headMagic.length, headMagic];
  for (const [i, origin] of origins.entries()) {
    const line = `${JSON.stringify(origin)}\n`;
    begins[i] = BigInt(at);
    at += Buffer.byteLength(line);
    chunk += line;
    if (chunk.length < chunkLength) continue;
    yield Buffer.from(chunk);
    chunk = "";
  }
  yield Buffer.from(chunk);
  yield new Uint8Array(begins.buffer);
  const tail = Buffer.alloc(tailBytes, tailMagic, "latin1");
  tail.writeBigUInt64LE(BigInt(origins.length));
  tail.write(tailMagic, 8, "latin1");
  yield tail;
}

/** The origin of one document of a shard. @throws CriaError where the index is damaged or of another shard, which has `documents` of them */
export async function readOrigin(source: ByteSource, document: number, documents: number): Promise<DocumentOrigin> {
  const { name, size } = source;
  const begins = size - tailBytes - 8 * documents;
  check(
    begins >= headMagic.length,
    where,
    () => `${name}: it has ${size} bytes, too few for ${documents} documents: it is cut short, prepare the data again`,
  );
  const tail = Buffer.from(await source.read(size - tailBytes, tailBytes));
  const found = tail.readBigUInt64LE(0);
  check(
    tail.toString("latin1", 8) === tailMagic && found === BigInt(documents),
    where,
    () =>
      `${name}: its end tells of ${found} documents but its shard has ${documents}: it is damaged or of another shard, prepare the data again`,
  );
  const isLast = document === documents - 1;
  const bounds = Buffer.from(await source.read(begins + 8 * document, isLast ? 8 : 16));
  const from = Number(bounds.readBigUInt64LE(0));
  const to = isLast ? begins : Number(bounds.readBigUInt64LE(8));
  check(
    headMagic.length <= from && from < to && to <= begins,
    where,
    () => `${name}: document ${document} stands from byte ${from} to ${to}: it is damaged, prepare the data again`,
  );
  const place = `${name}: document ${document}`;
  const line = decodeUtf8(await source.read(from, to - from), place, where);
  return parseWith(originSchema, parseJson(where, place, line, "prepare the data again"), where, place);
}
