// numpy's `RandomState` (the Mersenne Twister MT19937: Matsumoto & Nishimura 1998), whose numbers below a bound of 64 bits datatrove's functions are made of.
import type { Halves } from "./sim-hash.ts";

const size = 624;
const shift = 397;

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
  belowMersenne61(least: number): Readonly<Halves> {
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
