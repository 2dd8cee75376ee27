// Makes blocks of counted words.
import type { WordBlock } from "./word-counts.ts";

/** A block ends with the word that reaches one of these sizes. */
const mostBytes = 1 << 18;
const mostWords = 1 << 15;

/** Collects counted words until a block is full. */
export class WordBlockBuilder {
  #bytes = new Uint8Array(mostBytes);
  readonly #ends = new Uint32Array(mostWords);
  readonly #counts = new Float64Array(mostWords);
  #used = 0;
  #size = 0;

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  get isFull(): boolean {
    return this.#size === mostWords || this.#used >= mostBytes;
  }

  push(source: Uint8Array, start: number, end: number, count: number): void {
    const to = this.#used + end - start;
    if (to > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, to));
      larger.set(this.#bytes.subarray(0, this.#used));
      this.#bytes = larger;
    }
    for (let at = start; at < end; at++) this.#bytes[this.#used++] = source[at]!;
    this.#ends[this.#size] = to;
    this.#counts[this.#size++] = count;
  }

  /** The words since the last block. */
  take(): WordBlock {
    const block = {
      bytes: this.#bytes.slice(0, this.#used),
      ends: this.#ends.slice(0, this.#size),
      counts: this.#counts.slice(0, this.#size),
    };
    this.#used = 0;
    this.#size = 0;
    return block;
  }
}
