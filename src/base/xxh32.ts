// XXH32 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md), LZ4's checksum, and a hash of datatrove's.
import { Stripes } from "./stripes.ts";

const primes = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1] as const;
const [p1, p2, p3, p4, p5] = primes;
const stripe = 16;

/** A hash of bytes that come in pieces. */
export class Xxh32 {
  readonly #lanes = Int32Array.of(p1 + p2, p2, 0, -p1);
  readonly #stripes = new Stripes(stripe);
  #bytes = 0;

  update(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    const lanes = this.#lanes;
    this.#stripes.add(bytes, (whole, from, to) => {
      for (let at = from; at < to; at += stripe)
        for (let lane = 0; lane < 4; lane++) lanes[lane] = round(lanes[lane]!, word(whole, at + 4 * lane));
    });
  }

  digest(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#lanes;
    let hash = this.#bytes < stripe ? p5 : rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    hash = (hash + this.#bytes) | 0;
    const { rest } = this.#stripes;
    let at = 0;
    for (; at + 4 <= rest.length; at += 4) hash = Math.imul(rotate((hash + Math.imul(word(rest, at), p3)) | 0, 17), p4);
    for (; at < rest.length; at++) hash = Math.imul(rotate((hash + Math.imul(rest[at]!, p5)) | 0, 11), p1);
    hash = Math.imul(hash ^ (hash >>> 15), p2);
    hash = Math.imul(hash ^ (hash >>> 13), p3);
    return (hash ^ (hash >>> 16)) >>> 0;
  }
}

/** The hash of bytes that are all there. */
export function xxh32(bytes: Uint8Array): number {
  const hash = new Xxh32();
  hash.update(bytes);
  return hash.digest();
}

function round(lane: number, value: number): number {
  return Math.imul(rotate((lane + Math.imul(value, p2)) | 0, 13), p1);
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
