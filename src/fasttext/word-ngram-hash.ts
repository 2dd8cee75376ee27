// The hash of several words in a row (fastText 0.9, dictionary.cc, addWordNgrams): h ← h · 116049371 + hash of the next word, modulo 2^64, where the hashes
// of words are signed numbers of 32 bits. Two halves of 32 bits hold it, as BigInt is some twenty times slower.

const factor = 116049371;

/** A hash that takes one word after another. */
export class WordNgramHash {
  #low = 0;
  #high = 0;

  /** Begins with a word. @param hash the word's, as a signed number of 32 bits */
  begin(hash: number): void {
    this.#low = hash >>> 0;
    this.#high = hash < 0 ? 0xffffffff : 0;
  }

  /** Goes on with the next word. */
  add(hash: number): void {
    // The lower half times the factor, in two products of less than 2^53.
    const first = (this.#low & 0xffff) * factor;
    const second = (this.#low >>> 16) * factor + Math.floor(first / 0x10000);
    const low = (second % 0x10000) * 0x10000 + (first % 0x10000) + (hash >>> 0);
    const carry = Math.floor(second / 0x10000) + (low > 0xffffffff ? 1 : 0) + (hash < 0 ? 0xffffffff : 0);
    this.#high = (Math.imul(this.#high, factor) + carry) >>> 0;
    this.#low = low >>> 0;
  }

  /** The hash modulo a number below 2^31. */
  bucket(buckets: number): number {
    const upper = ((this.#high % buckets) * 0x10000 + (this.#low >>> 16)) % buckets;
    return (upper * 0x10000 + (this.#low & 0xffff)) % buckets;
  }
}
