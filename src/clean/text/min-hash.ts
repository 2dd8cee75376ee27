// MinHash (Broder 1997): of the n-grams of a text's words the least value of each of many hash functions; two texts agree in a value with the probability of
// their Jaccard similarity. Bands of several values make keys (Leskovec et al., Mining of Massive Datasets, section 3.4): two texts of similarity s share a
// key with the probability 1 − (1 − s^rows)^bands.
import { finalised, Rng } from "../../base/index.ts";
import { addBandKeys } from "./band-keys.ts";
import type { KeyList } from "./key-list.ts";
import { PlainWords } from "./plain-words.ts";

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
    const count = this.#words.read(text);
    const { hashes } = this.#words;
    const { words } = this.#sizes;
    const least = this.#least.fill(0xffffffff);
    for (let i = 0; i < Math.max(1, count - words + 1); i++) {
      let hash = 0;
      for (let k = i; k < Math.min(count, i + words); k++) hash = finalised(Math.imul(hash, 0x01000193) ^ hashes[k]!);
      this.#take(hash);
    }
    addBandKeys(least, this.#sizes, keys);
  }

  #take(hash: number): void {
    const [factors, summands, least] = [this.#factors, this.#summands, this.#least];
    for (let j = 0; j < least.length; j++) {
      const value = (Math.imul(factors[j]!, hash) + summands[j]!) >>> 0;
      if (value < least[j]!) least[j] = value;
    }
  }
}
