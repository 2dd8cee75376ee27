// The sum of the rows of each word, kept for words that come again. Words are kept as processors keep lines of memory: each has one set of four places, by
// its hash, and a new word takes the place of one in its set that did not come again since the last new word passed it (the clock algorithm).
import { finalised } from "../base/index.ts";
import { addRow } from "./add-row.ts";
import type { FastTextModel } from "./read-model.ts";
import { WordRows } from "./word-rows.ts";

/** The most words that are kept, and the most numbers of their sums. */
const [mostWords, mostNumbers] = [1 << 17, 1 << 23];
/** Places of each set. */
const ways = 4;
/** A place is four numbers, so that a set is one line of a processor's cache: the word's two hashes, the rows in its sum, and the place's state. */
const [width, otherAt, rowsAt, stateAt] = [4, 1, 2, 3];
const [free, kept, cameAgain] = [0, 1, 2];

/** What the second hash of a word begins with, which does not depend on fastText's. */
export const otherHashStart = 0x41c6ce57 | 0;

/** Goes on with the second hash of a word by one byte more. */
export function nextOtherHash(hash: number, byte: number): number {
  return Math.imul(((hash << 5) | (hash >>> 27)) ^ byte, 0x9e3779b1);
}

/** Sums of rows by words. A word is told by its two hashes, which are those of another of the 2^17 kept by chance once in 2^47 times. */
export class WordSums {
  readonly #rows: WordRows;
  readonly #input: FastTextModel["input"];
  readonly #mostPlaces: number;
  /** [places, columns] */
  #sums = new Float32Array(0);
  /** [places, 4] */
  #words = new Int32Array(0);
  /** The way of each set that is looked at first for a new word. */
  #hands = new Uint8Array(0);
  #places = 0;
  #kept = 0;
  readonly #sum: Float64Array;

  constructor(model: FastTextModel) {
    this.#rows = new WordRows(model);
    this.#input = model.input;
    this.#sum = new Float64Array(model.input.columns);
    this.#mostPlaces = 2 ** Math.max(2, Math.floor(Math.log2(Math.min(mostWords, mostNumbers / model.input.columns))));
    this.#grow(Math.min(1 << 10, this.#mostPlaces));
  }

  /**
   * The place of a word, which it has until the next call: see {@link addTo} and {@link rowsAt}.
   * @param bytes its UTF-8 between `start` and `end`; the bytes before and behind it may be written over
   * @param hash by `hashOf` @param other by {@link nextOtherHash}
   */
  placeOf(bytes: Int8Array, start: number, end: number, hash: number, other: number): number {
    const words = this.#words;
    const first = this.#setOf(hash) * ways;
    for (let place = first; place < first + ways; place++) {
      const at = place * width;
      if (words[at] !== hash || words[at + otherAt] !== other || words[at + stateAt] === free) continue;
      words[at + stateAt] = cameAgain;
      return place;
    }
    return this.#keep(bytes, start, end, hash, other);
  }

  /** Rows in the sum of the word at a place. */
  rowsAt(place: number): number {
    return this.#words[place * width + rowsAt]!;
  }

  /** Adds the sum of the word at a place. */
  addTo(total: Float64Array, place: number): void {
    addRow(total, this.#sums, place);
  }

  #keep(bytes: Int8Array, start: number, end: number, hash: number, other: number): number {
    if (2 * this.#kept > this.#places && this.#places < this.#mostPlaces) this.#grow(2 * this.#places);
    const place = this.#newPlace(hash, other);
    const { values, columns } = this.#input;
    const [rows, sum] = [this.#rows, this.#sum.fill(0)];
    let count = 0;
    for (let from = start - 1; from <= end; ) {
      from = rows.find(bytes, start, end, from);
      for (let k = 0; k < rows.count; k++) addRow(sum, values, rows.found[k]!);
      count += rows.count;
    }
    this.#sums.set(sum, place * columns);
    this.#words[place * width + rowsAt] = count;
    return place;
  }

  #newPlace(hash: number, other: number): number {
    const words = this.#words;
    const set = this.#setOf(hash);
    let place = set * ways + this.#hands[set]!;
    for (; words[place * width + stateAt] === cameAgain; place = set * ways + ((place + 1) % ways)) words[place * width + stateAt] = kept;
    if (words[place * width + stateAt] === free) this.#kept++;
    this.#hands[set] = (place + 1) % ways;
    words[place * width] = hash;
    words[place * width + otherAt] = other;
    words[place * width + stateAt] = kept;
    return place;
  }

  #setOf(hash: number): number {
    return finalised(hash) & (this.#places / ways - 1);
  }

  /** Makes more places. The words of a set go to two, so that none takes another's place. */
  #grow(places: number): void {
    const { columns } = this.#input;
    const [before, words, sums] = [this.#places, this.#words, this.#sums];
    [this.#places, this.#kept] = [places, 0];
    this.#sums = new Float32Array(places * columns);
    this.#words = new Int32Array(places * width);
    this.#hands = new Uint8Array(places / ways);
    for (let old = 0; old < before; old++) {
      if (words[old * width + stateAt] === free) continue;
      const place = this.#newPlace(words[old * width]!, words[old * width + otherAt]!);
      this.#words.set(words.subarray(old * width, (old + 1) * width), place * width);
      this.#sums.set(sums.subarray(old * columns, (old + 1) * columns), place * columns);
    }
  }
}
