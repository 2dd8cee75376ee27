// Texts in parts that can be read each by itself, by several threads or again after a stop: a large file is cut at line ends, groups of rows or records that are
// packed by themselves, where its form may be.
import { type FileHandle, open } from "node:fs/promises";
import { type ByteRange, explainIo, openRegular } from "../../files/index.ts";
import type { TextDocument, TextOptions } from "./forms.ts";
import { packingBytes, packingOf } from "./open-bytes.ts";
import { type DocumentsOptions, type ReadableFile, readTextDocuments } from "./read-file.ts";
import type { TextFile } from "./texts.ts";
import { firstRecord } from "./warc/first-record.ts";

/** A file, or a stretch of one: of bytes [stretch · stretchBytes, (stretch + 1) · stretchBytes) the lines, groups of rows or records that begin in it. */
export interface TextPart {
  /** The index of the file. */
  readonly file: number;
  /** Undefined: the whole file. */
  readonly stretch?: number;
  /** Bytes of the file, about. */
  readonly bytes: number;
}

type ReadOptions = DocumentsOptions & { readonly where: string };

/** Crawls are cut where a source has fewer files than this: of a whole dump, parts for all threads and machines are there as it is, and each part costs. */
const fewFiles = 64;

/** The parts of all files in their order, the same for the same files on every machine. */
export async function textParts(
  files: readonly TextFile[],
  options: TextOptions,
  stretchBytes: number,
  where: string,
): Promise<readonly TextPart[]> {
  const parts: TextPart[] = [];
  for (const [i, file] of files.entries()) {
    const cutting = { options, stretchBytes, isOfFew: files.length < fewFiles, where };
    const isCut = file.bytes > stretchBytes && (await mayBeCut(file, cutting));
    if (!isCut) parts.push({ file: i, bytes: file.bytes });
    else
      for (let start = 0; start < file.bytes; start += stretchBytes)
        parts.push({ file: i, stretch: start / stretchBytes, bytes: Math.min(stretchBytes, file.bytes - start) });
  }
  return parts;
}

/**
 * The documents of one part with what their file says of them; those of white space alone are left out.
 * @throws CriaError as reading the whole file does, which is read again from its beginning then, so that the message counts its lines from there
 */
export async function* readPart(
  file: ReadableFile,
  stretch: number | undefined,
  stretchBytes: number,
  options: TextOptions,
  reading: ReadOptions,
): AsyncGenerator<TextDocument> {
  if (stretch === undefined) return yield* readTextDocuments(file, options, reading);
  if (file.form.cutsAtGroups) {
    const range = { start: stretch * stretchBytes, end: (stretch + 1) * stretchBytes };
    return yield* readTextDocuments(file, options, { ...reading, range });
  }
  const range = await rangeOf(file, stretch, stretchBytes, reading.where);
  if (range.end === range.start) return;
  try {
    yield* readTextDocuments(file, options, { ...reading, range });
  } catch (error) {
    reading.signal?.throwIfAborted();
    if (range.start > 0) for await (const _ of readTextDocuments(file, options, { where: reading.where, signal: reading.signal }));
    throw error;
  }
}

interface Cutting {
  readonly options: TextOptions;
  readonly stretchBytes: number;
  /** Whether the source has few files. */
  readonly isOfFew: boolean;
  readonly where: string;
}

async function mayBeCut({ path, form }: TextFile, { options, stretchBytes, isOfFew, where }: Cutting): Promise<boolean> {
  const cutsPlain = form.cutsAtLines(options) || form.cutsAtGroups === true;
  const cutsPacked = form.cutsAtMembers === true && isOfFew;
  if (!cutsPlain && !cutsPacked) return false;
  const { handle } = await openRegular(path, where);
  try {
    const head = new Uint8Array(packingBytes);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    const packing = packingOf(head.subarray(0, bytesRead));
    if (packing !== "gzip" || !cutsPacked) return packing === undefined && cutsPlain;
    return Number.isFinite(await firstRecord(handle, 1, stretchBytes)); // a file may be one member
  } catch (error) {
    throw explainIo(where, path, error);
  } finally {
    await handle.close();
  }
}

/** The bytes of the lines or records that begin in a stretch. A stretch in which none begins is empty, and the one before it is longer by as much. */
async function rangeOf({ path, form }: ReadableFile, stretch: number, stretchBytes: number, where: string): Promise<ByteRange> {
  const first = form.cutsAtMembers ? firstRecord : firstLine;
  const handle = await open(path).catch((error) => Promise.reject(explainIo(where, path, error)));
  try {
    const start = await first(handle, stretch, stretchBytes);
    if (start === undefined) return { start: 0, end: 0 };
    for (let next = stretch + 1; ; next++) {
      const end = await first(handle, next, stretchBytes);
      if (end !== undefined) return { start, end };
    }
  } catch (error) {
    throw explainIo(where, path, error);
  } finally {
    await handle.close();
  }
}

const chunkBytes = 1 << 16;
const lineFeed = 0x0a;

/** Where the first line of a stretch begins: behind a line end. Infinity behind the end of the file; undefined where no line begins in it. */
async function firstLine(handle: FileHandle, stretch: number, stretchBytes: number): Promise<number | undefined> {
  if (stretch === 0) return 0;
  const chunk = new Uint8Array(chunkBytes);
  const last = (stretch + 1) * stretchBytes - 1;
  for (let at = stretch * stretchBytes - 1; at < last; ) {
    const { bytesRead } = await handle.read(chunk, 0, Math.min(chunkBytes, last - at), at);
    if (bytesRead === 0) return Number.POSITIVE_INFINITY;
    const found = chunk.subarray(0, bytesRead).indexOf(lineFeed);
    if (found >= 0) return at + found + 1;
    at += bytesRead;
  }
  return undefined;
}
