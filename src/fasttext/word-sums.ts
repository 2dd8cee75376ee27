// The sum of the rows of each word, kept for words that come again.
import { addRow } from "./add-row.ts";
import type { FastTextModel } from "./read-model.ts";
import { mostPlaces, WordCache } from "./word-cache.ts";
import { WordRows } from "./word-rows.ts";

/** The most numbers of sums that are kept. */
const mostNumbers = 1 << 24;

/** What the second hash of a word begins with, which does not depend on fastText's. */
export const otherHashStart = 0x41c6ce57 | 0;

/** Goes on with the second hash of a word by one byte more. */
export function nextOtherHash(hash: number, byte: number): number {
  return Math.imul(((hash << 5) | (hash >>> 27)) ^ byte, 0x9e3779b1);
}

/** Adds up sums of rows by words. */
export class WordSums {
  /** The sum of the words that were added. */
  readonly total: Float64Array;
  readonly #rows: WordRows;
  readonly #values: Float32Array;
  /** Zeros between two words. */
  readonly #sum: Float64Array;
  readonly #cache: WordCache;

  constructor({ input, ...model }: Pick<FastTextModel, "settings" | "words" | "pruned" | "input">) {
    const { columns, values } = input;
    [this.#rows, this.#values] = [new WordRows(model), values];
    [this.total, this.#sum] = [new Float64Array(columns), new Float64Array(columns)];
    this.#cache = new WordCache(2 ** Math.max(3, Math.floor(Math.log2(Math.min(mostPlaces, mostNumbers / columns)))), columns);
  }

  /**
   * Adds a word.
   * @param bytes its UTF-8 between `start` and `end`; the bytes before and behind it may be written over
   * @param hash by `hashOf` @param other by {@link nextOtherHash}
   * @returns how many rows there are
   */
  add(bytes: Int8Array, start: number, end: number, hash: number, other: number): number {
    const found = this.#cache.find(hash, other);
    const place = found > 0 ? found : this.#keep(bytes, start, end, hash, other);
    addRow(this.total, this.#cache.sums, place);
    return this.#cache.rowsAt(place);
  }

  /** Sums up the rows of a new word. @returns its place */
  #keep(bytes: Int8Array, start: number, end: number, hash: number, other: number): number {
    const [rows, sum] = [this.#rows, this.#sum];
    let count = 0;
    for (let from = start - 1; from <= end; ) {
      from = rows.find(bytes, start, end, from);
      for (let k = 0; k < rows.count; k++) addRow(sum, this.#values, rows.found[k]!);
      count += rows.count;
    }
    const place = this.#cache.take(hash, other, count);
    const { sums } = this.#cache;
    for (let i = 0, at = place * sum.length; i < sum.length; i++, at++) {
      sums[at] = sum[i]!;
      sum[i] = 0;
    }
    return place;
  }
}
