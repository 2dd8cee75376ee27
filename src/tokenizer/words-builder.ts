// Lays counted words out as training wants them.
import { grown, grownFloats } from "./grown.ts";
import type { Words } from "./pair-counts.ts";

/** Collects words as symbols, with their counts. */
export class WordsBuilder {
  #symbols = new Int32Array(1 << 12).fill(-1, 0, 1);
  #size = 1;
  #counts = new Float64Array(1 << 10);
  #words = 0;

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
