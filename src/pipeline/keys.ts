// Keys of a task, on disk. They are written in runs, each as large as memory allows, and lie in a run by partition, in the order of the documents:
//
//   | keys of run 0, partition 0 … | … | keys of each run and partition u32 … | documents u32 | partitions u32 | numbers of a key u32 | runs u32 |
//
// A key is its lower half u32, its upper half u32 and, where documents are clustered, the number of its document u32. Everything is little-endian.
import type { KeyList } from "../clean/index.ts";
import { AtomicFile } from "../files/index.ts";
import { bytesOfNumbers, damaged, readNumbers, withFile } from "./numbers.ts";

const where = "data";
const tailNumbers = 4;
/** Keys that are read at once, about. */
const chunkKeys = 1 << 16;

/** How the keys of a step lie in partitions. */
export interface KeyLayout {
  readonly partitions: number;
  /** Keys of each document, where they are compared by their numbers: each then lies with its document's number. 0 where they are not. */
  readonly bands: number;
  /** Bits of a key's upper half, from the top, that choose its partition. */
  readonly partitionBits: number;
}

/** The partition of a key, by its upper half. */
export function partitionOf(high: number, partitions: number): number {
  return Math.floor((high / 2 ** 32) * partitions);
}

/** Numbers that a key takes: its halves and, where documents are clustered, its document. */
export function keyWidth(bands: number): number {
  return bands === 0 ? 2 : 3;
}

/** Writes the keys of a task's documents, of which memory holds one run. */
export class KeyWriter implements AsyncDisposable {
  readonly #file: AtomicFile;
  readonly #layout: KeyLayout;
  /** Keys of each run and partition. */
  readonly #counts: number[] = [];
  #written = 0;

  private constructor(file: AtomicFile, layout: KeyLayout) {
    [this.#file, this.#layout] = [file, layout];
  }

  static async open(path: string, layout: KeyLayout): Promise<KeyWriter> {
    return new KeyWriter(await AtomicFile.open(path, where), layout);
  }

  /** Writes keys as a run; where documents are clustered, those of whole documents. */
  async writeRun({ halves, count }: Pick<KeyList, "halves" | "count">): Promise<void> {
    if (count === 0) return;
    const { partitions, bands } = this.#layout;
    const width = keyWidth(bands);
    const counts = new Uint32Array(partitions);
    for (let key = 0; key < count; key++) counts[this.#partition(halves, key)]!++;
    const places = new Uint32Array(partitions);
    for (let p = 1; p < partitions; p++) places[p] = places[p - 1]! + width * counts[p - 1]!;
    const sorted = new Uint32Array(width * count);
    for (let key = 0; key < count; key++) {
      const p = this.#partition(halves, key);
      const place = places[p]!;
      sorted[place] = halves[2 * key]!;
      sorted[place + 1] = halves[2 * key + 1]!;
      if (width === 3) sorted[place + 2] = Math.floor((this.#written + key) / bands);
      places[p] = place + width;
    }
    await this.#file.write(bytesOfNumbers(sorted));
    for (const keys of counts) this.#counts.push(keys);
    this.#written += count;
  }

  /** Makes what was written the file. */
  async finish(documents: number): Promise<void> {
    const { partitions, bands } = this.#layout;
    const tail = Uint32Array.of(documents, partitions, keyWidth(bands), this.#counts.length / partitions);
    await this.#file.write(bytesOfNumbers(Uint32Array.from(this.#counts)));
    await this.#file.write(bytesOfNumbers(tail));
    await this.#file.commit();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file[Symbol.asyncDispose]();
  }

  #partition(halves: Uint32Array, key: number): number {
    const { partitions, bands, partitionBits } = this.#layout;
    const inBand = partitions / Math.max(1, bands);
    const lowerBits = 32 - partitionBits;
    const chosenBy = ((halves[2 * key + 1]! >>> lowerBits) << lowerBits) >>> 0;
    return (bands === 0 ? 0 : key % bands) * inBand + partitionOf(chosenBy, inBand);
  }
}

/** Where the keys of one partition lie in a task's file. */
export interface KeyPlaces {
  readonly path: string;
  /** Documents of the task. */
  readonly documents: number;
  /** Keys of the partition, in all runs. */
  readonly count: number;
  /** Numbers of a key. */
  readonly width: number;
  readonly runs: readonly { readonly start: number; readonly keys: number }[];
}

/** Finds the keys of one partition of a task. @throws CriaError where the file is cut short or of another layout */
export async function findKeys(path: string, partition: number, { partitions, bands }: KeyLayout): Promise<KeyPlaces> {
  return withFile(path, async (file) => {
    const { size } = await file.stat();
    const [documents = 0, found = 0, width = 0, runs = 0] = await readNumbers(file, path, size - 4 * tailNumbers, tailNumbers);
    if (found !== partitions || width !== keyWidth(bands)) return damaged(path);
    const counts = await readNumbers(file, path, size - 4 * (tailNumbers + partitions * runs), partitions * runs);
    const places: { start: number; keys: number }[] = [];
    let [start, count] = [0, 0];
    for (const [i, keys] of counts.entries()) {
      if (i % partitions === partition && keys > 0) {
        places.push({ start, keys });
        count += keys;
      }
      start += 4 * width * keys;
    }
    if (start + 4 * (counts.length + tailNumbers) !== size) return damaged(path);
    return { path, documents, count, width, runs: places };
  });
}

/** The keys of a partition in the order of the documents, some at a time, each as so many numbers as it has. */
export async function* readKeys({ path, width, runs }: KeyPlaces): AsyncGenerator<Uint32Array> {
  for (const { start, keys } of runs)
    for (let done = 0; done < keys; done += chunkKeys)
      yield await withFile(path, (file) => readNumbers(file, path, start + 4 * width * done, width * Math.min(chunkKeys, keys - done)));
}

/** Documents of a task. @throws CriaError where the file is cut short */
export async function readDocumentCount(path: string): Promise<number> {
  return withFile(path, async (file) => {
    const { size } = await file.stat();
    const [documents = 0] = await readNumbers(file, path, size - 4 * tailNumbers, tailNumbers);
    return documents;
  });
}
