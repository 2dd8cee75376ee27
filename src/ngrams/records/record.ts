// Records that are sorted outside of memory: a key of some words, a count, and perhaps numbers. Sorted ones are written as what each does not share with
// the one before it:
//
//   | words shared u8 | the key's other words, varints | count, varint | numbers f64 | …
//
// A varint has seven bits per byte, the lowest first, little-endian.
import type { ScratchFile } from "./scratch.ts";

/** What records hold. */
export interface RecordForm {
  /** Words of the key, 32 bits each, the first of which sorts first. */
  readonly words: number;
  /** Numbers beside the count. */
  readonly floats: number;
  /** Whether records of the same key become one, whose count is the sum of theirs. */
  readonly isSummed: boolean;
}

/** Goes through records in the order of their keys. What it shows holds until the next call. */
export interface RecordCursor {
  readonly key: Uint32Array;
  readonly count: number;
  readonly floats: Float64Array;
  /** @returns whether there is another record */
  next(): boolean;
}

/** Records between two chances to stop. */
export const sliceRecords = 1 << 14;

/** How many words two keys have in common at their beginnings. */
export function sharedWords(a: Uint32Array, b: Uint32Array): number {
  let shared = 0;
  while (shared < a.length && a[shared] === b[shared]) shared++;
  return shared;
}

/** Bytes that a record takes at most. */
const mostBytes = 1 + 5 * 6 + 8 + 8 * 2;

/** Writes sorted records. */
export class RecordWriter {
  readonly file: ScratchFile;
  readonly #before: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  /** @param chunk bytes that are written together */
  constructor({ words }: RecordForm, file: ScratchFile, chunk: number) {
    this.file = file;
    this.#before = new Uint32Array(words);
    this.#bytes = new Uint8Array(chunk + mostBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  add(key: Uint32Array, count: number, floats: Float64Array): void {
    const before = this.#before;
    if (this.#at + mostBytes > this.#bytes.length) this.#flush();
    const shared = sharedWords(key, before);
    this.#bytes[this.#at++] = shared;
    for (let i = shared; i < before.length; i++) {
      before[i] = key[i]!;
      this.#varint(key[i]!);
    }
    this.#varint(count);
    for (let i = 0; i < floats.length; i++, this.#at += 8) this.#view.setFloat64(this.#at, floats[i]!, true);
  }

  /** Writes what is still in memory. */
  finish(): void {
    this.#flush();
  }

  #varint(value: number): void {
    let [rest, at] = [value, this.#at];
    for (; rest >= 2 ** 31; rest = Math.floor(rest / 128)) this.#bytes[at++] = (rest % 128) | 128;
    for (; rest > 127; rest >>>= 7) this.#bytes[at++] = (rest & 127) | 128;
    this.#bytes[at++] = rest;
    this.#at = at;
  }

  #flush(): void {
    if (this.#at > 0) this.file.write(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
  }
}

/** Reads what a {@link RecordWriter} has written. */
export class RecordReader implements RecordCursor {
  readonly key: Uint32Array;
  readonly floats: Float64Array;
  count = 0;
  readonly #file: ScratchFile;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #end = 0;
  /** Bytes of the file that have been taken into memory. */
  #taken = 0;

  /** @param chunk bytes that are read together */
  constructor({ words, floats }: RecordForm, file: ScratchFile, chunk: number) {
    [this.key, this.floats, this.#file] = [new Uint32Array(words), new Float64Array(floats), file];
    this.#bytes = new Uint8Array(chunk + mostBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  next(): boolean {
    if (this.#at + mostBytes > this.#end) this.#fill();
    if (this.#at === this.#end) return false;
    const key = this.key;
    for (let i = this.#bytes[this.#at++]!; i < key.length; i++) key[i] = this.#varint();
    this.count = this.#varint();
    for (let i = 0; i < this.floats.length; i++, this.#at += 8) this.floats[i] = this.#view.getFloat64(this.#at, true);
    return true;
  }

  #varint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#at++]!;
    if (byte < 128) return byte;
    let [value, scale] = [byte & 127, 128];
    do {
      byte = bytes[this.#at++]!;
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    return value;
  }

  #fill(): void {
    this.#bytes.copyWithin(0, this.#at, this.#end);
    this.#end -= this.#at;
    this.#at = 0;
    const read = this.#file.read(this.#taken, this.#bytes.subarray(this.#end));
    this.#taken += read;
    this.#end += read;
  }
}
