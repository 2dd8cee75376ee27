// The candidates for the next merge.
import { grown, grownFloats } from "./grown.ts";

/** A binary heap of pairs with their counts, the highest count on top; `isBefore` decides between equal counts. */
export class CandidateHeap {
  #pairs = new Int32Array(1 << 12);
  #counts = new Float64Array(1 << 12);
  #size = 0;
  readonly #isBefore: (a: number, b: number) => boolean;
  /** The count that the last popped pair was pushed with. */
  poppedCount = 0;

  constructor(isBefore: (a: number, b: number) => boolean) {
    this.#isBefore = isBefore;
  }

  clear(): void {
    this.#size = 0;
  }

  push(pair: number, count: number): void {
    if (this.#size === this.#pairs.length) {
      this.#pairs = grown(this.#pairs);
      this.#counts = grownFloats(this.#counts);
    }
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#precedes(pair, count, parent)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#pairs[at] = pair;
    this.#counts[at] = count;
  }

  /** The best pair, or -1 when empty. */
  pop(): number {
    if (this.#size === 0) return -1;
    const top = this.#pairs[0]!;
    this.poppedCount = this.#counts[0]!;
    const last = --this.#size;
    const pair = this.#pairs[last]!;
    const count = this.#counts[last]!;
    let at = 0;
    for (let child = 1; child < last; child = 2 * at + 1) {
      if (child + 1 < last && this.#precedes(this.#pairs[child + 1]!, this.#counts[child + 1]!, child)) child++;
      if (this.#precedes(pair, count, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#pairs[at] = pair;
    this.#counts[at] = count;
    return top;
  }

  #precedes(pair: number, count: number, at: number): boolean {
    const other = this.#counts[at]!;
    return count === other ? this.#isBefore(pair, this.#pairs[at]!) : count > other;
  }

  #move(from: number, to: number): void {
    this.#pairs[to] = this.#pairs[from]!;
    this.#counts[to] = this.#counts[from]!;
  }
}
