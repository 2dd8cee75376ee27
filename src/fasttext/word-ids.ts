// The numbers of words by their UTF-8, so that a word is looked up where it stands, without a string of its own.
import { hashOf, isSameBytes, signedBytes } from "./word-hash.ts";

/** Words and their places in a list. */
export class WordIds {
  /** The UTF-8 of all words, one behind the other, and where each begins; one more than there are words. */
  readonly #bytes: Int8Array;
  readonly #starts: Int32Array;
  /** Numbers of words from 1 on by their hashes; 0 is a free place. At most half are taken. */
  readonly #table: Int32Array;

  constructor(words: readonly string[]) {
    const encoded = words.map(signedBytes);
    this.#starts = new Int32Array(words.length + 1);
    for (const [id, { length }] of encoded.entries()) this.#starts[id + 1] = this.#starts[id]! + length;
    this.#bytes = new Int8Array(this.#starts[words.length]!);
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(2 * words.length + 2)));
    for (const [id, bytes] of encoded.entries()) {
      this.#bytes.set(bytes, this.#starts[id]!);
      this.#table[this.#placeOf(bytes, 0, bytes.length, hashOf(bytes))] = id + 1;
    }
  }

  /** The number of the word between two places; -1 where it is none. @param hash the word's by {@link hashOf} */
  of(bytes: Int8Array, start: number, end: number, hash: number): number {
    return this.#table[this.#placeOf(bytes, start, end, hash)]! - 1;
  }

  #placeOf(bytes: Int8Array, start: number, end: number, hash: number): number {
    const mask = this.#table.length - 1;
    let place = hash & mask;
    for (; this.#table[place] !== 0; place = (place + 1) & mask) {
      const first = this.#starts[this.#table[place]! - 1]!;
      const length = this.#starts[this.#table[place]!]! - first;
      if (length === end - start && isSameBytes(this.#bytes, first, bytes, start, length)) break;
    }
    return place;
  }
}
