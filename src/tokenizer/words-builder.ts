// Lays counted words out as MergeLearner wants them.
import type { Words } from "./learn-merges.ts";
import { grown } from "./pair-index.ts";

export class WordsBuilder {
  #symbols = new Int32Array(1 << 16);
  #size = 0;
  readonly #counts: number[] = [];

  push(symbol: number): void {
    if (this.#size === this.#symbols.length) this.#symbols = grown(this.#symbols);
    this.#symbols[this.#size++] = symbol;
  }

  /** Ends a word; one without symbols is no word. */
  close(count: number): void {
    if (this.#size === 0 || this.#symbols[this.#size - 1] === -1) return;
    this.push(-1);
    this.#counts.push(count);
  }

  build(): Words {
    return { symbols: this.#symbols.slice(0, this.#size), counts: Float64Array.from(this.#counts) };
  }
}
