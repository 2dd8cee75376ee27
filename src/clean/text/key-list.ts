// Keys of documents: hashes of 64 bits as two halves, because numbers of JavaScript hold 53 and BigInts are slow.

import { finalised } from "../../base/index.ts";

/** A list of keys that grows. */
export class KeyList {
  /** Lower and upper half of each key, in turns. */
  #halves = new Uint32Array(1 << 10);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The halves of all keys, in turns: 2 · `count` numbers, as they are until more keys come. */
  get halves(): Uint32Array {
    return this.#halves.subarray(0, 2 * this.#count);
  }

  add(low: number, high: number): void {
    if (2 * this.#count === this.#halves.length) {
      const grown = new Uint32Array(2 * this.#halves.length);
      grown.set(this.#halves);
      this.#halves = grown;
    }
    this.#halves[2 * this.#count] = low;
    this.#halves[2 * this.#count + 1] = high;
    this.#count++;
  }

  clear(): void {
    this.#count = 0;
  }
}

/**
 * A hash of 64 bits over UTF-16 units, made one unit at a time: two streams of 32 bits with different factors, mixed at the end by the finaliser of
 * MurmurHash3 (Appleby). Equal texts have equal hashes on every machine.
 */
export class UnitHash {
  #low = 0xdeadbeef | 0;
  #high = 0x41c6ce57 | 0;

  unit(unit: number): void {
    this.#low = Math.imul(this.#low ^ unit, 0x9e3779b1);
    this.#high = Math.imul(this.#high ^ unit, 0x5f356495);
  }

  /** Gives the key to a list and begins anew. */
  end(keys: KeyList): void {
    const [low, high] = [this.#low, this.#high];
    keys.add(finalised(low ^ (high >>> 13)) >>> 0, finalised(high ^ (low >>> 11)) >>> 0);
    [this.#low, this.#high] = [0xdeadbeef | 0, 0x41c6ce57 | 0];
  }
}
