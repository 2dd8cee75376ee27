// The functions that datatrove's MinHash takes the least values of (0.10.1, pipeline/dedup/minhash.py), in halves of 32 bits.
import { upper32 } from "../../base/index.ts";
import { NumpyRandom } from "./numpy-random.ts";
import type { Halves } from "./sim-hash.ts";

/** Functions x → (a · x + b modulo 2^64) modulo 2^61 − 1, as datatrove's MinhashDedupSignature has them: its product is not modulo 2^61 − 1. */
export class MersenneFunctions {
  readonly count: number;
  /** Lower and upper half of factor and summand of each, in turns. */
  readonly #numbers: Uint32Array;

  /** @param seed of {@link NumpyRandom}; all factors are drawn first */
  constructor(count: number, seed: number) {
    this.count = count;
    const random = new NumpyRandom(seed);
    this.#numbers = new Uint32Array(4 * count);
    for (const [offset, least] of [
      [0, 1],
      [2, 0],
    ] as const)
      for (let i = 0; i < count; i++) {
        const { low, high } = random.belowMersenne61(least);
        this.#numbers.set([low, high], 4 * i + offset);
      }
  }

  /** Lowers each value to that of x where it is less. @param values upper and lower half of each, in turns @param isShort whether only lower halves count */
  lower(values: Uint32Array, { low: xLow, high: xHigh }: Readonly<Halves>, isShort: boolean): void {
    const numbers = this.#numbers;
    for (let i = 0; i < this.count; i++) {
      const [aLow, aHigh, bLow, bHigh] = [numbers[4 * i]!, numbers[4 * i + 1]!, numbers[4 * i + 2]!, numbers[4 * i + 3]!];
      const sum = (Math.imul(xLow, aLow) >>> 0) + bLow;
      const carry = sum > 0xffffffff ? 1 : 0;
      const top = (upper32(xLow, aLow) + Math.imul(xLow, aHigh) + Math.imul(xHigh, aLow) + bHigh + carry) >>> 0;
      // 2^61 is 1 modulo 2^61 − 1: the top three bits are added to the others.
      let low = (sum >>> 0) + (top >>> 29);
      let high = top & 0x1fffffff;
      if (low > 0xffffffff) [low, high] = [low - 2 ** 32, high + 1];
      if (high === 0x20000000) [low, high] = [low + 1, 0];
      else if (high === 0x1fffffff && low === 0xffffffff) [low, high] = [0, 0];
      if (isShort) high = 0;
      if (high < values[2 * i]! || (high === values[2 * i]! && low < values[2 * i + 1]!)) {
        values[2 * i] = high;
        values[2 * i + 1] = low;
      }
    }
  }
}
