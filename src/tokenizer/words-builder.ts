// Lays counted words out as training wants them.
import { grown, grownFloats } from "./grown.ts";
import type { Words } from "./pair-counts.ts";
import type { WordCounts } from "./words/index.ts";

/** Collects words as symbols, with their counts. */
export class WordsBuilder {
  #symbols: Int32Array;
  #size = 1;
  #counts: Float64Array;
  #words = 0;

  private constructor(symbols: number, words: number) {
    this.#symbols = new Int32Array(symbols).fill(-1, 0, 1);
    this.#counts = new Float64Array(words);
  }

  /** A builder with room for words of a symbol per byte and one at the end; it grows where that does not do, which takes twice the memory. */
  static async roomFor(counts: WordCounts): Promise<WordsBuilder> {
    let [symbols, words] = [2, 1];
    for await (const block of counts.blocks()) {
      symbols += block.bytes.length + 2 * block.counts.length;
      words += block.counts.length;
    }
    return new WordsBuilder(symbols, words);
  }

  push(symbol: number): void {
    if (this.#size === this.#symbols.length) this.#symbols = grown(this.#symbols);
    this.#symbols[this.#size++] = symbol;
  }

  /** Ends a word; one without symbols is no word. */
  close(count: number): void {
    if (this.#symbols[this.#size - 1] === -1) return;
    this.push(-1);
    if (this.#words === this.#counts.length) this.#counts = grownFloats(this.#counts);
    this.#counts[this.#words++] = count;
  }

  build(): Words {
    // The room behind them was never written, so it takes no memory.
    return { symbols: this.#symbols.subarray(0, this.#size), counts: this.#counts.subarray(0, this.#words) };
  }
}
