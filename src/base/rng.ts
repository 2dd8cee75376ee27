// Seeded random numbers that can be saved and resumed: xoshiro128** (Blackman & Vigna 2018), seeded by splitmix32.

/** The whole state of an {@link Rng}: four unsigned 32-bit words. */
export type RngState = readonly [number, number, number, number];

/** Deterministic on every machine; two instances with equal state give equal streams. Not for secrets. */
export class Rng {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed an integer (its low 32 bits count) or a saved state. */
  constructor(seed: number | RngState) {
    [this.#a, this.#b, this.#c, this.#d] = typeof seed === "number" ? expandSeed(seed) : seed;
  }

  get state(): RngState {
    return [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#d >>> 0];
  }

  /** Uniform integer in [0, 2^32). */
  uint32(): number {
    const result = Math.imul(rotl(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = rotl(this.#d, 11);
    return result;
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 0x4000000 + low) / 0x20000000000000;
  }

  /** Uniform integer in [0, bound), 0 < bound ≤ 2^32; unbiased by rejection. */
  below(bound: number): number {
    const limit = 0x100000000 - (0x100000000 % bound);
    for (;;) {
      const value = this.uint32();
      if (value < limit) return value % bound;
    }
  }

  /** Standard normal by Box and Muller; draws two uniforms and keeps no spare, so that the state is the whole state. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** A stream of its own for `label`, independent of how far this one has run later. */
  fork(label: string): Rng {
    let hash = 0x811c9dc5; // FNV-1a
    for (const char of label) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
    return new Rng((hash ^ this.#a ^ rotl(this.#c, 16)) >>> 0);
  }
}

function expandSeed(seed: number): RngState {
  let z = seed >>> 0;
  const next = () => {
    z = (z + 0x9e3779b9) >>> 0;
    let t = z ^ (z >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    return (t ^ (t >>> 15)) >>> 0;
  };
  return [next(), next(), next(), next()];
}

function rotl(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k));
}
