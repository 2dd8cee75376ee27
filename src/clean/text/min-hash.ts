// MinHash (Broder 1997): of the n-grams of a text's words the least value of each of many hash functions; two texts agree in a value with the probability of
// their Jaccard similarity. Bands of several values make keys (Leskovec et al., Mining of Massive Datasets, section 3.4): two texts of similarity s share a
// key with the probability 1 − (1 − s^rows)^bands.
import { finalised, Rng } from "../../base/index.ts";
import { addBandKeys } from "./band-keys.ts";
import type { KeyList } from "./key-list.ts";
import { PlainWords } from "./plain-words.ts";

const highestBit = 0x80000000 | 0;

/** How signatures are made. */
export interface MinHashSizes {
  /** Words of an n-gram. */
  readonly words: number;
  /** Keys of a text. */
  readonly bands: number;
  /** Values that make a key. */
  readonly rows: number;
}

/** Makes keys of texts. Hash functions follow from a seed of its own, so that machines agree. */
export class MinHash {
  readonly #sizes: MinHashSizes;
  /** Factors and summands of the functions x → a · x + b modulo 2^32. */
  readonly #factors: Int32Array;
  readonly #summands: Int32Array;
  readonly #least: Uint32Array;
  readonly #words = new PlainWords();
  /** Hashes of one text's n-grams after another; there may be more numbers than n-grams. */
  #hashes = new Int32Array(1 << 10);

  constructor(sizes: MinHashSizes) {
    this.#sizes = sizes;
    const count = sizes.bands * sizes.rows;
    const rng = new Rng(0x4d696e48);
    this.#factors = Int32Array.from({ length: count }, () => rng.uint32() | 1);
    this.#summands = Int32Array.from({ length: count }, () => rng.uint32() | 0);
    this.#least = new Uint32Array(count);
  }

  /** Adds a key per band. A text with fewer words than an n-gram has one n-gram, all of them. */
  addKeys(text: string, keys: KeyList): void {
    const count = this.#findHashes(this.#words.read(text));
    this.#takeLeast(count);
    addBandKeys(this.#least, this.#sizes, keys);
  }

  /** Puts the hashes of the n-grams of so many words into `#hashes`. @returns how many there are */
  #findHashes(count: number): number {
    const { words } = this.#sizes;
    const { hashes } = this.#words;
    const ngrams = Math.max(1, count - words + 1);
    if (this.#hashes.length < ngrams) this.#hashes = new Int32Array(2 * ngrams);
    for (let i = 0; i < ngrams; i++) {
      let hash = 0;
      for (let k = i; k < Math.min(count, i + words); k++) hash = finalised(Math.imul(hash, 0x01000193) ^ hashes[k]!);
      this.#hashes[i] = hash;
    }
    return ngrams;
  }

  /** Puts the least value of each function over so many hashes into `#least`: four functions at a time, so that all they need stays in registers. */
  #takeLeast(count: number): void {
    const [hashes, factors, summands, least] = [this.#hashes, this.#factors, this.#summands, this.#least];
    // Values are compared with the highest bit turned over, as signed numbers. Functions behind the last are undefined here, so 0, and not written.
    for (let j = 0; j < least.length; j += 4) {
      const [a, b, c, d] = [factors[j]! | 0, factors[j + 1]! | 0, factors[j + 2]! | 0, factors[j + 3]! | 0];
      const [p, q, r, s] = [
        summands[j]! ^ highestBit,
        summands[j + 1]! ^ highestBit,
        summands[j + 2]! ^ highestBit,
        summands[j + 3]! ^ highestBit,
      ];
      let [leastA, leastB, leastC, leastD] = [0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff];
      for (let i = 0; i < count; i++) {
        const hash = hashes[i]!;
        const valueA = (Math.imul(a, hash) + p) | 0;
        const valueB = (Math.imul(b, hash) + q) | 0;
        const valueC = (Math.imul(c, hash) + r) | 0;
        const valueD = (Math.imul(d, hash) + s) | 0;
        if (valueA < leastA) leastA = valueA;
        if (valueB < leastB) leastB = valueB;
        if (valueC < leastC) leastC = valueC;
        if (valueD < leastD) leastD = valueD;
      }
      least[j] = leastA ^ highestBit;
      least[j + 1] = leastB ^ highestBit;
      least[j + 2] = leastC ^ highestBit;
      least[j + 3] = leastD ^ highestBit;
    }
  }
}
