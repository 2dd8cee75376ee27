// How often each word stands in a corpus.
import { flat } from "./word-cache.ts";

export class WordCounter {
  readonly #index = new Map<string, number>();
  #counts = new Float64Array(1 << 16);

  get size(): number {
    return this.#index.size;
  }

  add(word: string): void {
    const at = this.#index.get(word);
    if (at !== undefined) {
      this.#counts[at]!++;
      return;
    }
    const size = this.#index.size;
    if (size === this.#counts.length) {
      const larger = new Float64Array(size * 2);
      larger.set(this.#counts);
      this.#counts = larger;
    }
    this.#counts[size] = 1;
    this.#index.set(flat(word), size);
  }

  /** Words with their counts, in the order they were first seen. */
  *[Symbol.iterator](): Generator<[word: string, count: number]> {
    for (const [word, at] of this.#index) yield [word, this.#counts[at]!];
  }
}
