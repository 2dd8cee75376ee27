// The n-grams of one order in lines of 64 bytes, as the processor's cache has them, so that nearly every search reads one of them. A line has eight entries:
//
//   | fingerprint u32, 0 where there is none | x prob weight |       x: 1 bit, whether no longer n-gram of the model ends with this one
//                                                                   prob: 15 bits, log10 of the probability without its sign, a half float
//                                                                   weight: 16 bits, log10 of the back-off weight, a half float
//
// The longest n-grams have the log10 of the probability as a float32 in the place of the last three. A hash gives the line and the fingerprint; what finds a
// line full is in the next one. Entries fill a line from its beginning, so that a search ends at the first free place.
import { float16Value } from "../base/index.ts";
import type { HashHalves } from "./ngram-hash.ts";
import type { Lookups, NgramTable } from "./ngram-table.ts";

/** 32-bit words of a line, two for each entry. */
export const lineWords = 16;
/** Entries of a line. */
export const lineEntries = lineWords / 2;
/** Entries of a line in the mean. */
const meanEntries = 6;
/** Lines behind those that hashes give, at most. */
const mostSpareLines = 64;

/** How many lines hashes give for so many n-grams, and how many there are behind these for what finds the last ones full. */
export function linesFor(size: number): { readonly lines: number; readonly spare: number } {
  const lines = Math.max(1, Math.ceil(size / meanEntries));
  return { lines, spare: Math.min(lines, mostSpareLines) };
}

/** The line of a hash among so many. */
export function lineOf(low: number, high: number, lines: number): number {
  const first = Math.imul(high ^ Math.imul(low, 0x9e3779b1), 0x85ebca6b);
  const mixed = Math.imul(first ^ (first >>> 15), 0xc2b2ae35);
  return Math.floor(((mixed ^ (mixed >>> 16)) >>> 0) * (lines * 2 ** -32));
}

/** What tells an n-gram from others of its line, a signed number that is not 0. */
export function fingerprintOf(low: number): number {
  return low === 0 ? 1 : low;
}

/** The values of all half floats, by their bits. */
let halves: Float32Array | undefined;

/** A table that is used where it lies. */
export class LineTable implements NgramTable {
  readonly size: number;
  readonly #bits: Int32Array;
  readonly #values: Float32Array;
  readonly #lines: number;
  readonly #isLongest: boolean;
  readonly #halves: Float32Array;

  /** @param bits the lines of {@link linesFor} so many n-grams, the last place of which is free */
  constructor(bits: Int32Array, size: number, isLongest: boolean) {
    [this.#bits, this.size, this.#isLongest] = [bits, size, isLongest];
    this.#values = new Float32Array(bits.buffer, bits.byteOffset, bits.length);
    this.#lines = linesFor(size).lines;
    halves ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => float16Value(bits));
    this.#halves = halves;
  }

  get bytes(): number {
    return this.#bits.byteLength;
  }

  find({ low, high }: HashHalves): number {
    return search(this.#bits, lineOf(low, high, this.#lines), fingerprintOf(low));
  }

  findAll(lookups: Lookups): void {
    const { low, high, places, size } = lookups;
    const [bits, lines] = [this.#bits, this.#lines];
    let touched = 0;
    for (let i = 0; i < size; i++) {
      const line = lineOf(low[i]!, high[i]!, lines);
      places[i] = line;
      touched ^= bits[line * lineWords]!;
    }
    lookups.touched = touched;
    for (let i = 0; i < size; i++) places[i] = search(bits, places[i]!, fingerprintOf(low[i]!));
  }

  probability(at: number): number {
    return this.#isLongest ? this.#values[at + 1]! : -this.#halves[(this.#bits[at + 1]! >>> 16) & 0x7fff]!;
  }

  isExtended(at: number): boolean {
    return this.#bits[at + 1]! >= 0;
  }

  backoff(at: number): number {
    return this.#halves[this.#bits[at + 1]! & 0xffff]!;
  }
}

/** The place of a fingerprint from a line on, or -1. */
function search(bits: Int32Array, line: number, fingerprint: number): number {
  for (let at = line * lineWords; ; at += 2) {
    const other = bits[at];
    if (other === fingerprint) return at;
    if (other === 0) return -1;
  }
}
