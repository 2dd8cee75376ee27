// SHA-256 (FIPS 180-4) for rooms that run anywhere: a browser has it for secure pages and asynchronously alone.

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes (section 4.2.2), and of the square roots of the first 8 (5.3.3). */
const { constants, initial } = (() => {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p !== 0)) primes.push(n);
  const fraction = (root: number) => Math.floor((root - Math.floor(root)) * 2 ** 32) | 0;
  return {
    constants: Int32Array.from(primes, (p) => fraction(Math.cbrt(p))),
    initial: Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p))),
  };
})();

const blockBytes = 64;

/** A hash of bytes that come in parts. */
export class Sha256 {
  readonly #state = initial.slice();
  readonly #block = new Uint8Array(blockBytes);
  readonly #words = new Int32Array(64);
  #bytes = 0;

  /** @param part a text counts as its UTF-8 */
  update(part: Uint8Array | string): this {
    const bytes = typeof part === "string" ? new TextEncoder().encode(part) : part;
    let at = 0;
    while (at < bytes.length) {
      const filled = this.#bytes % blockBytes;
      const more = Math.min(blockBytes - filled, bytes.length - at);
      if (more === blockBytes) this.#compress(bytes, at);
      else {
        this.#block.set(bytes.subarray(at, at + more), filled);
        if (filled + more === blockBytes) this.#compress(this.#block, 0);
      }
      at += more;
      this.#bytes += more;
    }
    return this;
  }

  /** The 32 bytes of the hash. Nothing may be added afterwards. */
  digest(): Uint8Array {
    const bits = this.#bytes * 8;
    const zeros = (2 * blockBytes - 9 - (this.#bytes % blockBytes)) % blockBytes;
    const padding = new Uint8Array(1 + zeros + 8);
    padding[0] = 0x80;
    new DataView(padding.buffer).setBigUint64(1 + zeros, BigInt(bits));
    this.update(padding);
    const out = new DataView(new ArrayBuffer(32));
    for (const [i, word] of this.#state.entries()) out.setInt32(4 * i, word);
    return new Uint8Array(out.buffer);
  }

  hexDigest(): string {
    return hexOf(this.digest());
  }

  /** One block into the state (section 6.2.2). */
  #compress(bytes: Uint8Array, at: number): void {
    const w = this.#words;
    for (let i = 0, p = at; i < 16; i++, p += 4) w[i] = (bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!;
    for (let i = 16; i < 64; i++) {
      const [x, y] = [w[i - 15]!, w[i - 2]!];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0;
    }
    const state = this.#state;
    let [a, b, c, d] = [state[0]!, state[1]!, state[2]!, state[3]!];
    let [e, f, g, h] = [state[4]!, state[5]!, state[6]!, state[7]!];
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + constants[i]! + w[i]!) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    state[0]! += a;
    state[1]! += b;
    state[2]! += c;
    state[3]! += d;
    state[4]! += e;
    state[5]! += f;
    state[6]! += g;
    state[7]! += h;
  }
}

/** Bytes as lower-case hexadecimal digits. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Bytes of hexadecimal digits, two each. */
export function bytesOfHex(digits: string): Uint8Array {
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}
