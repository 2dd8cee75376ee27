// The sum of the rows of each word, kept for words that come again. A word is found by its UTF-16 units where it stands, without a string of its own,
// which would hold the whole text in memory as long as the word is kept.
import type { FastTextModel } from "./read-model.ts";
import { hashOf, WordRows } from "./word-rows.ts";

/** Sums are forgotten, all of them, where there are more words or numbers than this. */
const [mostWords, mostNumbers] = [1 << 18, 1 << 24];
/** Longer words, such as lines of Chinese, hardly come again. */
const longestKept = 32;
const encoder = new TextEncoder();

/** Goes on with the hash of a word by one unit more; it begins with 0. */
export function nextHash(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, 0x01000193);
}

/** Sums of rows by words. Place 0 is that of the last word which is not kept. */
export class WordSums {
  readonly #rows: WordRows;
  readonly #input: FastTextModel["input"];
  readonly #mostPlaces: number;
  readonly #needsHashes: boolean;
  /** [places, columns] */
  sums: Float32Array;
  /** Rows in each sum. */
  counts: Int32Array;
  /** fastText's hash of each word; 0 where the model has no n-grams of words. */
  hashes: Int32Array;
  /** Units of each word, `longestKept` for each place, and how many there are. */
  #units: Uint16Array;
  #lengths: Uint8Array;
  /** Places by hash, 0 where it is free; at most half are taken. */
  #table: Int32Array;
  #places = 1;

  constructor(model: FastTextModel) {
    this.#rows = new WordRows(model);
    this.#input = model.input;
    this.#needsHashes = model.settings.wordNgrams > 1;
    this.#mostPlaces = Math.max(2, Math.min(mostWords, Math.floor(mostNumbers / model.input.columns)));
    this.sums = new Float32Array(0);
    [this.counts, this.hashes] = [new Int32Array(0), new Int32Array(0)];
    [this.#units, this.#lengths, this.#table] = [new Uint16Array(0), new Uint8Array(0), new Int32Array(0)];
    this.#grow(Math.min(1024, this.#mostPlaces));
  }

  /** Where the sum of a word's rows is; it stays there until the next call. @param hash the word's units by {@link nextHash} */
  placeOf(text: string, start: number, end: number, hash: number): number {
    if (end - start > longestKept) return this.#sumUp(0, text.slice(start, end));
    const mask = this.#table.length - 1;
    for (let at = mixed(hash) & mask; ; at = (at + 1) & mask) {
      const place = this.#table[at]!;
      if (place === 0) return this.#keep(text, start, end, hash);
      if (this.#isAt(place, text, start, end)) return place;
    }
  }

  #isAt(place: number, text: string, start: number, end: number): boolean {
    if (this.#lengths[place] !== end - start) return false;
    const units = this.#units;
    for (let at = start, other = place * longestKept; at < end; at++, other++) if (units[other] !== text.charCodeAt(at)) return false;
    return true;
  }

  #keep(text: string, start: number, end: number, hash: number): number {
    if (this.#places === this.#mostPlaces) {
      this.#table.fill(0);
      this.#places = 1;
    } else if (this.#places === this.counts.length) this.#grow(Math.min(2 * this.#places, this.#mostPlaces));
    const place = this.#places++;
    for (let at = start; at < end; at++) this.#units[place * longestKept + at - start] = text.charCodeAt(at);
    this.#lengths[place] = end - start;
    this.#insert(place, hash);
    return this.#sumUp(place, text.slice(start, end));
  }

  #insert(place: number, hash: number): void {
    const mask = this.#table.length - 1;
    let at = mixed(hash) & mask;
    while (this.#table[at] !== 0) at = (at + 1) & mask;
    this.#table[at] = place;
  }

  #sumUp(place: number, word: string): number {
    const { values, columns } = this.#input;
    const rows = this.#rows.of(word);
    const [sums, start] = [this.sums, place * columns];
    sums.fill(0, start, start + columns);
    for (const row of rows) for (let i = 0; i < columns; i++) sums[start + i]! += values[row * columns + i]!;
    this.counts[place] = rows.length;
    if (this.#needsHashes) this.hashes[place] = hashOf(encoder.encode(word));
    return place;
  }

  #grow(places: number): void {
    const { columns } = this.#input;
    this.sums = copied(this.sums, new Float32Array(places * columns));
    this.counts = copied(this.counts, new Int32Array(places));
    this.hashes = copied(this.hashes, new Int32Array(places));
    this.#units = copied(this.#units, new Uint16Array(places * longestKept));
    this.#lengths = copied(this.#lengths, new Uint8Array(places));
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(2 * places)));
    for (let place = 1; place < this.#places; place++) this.#insert(place, this.#unitHash(place));
  }

  #unitHash(place: number): number {
    let hash = 0;
    for (let i = 0; i < this.#lengths[place]!; i++) hash = nextHash(hash, this.#units[place * longestKept + i]!);
    return hash;
  }
}

function copied<Numbers extends { set(from: Numbers): void }>(from: Numbers, to: Numbers): Numbers {
  to.set(from);
  return to;
}

function mixed(hash: number): number {
  const half = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return half ^ (half >>> 13);
}
