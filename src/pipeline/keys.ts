// Keys of a task and the marks on them, on disk. A file of keys has them by partition, each in the order of the documents:
//
//   | partitions u32 | documents u32 | keys of each partition u32 … | keys: low u32, high u32 and, where documents are clustered, document u32 … |
//
// A file of marks is of one group and one partition, and has a bit per key, part by part; one of clusters has a bit per document:
//
//   | parts u32 | keys of each u32 … | bits of each, whole bytes |
//
// so that whoever makes the keys of a document again takes the next bit of each key's partition. Everything is little-endian.
import { type FileHandle, open } from "node:fs/promises";
import { fail } from "../base/index.ts";
import { atomicWrite, explainIo } from "../files/index.ts";

const where = "data";

/** The partition of a key, by its upper half. */
export function partitionOf(high: number, partitions: number): number {
  return Math.floor((high / 2 ** 32) * partitions);
}

/** Keys that are to be written. */
export interface WrittenKeys {
  /** Lower and upper half of each key, in turns. */
  readonly halves: Uint32Array;
  /** Documents that the keys are of. */
  readonly documents: number;
  readonly partitions: number;
  /** Keys of each document, where they are compared by their numbers: each then lies with its document's number. 0 where they are not. */
  readonly bands: number;
  /** Bits of a key's upper half, from the top, that choose its partition. */
  readonly partitionBits: number;
}

/** Numbers that a key takes: its halves and, where documents are clustered, its document. */
export function keyWidth(bands: number): number {
  return bands === 0 ? 2 : 3;
}

/** Writes the keys of a task. */
export async function writeKeys(path: string, { halves, documents, partitions, bands, partitionBits }: WrittenKeys): Promise<void> {
  const width = keyWidth(bands);
  const inBand = partitions / Math.max(1, bands);
  const lowerBits = 32 - partitionBits;
  const chosenBy = (high: number) => ((high >>> lowerBits) << lowerBits) >>> 0;
  const partition = (key: number) => (bands === 0 ? 0 : key % bands) * inBand + partitionOf(chosenBy(halves[2 * key + 1]!), inBand);
  const count = halves.length / 2;
  const head = new Uint32Array(2 + partitions);
  [head[0], head[1]] = [partitions, documents];
  for (let key = 0; key < count; key++) head[2 + partition(key)]!++;
  const places = new Float64Array(partitions);
  for (let p = 1; p < partitions; p++) places[p] = places[p - 1]! + width * head[1 + p]!;
  const sorted = new Uint32Array(width * count);
  for (let key = 0; key < count; key++) {
    const p = partition(key);
    const place = places[p]!;
    sorted[place] = halves[2 * key]!;
    sorted[place + 1] = halves[2 * key + 1]!;
    if (width === 3) sorted[place + 2] = Math.floor(key / bands);
    places[p] = place + width;
  }
  await atomicWrite(path, [new Uint8Array(head.buffer), new Uint8Array(sorted.buffer)], where);
}

/** The keys of one partition of a task, each as so many numbers. @throws CriaError where the file is cut short */
export async function readKeys(path: string, partition: number, partitions: number, width: number): Promise<Uint32Array> {
  return withFile(path, async (file) => {
    const head = await readNumbers(file, path, 0, 2 + partitions);
    if (head[0] !== partitions) return damaged(path);
    let before = 0;
    for (let p = 0; p < partition; p++) before += head[2 + p]!;
    return readNumbers(file, path, 4 * (head.length + width * before), width * head[2 + partition]!);
  });
}

/** Documents of a task. @throws CriaError where the file is cut short */
export async function readDocumentCount(path: string): Promise<number> {
  const [, documents = 0] = await withFile(path, (file) => readNumbers(file, path, 0, 2));
  return documents;
}

/** Writes numbers as they are, such as pairs of documents. */
export async function writeNumbers(path: string, numbers: Uint32Array): Promise<void> {
  await atomicWrite(path, [new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)], where);
}

/** All numbers of a file. @throws CriaError where they are not whole */
export async function readAllNumbers(path: string): Promise<Uint32Array> {
  return withFile(path, async (file) => {
    const { size } = await file.stat();
    return size % 4 === 0 ? readNumbers(file, path, 0, size / 4) : damaged(path);
  });
}

/** Marks on keys, from which those of each part are taken in order. */
export interface Marks {
  /** Keys of each part. */
  readonly counts: Uint32Array;
  /** A bit per key, 1 where it is marked; each part begins with a byte of its own. */
  readonly bits: Uint8Array;
}

/** Bytes of so many bits. */
export function bytesOfBits(bits: number): number {
  return (bits + 7) >> 3;
}

/** Writes the marks of one group and partition. */
export async function writeMarks(path: string, { counts, bits }: Marks): Promise<void> {
  const head = new Uint32Array(1 + counts.length);
  head[0] = counts.length;
  head.set(counts, 1);
  await atomicWrite(path, [new Uint8Array(head.buffer), bits], where);
}

/** The bits of one part. @param part its number within the group */
export async function readMarks(path: string, part: number): Promise<Uint8Array> {
  return withFile(path, async (file) => {
    const [parts = 0] = await readNumbers(file, path, 0, 1);
    if (part >= parts) return damaged(path);
    const counts = await readNumbers(file, path, 4, parts);
    let before = 4 + 4 * parts;
    for (let i = 0; i < part; i++) before += bytesOfBits(counts[i]!);
    return readBytes(file, path, before, bytesOfBits(counts[part]!));
  });
}

async function withFile<T>(path: string, read: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path).catch((error) => Promise.reject(explainIo(where, path, error)));
  try {
    return await read(file);
  } finally {
    await file.close();
  }
}

async function readNumbers(file: FileHandle, path: string, start: number, count: number): Promise<Uint32Array> {
  const bytes = await readBytes(file, path, start, 4 * count);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, count);
}

/** The size is held against the file before anything is allocated. */
async function readBytes(file: FileHandle, path: string, start: number, size: number): Promise<Uint8Array> {
  const { size: fileSize } = await file.stat();
  if (start + size > fileSize) return damaged(path);
  const bytes = new Uint8Array(size);
  for (let done = 0; done < size; ) {
    const { bytesRead } = await file.read(bytes, done, Math.min(size - done, 1 << 30), start + done);
    if (bytesRead === 0) return damaged(path);
    done += bytesRead;
  }
  return bytes;
}

function damaged(path: string): never {
  return fail(where, `${path}: it does not hold what its task writes: remove it, and run the command again`);
}
