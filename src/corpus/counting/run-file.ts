// Counted words on disk: a header that says of what they are, then blocks of words in the order of their bytes.
//
//   "cria-words" and a line end · header as one line of JSON
//   per block: words u32 · bytes u32 · counts f64 × words · ends u32 × words · bytes      (the machine's own byte order: runs do not travel)
//   at the end: a block of no words · "cria-end"
import { basename, dirname } from "node:path";
import { CriaError } from "../../base/index.ts";
import { atomicWrite, type OpenHandle, openRegular } from "../../files/index.ts";
import type { WordBlock, WordCounts } from "../../tokenizer/words/index.ts";
import type { CoveredPieces } from "./coverage.ts";

const magic = "cria-words\n";
const trailer = "cria-end";
/** What the names of runs end in. */
export const runEnding = ".words";

const longestHeader = 1 << 28;

/** What a run of counted words says of itself. */
export interface RunHeader {
  readonly covered: readonly CoveredPieces[];
  /** Bytes of text whose words these are. */
  readonly textBytes: number;
  /** Names of the runs that this one was merged from and stands for. */
  readonly replaces: readonly string[];
}

/** A run that is whole: it appeared under its name when all of it was on disk. */
export interface Run extends WordCounts {
  readonly path: string;
  readonly header: RunHeader;
}

/** Writes counted words as a run; the file is there whole or not at all. */
export async function writeRun(path: string, header: RunHeader, counts: WordCounts, where: string): Promise<Run> {
  await atomicWrite(path, chunks(header, counts), where);
  return runOf(path, header, where);
}

/** @throws CriaError for a file that is no run, or not whole */
export async function openRun(path: string, where: string): Promise<Run> {
  const { handle, size } = await openRegular(path, where);
  try {
    const { header } = await readHeader(handle, path, where);
    const end = Buffer.alloc(trailer.length);
    if (!(await fill(handle, end, size - end.length)) || end.toString() !== trailer) throw damaged(path, where);
    return runOf(path, header, where);
  } finally {
    await handle.close();
  }
}

function runOf(path: string, header: RunHeader, where: string): Run {
  return { path, header, blocks: () => readBlocks(path, where) };
}

async function* chunks(header: RunHeader, counts: WordCounts): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${magic}${JSON.stringify(header)}\n`);
  for await (const { bytes, ends, counts: each } of counts.blocks()) {
    yield bytesOf(Uint32Array.of(each.length, bytes.length));
    yield bytesOf(each);
    yield bytesOf(ends);
    yield bytes;
  }
  yield bytesOf(Uint32Array.of(0, 0));
  yield Buffer.from(trailer);
}

function bytesOf(array: Uint32Array | Float64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

async function* readBlocks(path: string, where: string): AsyncGenerator<WordBlock> {
  const { handle, size } = await openRegular(path, where);
  try {
    let at = (await readHeader(handle, path, where)).end;
    const read = async (into: Uint32Array | Float64Array | Uint8Array<ArrayBuffer>) => {
      const bytes = new Uint8Array(into.buffer);
      if (at + bytes.length > size || !(await fill(handle, bytes, at))) throw damaged(path, where);
      at += bytes.length;
    };
    const sizes = new Uint32Array(2);
    for (;;) {
      await read(sizes);
      const [words, length] = [sizes[0]!, sizes[1]!];
      if (words === 0) return;
      if (at + 12 * words + length > size) throw damaged(path, where);
      const block = { counts: new Float64Array(words), ends: new Uint32Array(words), bytes: new Uint8Array(length) };
      for (const part of [block.counts, block.ends, block.bytes]) await read(part);
      yield block;
    }
  } finally {
    await handle.close();
  }
}

async function readHeader(handle: OpenHandle, path: string, where: string): Promise<{ readonly header: RunHeader; readonly end: number }> {
  const parts: Buffer[] = [];
  for (let length = 0; length < longestHeader; ) {
    const chunk = Buffer.alloc(1 << 16);
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, length);
    if (bytesRead === 0) break;
    parts.push(chunk.subarray(0, bytesRead));
    length += bytesRead;
    const head = Buffer.concat(parts);
    const end = head.indexOf("\n", magic.length);
    if (end < 0 || !head.subarray(0, magic.length).equals(Buffer.from(magic))) continue;
    const header = headerOf(head.subarray(magic.length, end).toString());
    if (header !== undefined) return { header, end: end + 1 };
    break;
  }
  throw damaged(path, where);
}

function headerOf(text: string): RunHeader | undefined {
  try {
    const header: unknown = JSON.parse(text);
    return isHeader(header) ? header : undefined;
  } catch {
    return undefined;
  }
}

function isHeader(value: unknown): value is RunHeader {
  if (typeof value !== "object" || value === null) return false;
  const { covered, textBytes, replaces } = value as Partial<Record<keyof RunHeader, unknown>>;
  return Array.isArray(covered) && covered.every(Array.isArray) && typeof textBytes === "number" && Array.isArray(replaces);
}

/** Whether the file had as many bytes from `at` on. */
async function fill(handle: OpenHandle, bytes: Uint8Array, at: number): Promise<boolean> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, at + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}

function damaged(path: string, where: string): CriaError {
  return new CriaError(where, `${path}: these counts of words are not whole: remove the folder ${basename(dirname(path))} to count anew`);
}
