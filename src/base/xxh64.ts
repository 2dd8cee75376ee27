// XXH64 (Collet, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md) in 32-bit halves: BigInt would be slower than the decompression whose
// result it checks.
import { Stripes } from "./stripes.ts";
import { upper32 } from "./upper32.ts";

/** The five primes of the specification as [high, low]. */
const prime1 = [0x9e3779b1, 0x85ebca87] as const;
const prime2 = [0xc2b2ae3d, 0x27d4eb4f] as const;
const prime3 = [0x165667b1, 0x9e3779f9] as const;
const prime4 = [0x85ebca77, 0xc2b2ae63] as const;
const prime5 = [0x27d4eb2f, 0x165667c5] as const;
type Word = readonly [high: number, low: number];

const stripe = 32;

/** A streaming XXH64 with seed 0. */
export class Xxh64 {
  /** Four accumulators of 64 bits: high and low halves in turn. */
  readonly #lanes = new Int32Array(8);
  /** Bytes that wait for a whole stripe of 32. */
  readonly #stripes = new Stripes(stripe);
  #length = 0;

  constructor() {
    const [first, fourth] = [add(prime1, prime2), subtract([0, 0], prime1)];
    this.#lanes.set([...first, ...prime2, 0, 0, ...fourth]);
  }

  update(bytes: Uint8Array): void {
    this.#length += bytes.length;
    this.#stripes.add(bytes, (whole, from, to) => this.#take(whole, from, to));
  }

  /** The lower 32 bits of the hash of everything so far, which Zstandard stores. */
  low32(): number {
    return this.digest().low;
  }

  /** Both halves of the hash of everything so far, without signs. */
  digest(): { readonly low: number; readonly high: number } {
    const lane = (i: number): Word => [this.#lanes[2 * i]!, this.#lanes[2 * i + 1]!];
    let hash: Word = prime5;
    if (this.#length >= stripe) {
      hash = add(add(rotate(lane(0), 1), rotate(lane(1), 7)), add(rotate(lane(2), 12), rotate(lane(3), 18)));
      for (let i = 0; i < 4; i++) hash = add(multiply(exclusiveOr(hash, round([0, 0], lane(i))), prime1), prime4);
    }
    hash = add(hash, [Math.floor(this.#length / 2 ** 32) | 0, this.#length | 0]);
    const [high, low] = avalanche(this.#mixRest(hash));
    return { low: low >>> 0, high: high >>> 0 };
  }

  #mixRest(start: Word): Word {
    const { rest } = this.#stripes;
    const view = new DataView(rest.buffer);
    let hash = start;
    let at = 0;
    for (; at + 8 <= rest.length; at += 8) {
      const word = round([0, 0], [view.getInt32(at + 4, true), view.getInt32(at, true)]);
      hash = add(multiply(rotate(exclusiveOr(hash, word), 27), prime1), prime4);
    }
    if (at + 4 <= rest.length) {
      hash = add(multiply(rotate(exclusiveOr(hash, multiply([0, view.getInt32(at, true)], prime1)), 23), prime2), prime3);
      at += 4;
    }
    for (; at < rest.length; at++) hash = multiply(rotate(exclusiveOr(hash, multiply([0, rest[at]!], prime5)), 11), prime1);
    return hash;
  }

  /** The inner loop, without a tuple per step. */
  #take(bytes: Uint8Array, from: number, to: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const lanes = this.#lanes;
    for (let at = from; at < to; at += 8) {
      const lane = ((at - from) >> 2) & 6; // 0, 2, 4, 6: the high half's place
      // lane += input · prime2
      const [inLow, inHigh] = [view.getInt32(at, true), view.getInt32(at + 4, true)];
      const low = (lanes[lane + 1]! >>> 0) + (Math.imul(inLow, prime2[1]) >>> 0);
      const product = (upper32(inLow, prime2[1]) + Math.imul(inHigh, prime2[1]) + Math.imul(inLow, prime2[0])) | 0;
      const high = (lanes[lane]! + product + (low >= 2 ** 32 ? 1 : 0)) | 0;
      // rotated to the left by 31, times prime1
      const [rotatedHigh, rotatedLow] = [(high << 31) | (low >>> 1), (low << 31) | (high >>> 1)];
      lanes[lane + 1] = Math.imul(rotatedLow, prime1[1]);
      lanes[lane] = upper32(rotatedLow, prime1[1]) + Math.imul(rotatedHigh, prime1[1]) + Math.imul(rotatedLow, prime1[0]);
    }
  }
}

function round(accumulator: Word, input: Word): Word {
  return multiply(rotate(add(accumulator, multiply(input, prime2)), 31), prime1);
}

function avalanche(hash: Word): Word {
  const first = multiply(exclusiveOr(hash, shiftRight(hash, 33)), prime2);
  const second = multiply(exclusiveOr(first, shiftRight(first, 29)), prime3);
  return exclusiveOr(second, shiftRight(second, 32));
}

function add([aHigh, aLow]: Word, [bHigh, bLow]: Word): Word {
  const low = (aLow >>> 0) + (bLow >>> 0);
  return [(aHigh + bHigh + (low >= 2 ** 32 ? 1 : 0)) | 0, low | 0];
}

function subtract(a: Word, [high, low]: Word): Word {
  return add(a, add([~high, ~low], [0, 1]));
}

function multiply([aHigh, aLow]: Word, [bHigh, bLow]: Word): Word {
  return [(upper32(aLow, bLow) + Math.imul(aHigh, bLow) + Math.imul(aLow, bHigh)) | 0, Math.imul(aLow, bLow)];
}

function rotate([high, low]: Word, by: number): Word {
  return [(high << by) | (low >>> (32 - by)), (low << by) | (high >>> (32 - by))];
}

function shiftRight([high, low]: Word, by: number): Word {
  return by >= 32 ? [0, by === 32 ? high : high >>> (by - 32)] : [high >>> by, (low >>> by) | (high << (32 - by))];
}

function exclusiveOr([aHigh, aLow]: Word, [bHigh, bLow]: Word): Word {
  return [aHigh ^ bHigh, aLow ^ bLow];
}
