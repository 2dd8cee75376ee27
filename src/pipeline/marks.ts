// Marks on the keys of a task, or on its documents, on disk. A file is of one group and one partition, and has a bit per key, part by part; one of clusters
// has a bit per document:
//
//   | parts u32 | keys of each u32 … | bits of each, whole bytes |
//
// so that whoever makes the keys of a document again takes the next bit of each key's partition.
import { closeSync, openSync, readSync } from "node:fs";
import { fail } from "../base/index.ts";
import { AtomicFile, explainIo } from "../files/index.ts";
import { bytesOfNumbers, damaged, readNumbers, withFile } from "./numbers.ts";

const where = "data";

/** Marks on keys, from which those of each part are taken in order. */
export interface Marks {
  /** Keys of each part. */
  readonly counts: Uint32Array;
  /** A bit per key, 1 where it is marked; each part begins with a byte of its own. */
  readonly bits: Uint8Array;
}

/** Bytes of so many bits. */
export function bytesOfBits(bits: number): number {
  return Math.ceil(bits / 8);
}

/** Writes the marks of one group and partition. */
export async function writeMarks(path: string, { counts, bits }: Marks): Promise<void> {
  await using file = await AtomicFile.open(path, where);
  await file.write(bytesOfNumbers(Uint32Array.of(counts.length)));
  await file.write(bytesOfNumbers(counts));
  await file.write(bits);
  await file.commit();
}

/** The marks of one part, one after another, some bytes of which are in memory. */
export class MarkStream {
  readonly #path: string;
  readonly #count: number;
  readonly #window: Uint8Array;
  /** Where the window's first byte stands in the file. */
  #start: number;
  #taken = 0;

  private constructor(path: string, start: number, count: number, windowBytes: number) {
    [this.#path, this.#count, this.#start] = [path, count, start];
    this.#window = new Uint8Array(Math.min(windowBytes, bytesOfBits(count)));
  }

  /** @param part its number within the group @throws CriaError where the file is cut short */
  static async open(path: string, part: number, windowBytes: number): Promise<MarkStream> {
    return withFile(path, async (file) => {
      const [parts = 0] = await readNumbers(file, path, 0, 1);
      if (part >= parts) return damaged(path);
      const counts = await readNumbers(file, path, 4, parts);
      let start = 4 + 4 * parts;
      for (let i = 0; i < part; i++) start += bytesOfBits(counts[i]!);
      const { size } = await file.stat();
      if (start + bytesOfBits(counts[part]!) > size) return damaged(path);
      return new MarkStream(path, start, counts[part]!, windowBytes);
    });
  }

  /** Whether the next key is marked. @throws CriaError where there is none */
  take(): boolean {
    if (this.#taken >= this.#count) return this.#isOfAnother("more");
    const bitsInWindow = 8 * this.#window.length;
    const bit = this.#taken % bitsInWindow;
    if (bit === 0) this.#fill();
    this.#taken++;
    return ((this.#window[bit >>> 3]! >> (bit & 7)) & 1) === 1;
  }

  /** Hears that there are no more keys. @throws CriaError where marks are left, which are not of this task's keys then */
  end(): void {
    if (this.#taken < this.#count) this.#isOfAnother(String(this.#taken));
  }

  /** Marks are asked for between two documents, which do not wait for each other: the file is read at once. */
  #fill(): void {
    const { length } = this.#window;
    try {
      const file = openSync(this.#path, "r");
      try {
        this.#start += this.#taken === 0 ? 0 : length;
        for (let done = 0, read = 1; read > 0 && done < length; done += read)
          read = readSync(file, this.#window, done, length - done, this.#start + done);
      } finally {
        closeSync(file);
      }
    } catch (error) {
      throw explainIo(where, this.#path, error);
    }
  }

  #isOfAnother(found: string): never {
    return fail(
      where,
      `${this.#path}: it has marks for ${this.#count} keys of a task, which has ${found}: files of different runs are mixed, remove the folder of intermediate files to begin anew`,
    );
  }
}
