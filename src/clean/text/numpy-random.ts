// numpy's `RandomState` (the Mersenne Twister MT19937: Matsumoto & Nishimura 1998), whose numbers below a bound of 64 bits datatrove's functions are made of.
import { upper32 } from "../../base/index.ts";

const size = 624;
const shift = 397;

/** A number of 64 bits in two halves, both without signs. */
export interface Halves {
  readonly low: number;
  readonly high: number;
}

/** The generator of `numpy.random.RandomState(seed)`. */
export class NumpyRandom {
  readonly #state = new Int32Array(size);
  #at = size;

  constructor(seed: number) {
    const state = this.#state;
    state[0] = seed;
    for (let i = 1; i < size; i++) state[i] = Math.imul(1812433253, state[i - 1]! ^ (state[i - 1]! >>> 30)) + i;
  }

  /**
   * What `randint(least, end, dtype=uint64)` gives where end is 2^61 − 1: the lower 61 bits of the next 64, drawn again where they are too large.
   * @param least 0 or 1
   */
  belowMersenne61(least: number): Halves {
    for (;;) {
      const high = this.#next() & 0x1fffffff;
      const low = this.#next();
      // The bound itself and, where 1 is added, the number below it are too large.
      if (high === 0x1fffffff && low >= 0xffffffff - least) continue;
      const sum = low + least;
      return { low: sum >>> 0, high: high + Math.floor(sum / 2 ** 32) };
    }
  }

  #next(): number {
    if (this.#at === size) this.#turn();
    let y = this.#state[this.#at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #turn(): void {
    const state = this.#state;
    for (let i = 0; i < size; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % size]! & 0x7fffffff);
      state[i] = state[(i + shift) % size]! ^ (y >>> 1) ^ ((y & 1) === 0 ? 0 : 0x9908b0df);
    }
    this.#at = 0;
  }
}

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
  lower(values: Uint32Array, { low: xLow, high: xHigh }: Halves, isShort: boolean): void {
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
