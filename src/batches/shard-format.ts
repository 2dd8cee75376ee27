// A token shard: the tokens of many documents one after another, little-endian, behind a head and before a tail, so that it is written in one go.
//
//    0   magic "criatok1"
//    8   u32 bytes per token: 2 (vocabulary ≤ 65536) or 4
//   12   u32 vocabulary size
//   16   the vocabulary's fingerprint, 16 bytes
//   32   tokens
//        u32 per document: the index of its first token
//   -32  u64 tokens, u64 documents, u64 bytes of UTF-8 text the tokens stand for, magic "criaend1"
//
// A file cut short lacks its tail.
import { bytesOfHex, check, hexOf } from "../base/index.ts";
import type { Vocabulary } from "./text-tokenizer.ts";

/** Bytes of a shard's head. */
export const headBytes = 32;
/** Bytes of a shard's tail. */
export const tailBytes = 32;
/** Starts of documents are 32-bit. */
export const maxShardTokens = 2 ** 32 - 1;

const headMagic = "criatok1";
const tailMagic = "criaend1";
const where = "data";

/** What a shard, a source or a corpus amounts to. */
export interface Totals {
  readonly tokens: number;
  readonly documents: number;
  /** Bytes of the text that the tokens stand for, in UTF-8. */
  readonly bytes: number;
}

/** Bytes per token in a shard: 2 where every id of the vocabulary fits in 16 bits, else 4. */
export function bytesPerToken(vocabSize: number): 2 | 4 {
  return vocabSize <= 65536 ? 2 : 4;
}

/** The bytes of a shard's head. */
export function encodeHead({ size, fingerprint }: Vocabulary): Uint8Array {
  const head = new Uint8Array(headBytes);
  const view = viewOf(head);
  head.set(asciiBytes(headMagic), 0);
  view.setUint32(8, bytesPerToken(size), true);
  view.setUint32(12, size, true);
  head.set(bytesOfHex(fingerprint), 16);
  return head;
}

/** The vocabulary a shard was written with. @throws CriaError when the bytes are no shard's head */
export function decodeHead(name: string, bytes: Uint8Array): Vocabulary {
  const head = viewOf(bytes);
  const magic = asciiText(bytes.subarray(0, 8));
  check(
    magic === headMagic,
    where,
    () => `${name}: it begins with ${JSON.stringify(magic)} but a token shard with "${headMagic}": name a file that \`data prepare\` wrote`,
  );
  const vocabulary = { size: head.getUint32(12, true), fingerprint: hexOf(bytes.subarray(16, 32)) };
  const [width, expected] = [head.getUint32(8, true), bytesPerToken(vocabulary.size)];
  check(
    width === expected,
    where,
    () =>
      `${name}: it has ${width} bytes per token but a vocabulary of ${vocabulary.size} takes ${expected}: it is damaged, prepare it again`,
  );
  return vocabulary;
}

/** The bytes of a shard's tail. */
export function encodeTail({ tokens, documents, bytes }: Totals): Uint8Array {
  const tail = new Uint8Array(tailBytes);
  const view = viewOf(tail);
  for (const [i, value] of [tokens, documents, bytes].entries()) view.setBigUint64(8 * i, BigInt(value), true);
  tail.set(asciiBytes(tailMagic), 24);
  return tail;
}

/** @throws CriaError when the file was cut short or its size is not what the tail says */
export function decodeTail(name: string, bytes: Uint8Array, fileSize: number, vocabSize: number): Totals {
  const tail = viewOf(bytes);
  check(
    asciiText(bytes.subarray(24)) === tailMagic,
    where,
    () => `${name}: it has ${fileSize} bytes and does not end with the end mark: something was added or it is cut short, prepare it again`,
  );
  const [tokens, documents, textBytes] = [0, 8, 16].map((at) => Number(tail.getBigUint64(at, true))) as [number, number, number];
  const expected = headBytes + tokens * bytesPerToken(vocabSize) + documents * 4 + tailBytes;
  check(
    expected === fileSize,
    where,
    () =>
      `${name}: ${tokens} tokens of ${documents} documents take ${expected} bytes but the file has ${fileSize}: it is damaged, prepare it again`,
  );
  return { tokens, documents, bytes: textBytes };
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Every byte as the character of its number, so that foreign bytes show in a message. */
function asciiText(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
