// SimHash (Charikar 2002; Manku, Jain & Das Sarma 2007): a fingerprint of 64 bits, each of which is what most features of a text have there, so that texts
// with most features in common differ in few bits. Features are runs of characters, without white space and punctuation and in small letters, as
// RedPajama has them of books.

import { finalised } from "../../base/index.ts";

/** Two halves of 64 bits, as unsigned numbers. */
export interface Halves {
  low: number;
  high: number;
}

/** Hashes the characters from `start` to `end`, which are code points. */
export type FeatureHash = (characters: Int32Array, start: number, end: number, into: Halves) => void;

/** Makes fingerprints of texts. */
export class SimHash {
  readonly #width: number;
  readonly #hash: FeatureHash;
  readonly #halves: Halves = { low: 0, high: 0 };
  /** How often each of eight bytes had each value: eight additions per feature instead of 64. */
  readonly #counts = new Float64Array(8 * 256);
  #characters = new Int32Array(1 << 12);

  /** @param width characters of a feature @param hash of features; one of our own unless given */
  constructor(width: number, hash: FeatureHash = mixedHash) {
    [this.#width, this.#hash] = [width, hash];
  }

  /** The fingerprint; a text with fewer characters than a feature has one feature, all of them. What it returns holds until it is called again. */
  fingerprint(text: string): Readonly<Halves> {
    const length = this.#read(text);
    const features = Math.max(1, length - this.#width + 1);
    const [counts, halves] = [this.#counts.fill(0), this.#halves];
    for (let start = 0; start < features; start++) {
      this.#hash(this.#characters, start, Math.min(length, start + this.#width), halves);
      for (let byte = 0; byte < 4; byte++) {
        counts[256 * byte + ((halves.low >>> (8 * byte)) & 255)]!++;
        counts[256 * (byte + 4) + ((halves.high >>> (8 * byte)) & 255)]!++;
      }
    }
    [halves.low, halves.high] = [0, 0];
    for (let bit = 0; bit < 32; bit++) {
      if (this.#count(bit) > features / 2) halves.low += 2 ** bit;
      if (this.#count(bit + 32) > features / 2) halves.high += 2 ** bit;
    }
    return halves;
  }

  /** How many features have a bit. */
  #count(bit: number): number {
    let count = 0;
    for (let value = 0; value < 256; value++) if ((value >> (bit & 7)) & 1) count += this.#counts[256 * (bit >> 3) + value]!;
    return count;
  }

  /** Takes the letters, digits and underscores of a text. @returns how many there are */
  #read(text: string): number {
    const plain = text.toLowerCase().replace(/[^\p{L}\p{N}_]+/gu, "");
    if (plain.length > this.#characters.length) this.#characters = new Int32Array(2 * plain.length);
    let length = 0;
    for (const character of plain) this.#characters[length++] = character.codePointAt(0)!;
    return length;
  }
}

/**
 * Two streams of 32 bits with different factors, each mixed at the end. Frequent features weigh most, so that how far unrelated texts are from each other
 * depends on these start values: novels differ in 22 bits on average, by others in 16 to 22 (docs/log/2026-11-28-cleaning.md).
 */
function mixedHash(characters: Int32Array, start: number, end: number, into: Halves): void {
  let [low, high] = [0xdeadbd08 | 0, 0x2bbd2fe0 | 0];
  for (let at = start; at < end; at++) {
    low = Math.imul(low ^ characters[at]!, 0x9e3779b1);
    high = Math.imul(high ^ characters[at]!, 0x5f356495);
  }
  into.low = finalised(low ^ (high >>> 13)) >>> 0;
  into.high = finalised(high ^ (low >>> 11)) >>> 0;
}
