// Marks on the keys of a task, or on its documents, on disk. A file is of one group and one partition, and has a bit per key, part by part; one of clusters
// has a bit per document:
//
//   | of each part: keys u32, first byte of its bits u64, CRC-32 of its bits u32, CRC-32 of these four numbers u32 | … | bits of each part, whole bytes |
//
// so that whoever makes the keys of a document again takes the next bit of each key's partition. Of the parts of a whole dump, which each open the files of all
// partitions, each reads its own numbers and bits only.
import { closeSync, openSync, readSync } from "node:fs";
import { fail } from "../base/index.ts";
import { AtomicFile, Checksum, explainIo } from "../files/index.ts";
import { bytesOfNumbers, checkWritten, damaged, readNumbers, withFile } from "./numbers.ts";

const where = "data";
/** Numbers that a file has of each part. */
const rowNumbers = 5;

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
  const rows = new Uint32Array(rowNumbers * counts.length);
  let first = 0;
  for (const [part, count] of counts.entries()) {
    const length = bytesOfBits(count);
    const row = rows.subarray(rowNumbers * part, rowNumbers * (part + 1));
    const start = rows.byteLength + first;
    row.set([count, start % 2 ** 32, Math.floor(start / 2 ** 32), Checksum.of(bits.subarray(first, first + length))]);
    row[rowNumbers - 1] = Checksum.of(row.subarray(0, -1));
    first += length;
  }
  await using file = await AtomicFile.open(path, where);
  await file.write(bytesOfNumbers(rows));
  await file.write(bits);
  await file.commit();
}

/** The marks of one part, one after another, some bytes of which are in memory. */
export class MarkStream {
  readonly #path: string;
  readonly #count: number;
  readonly #window: Uint8Array;
  /** The checksum of all bits, and of those that were read. */
  readonly #written: number;
  readonly #read = new Checksum();
  /** Where the window's first byte stands in the file. */
  #start: number;
  #taken = 0;

  private constructor(path: string, { start, count, checksum }: { start: number; count: number; checksum: number }, windowBytes: number) {
    [this.#path, this.#count, this.#start, this.#written] = [path, count, start, checksum];
    this.#window = new Uint8Array(Math.min(windowBytes, bytesOfBits(count)));
  }

  /** @param part its number within the group @throws CriaError where the file is cut short or changed */
  static async open(path: string, part: number, windowBytes: number): Promise<MarkStream> {
    return withFile(path, async (file) => {
      const row = await readNumbers(file, path, 4 * rowNumbers * part, rowNumbers);
      const [count = 0, low = 0, high = 0, checksum = 0, written = 0] = row;
      checkWritten(path, "its numbers of marks", Checksum.of(row.subarray(0, -1)), written);
      const start = 2 ** 32 * high + low;
      const { size } = await file.stat();
      return start + bytesOfBits(count) > size ? damaged(path) : new MarkStream(path, { start, count, checksum }, windowBytes);
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

  /** Hears that there are no more keys. @throws CriaError where marks are left, which are not of this task's keys then, or were changed */
  end(): void {
    if (this.#taken < this.#count) this.#isOfAnother(String(this.#taken));
    checkWritten(this.#path, "its marks", this.#read.value, this.#written);
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
        this.#read.add(this.#window.subarray(0, bytesOfBits(this.#count - this.#taken))); // the last window may be longer than what is left
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
