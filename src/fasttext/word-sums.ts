// The sum of the rows of each word, kept for words that come again.
import { addRows } from "./add-row.ts";
import type { FastTextModel } from "./read-model.ts";
import { mostPlaces, WordCache } from "./word-cache.ts";
import { bytesAtOnce, finished, firstStart, lastBytes, nextFirst, nextSecond, secondStart, type ViewedBytes } from "./word-keys.ts";
import { WordRows } from "./word-rows.ts";

/** The most numbers of sums that are kept. */
const mostNumbers = 1 << 24;

/** So many words are found before their sums are added. */
const mostPending = 1 << 12;

/** Adds up sums of rows by words. */
export class WordSums {
  /** The sum of the words that were added. */
  readonly total: Float64Array;
  readonly #rows: WordRows;
  readonly #values: Float32Array;
  /** Zeros between two words. */
  readonly #sum: Float64Array;
  readonly #cache: WordCache;
  /** The places of words whose sums are not in the total yet. */
  readonly #places = new Int32Array(mostPending);
  #pending = 0;

  constructor({ input, ...model }: Pick<FastTextModel, "settings" | "words" | "pruned" | "input">) {
    const { columns, values } = input;
    [this.#rows, this.#values] = [new WordRows(model), values];
    [this.total, this.#sum] = [new Float64Array(columns), new Float64Array(columns)];
    this.#cache = new WordCache(2 ** Math.max(3, Math.floor(Math.log2(Math.min(mostPlaces, mostNumbers / columns)))), columns);
  }

  /**
   * Adds a word; the total has it when {@link finish} was called.
   * @param words its UTF-8 between `start` and `end`; the bytes before and behind it may be written over
   * @returns how many rows there are
   */
  add({ bytes, view }: ViewedBytes, start: number, end: number): number {
    let [hash, other, at] = [firstStart, secondStart(end - start), start];
    for (; at + bytesAtOnce <= end; at += bytesAtOnce) {
      const four = view.getInt32(at, true);
      hash = nextFirst(hash, four);
      other = nextSecond(other, four);
    }
    if (at < end) {
      const last = lastBytes(view, at, end);
      hash = nextFirst(hash, last);
      other = nextSecond(other, last);
    }
    hash = finished(hash);
    other = finished(other);
    const found = this.#cache.find(hash, other);
    const place = found > 0 ? found : this.#keep(bytes, start, end, hash, other);
    if (this.#pending === mostPending) this.finish();
    this.#places[this.#pending++] = place;
    return this.#cache.rowsAt(place);
  }

  /** Adds the sums of the words that were found. Many at once take less time, as a processor waits for several of them together. */
  finish(): void {
    addRows(this.total, this.#cache.sums, this.#places, this.#pending);
    this.#pending = 0;
  }

  /** Sums up the rows of a new word. @returns its place */
  #keep(bytes: Int8Array, start: number, end: number, hash: number, other: number): number {
    const [rows, sum] = [this.#rows, this.#sum];
    let count = 0;
    for (let from = start - 1; from <= end; ) {
      from = rows.find(bytes, start, end, from);
      addRows(sum, this.#values, rows.found, rows.count);
      count += rows.count;
    }
    if (this.#cache.isFullFor(other)) this.finish(); // the place of a word that is not added yet could be taken
    const place = this.#cache.take(hash, other, count);
    const { sums } = this.#cache;
    for (let i = 0, at = place * sum.length; i < sum.length; i++, at++) {
      sums[at] = sum[i]!;
      sum[i] = 0;
    }
    return place;
  }
}
