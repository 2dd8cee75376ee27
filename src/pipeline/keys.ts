// Keys of a task, on disk. They are written in runs, each as large as memory allows, and lie in a run by partition, in the order of the documents:
//
//   | keys of run 0, partition 0 … | … | number of keys u32 and their CRC-32 u32, of each run and partition … |
//   | documents u32 | partitions u32 | numbers of a key u32 | runs u32 | CRC-32 of what stands behind the keys u32 |
//
// A key is its lower half u32, its upper half u32 and, where documents are clustered, the number of its document u32. Everything is little-endian.
import type { FileHandle } from "node:fs/promises";
import type { KeyList } from "../clean/index.ts";
import { AtomicFile, Checksum } from "../files/index.ts";
import { bytesOfNumbers, checkWritten, damaged, readNumbers, withFile } from "./numbers.ts";

const where = "data";
const tailNumbers = 5;
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
  /** Keys of each run and partition, and their checksum, in turns. */
  readonly #stretches: number[] = [];
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
    let start = 0;
    for (const keys of counts) {
      this.#stretches.push(keys, Checksum.of(sorted.subarray(start, start + width * keys)));
      start += width * keys;
    }
    this.#written += count;
  }

  /** Makes what was written the file. */
  async finish(documents: number): Promise<void> {
    const { partitions, bands } = this.#layout;
    const runs = this.#stretches.length / (2 * partitions);
    const tail = Uint32Array.from([...this.#stretches, documents, partitions, keyWidth(bands), runs]);
    await this.#file.write(bytesOfNumbers(tail));
    await this.#file.write(bytesOfNumbers(Uint32Array.of(Checksum.of(tail))));
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
  readonly runs: readonly { readonly start: number; readonly keys: number; readonly checksum: number }[];
}

/** Finds the keys of one partition of a task. @throws CriaError where the file is cut short, changed or of another layout */
export async function findKeys(path: string, partition: number, { partitions, bands }: KeyLayout): Promise<KeyPlaces> {
  return withFile(path, async (file) => {
    const { documents, partitions: found, width, stretches, end } = await readTail(file, path);
    if (found !== partitions || width !== keyWidth(bands)) return damaged(path);
    const places: { start: number; keys: number; checksum: number }[] = [];
    let [start, count] = [0, 0];
    for (let i = 0; i < stretches.length; i += 2) {
      const [keys, checksum] = [stretches[i]!, stretches[i + 1]!];
      if ((i / 2) % partitions === partition && keys > 0) {
        places.push({ start, keys, checksum });
        count += keys;
      }
      start += 4 * width * keys;
    }
    return start === end ? { path, documents, count, width, runs: places } : damaged(path);
  });
}

/** The keys of a partition in the order of the documents, some at a time, each as so many numbers as it has. @throws CriaError where they were changed */
export async function* readKeys({ path, width, runs }: KeyPlaces): AsyncGenerator<Uint32Array> {
  for (const { start, keys, checksum } of runs) {
    const read = new Checksum();
    for (let done = 0; done < keys; done += chunkKeys) {
      const count = Math.min(chunkKeys, keys - done);
      const chunk = await withFile(path, (file) => readNumbers(file, path, start + 4 * width * done, width * count));
      read.add(chunk);
      yield chunk;
    }
    checkWritten(path, "its keys", read.value, checksum);
  }
}

/** Documents of a task. @throws CriaError where the file is cut short or changed */
export async function readDocumentCount(path: string): Promise<number> {
  return withFile(path, async (file) => (await readTail(file, path)).documents);
}

/** What stands behind the keys. */
interface Tail {
  readonly documents: number;
  readonly partitions: number;
  readonly width: number;
  /** Keys of each run and partition, and their checksum, in turns. */
  readonly stretches: Uint32Array;
  /** The byte at which the keys end. */
  readonly end: number;
}

async function readTail(file: FileHandle, path: string): Promise<Tail> {
  const { size } = await file.stat();
  const last = await readNumbers(file, path, size - 4 * tailNumbers, tailNumbers);
  const [documents = 0, partitions = 0, width = 0, runs = 0, written = 0] = last;
  const numbers = 2 * partitions * runs;
  const end = size - 4 * (numbers + tailNumbers);
  const stretches = await readNumbers(file, path, end, numbers);
  const found = new Checksum();
  found.add(stretches);
  found.add(last.subarray(0, -1));
  checkWritten(path, "its numbers of keys", found.value, written);
  return { documents, partitions, width, stretches, end };
}
