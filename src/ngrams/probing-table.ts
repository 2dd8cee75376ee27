// The n-grams of one order as a hash table with linear probing, which is laid out as KenLM's are (kpu/kenlm, util/probing_hash_table.hh), so that a file's
// table is used where it lies. An entry is
//
//   | hash, low u32 | hash, high u32 | log10 of the probability f32 | log10 of the back-off weight f32, except of the longest n-grams |
//
// and the hash 0 is that of no entry. The probability's sign bit says that no longer n-gram of the model ends with this one, so that a search may end.
import { fail } from "../base/index.ts";
import type { HashHalves } from "./ngram-hash.ts";
import type { Lookups, NgramTable } from "./ngram-table.ts";

/** The numbers of an entry: with a back-off weight, and without one. */
export type EntryLength = 4 | 3;

/** The share of a table's buckets that entries take at most, before it grows. */
const mostFull = 0.8;
/** Buckets of a table that grows, at first. */
const firstBuckets = 1 << 10;
/** Buckets beyond which places do not fit into 32 bits. */
const mostBuckets = 2 ** 29;

/** A table of n-grams by their whole hashes, which may grow. */
export class ProbingTable implements NgramTable {
  readonly length: EntryLength;
  /** Entries that are in it. */
  size: number;
  #bits: Int32Array;
  #values: Float32Array;
  #buckets: number;

  private constructor(length: EntryLength, bits: Int32Array, size: number) {
    this.length = length;
    this.size = size;
    this.#bits = bits;
    this.#values = new Float32Array(bits.buffer, bits.byteOffset, bits.length);
    this.#buckets = bits.length / length;
  }

  /** An empty table that grows. */
  static empty(length: EntryLength): ProbingTable {
    return new ProbingTable(length, new Int32Array(firstBuckets * length), 0);
  }

  /** A table of so many n-grams that lies in bytes which begin at a multiple of four. */
  static over(bytes: Uint8Array, length: EntryLength, size: number): ProbingTable {
    const buckets = bytes.length / (4 * length);
    if (buckets > mostBuckets)
      fail(
        "ngrams",
        `a table of ${buckets} places is more than the ${mostBuckets} that are read: make the file again as a trie (build_binary trie)`,
      );
    return new ProbingTable(length, new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4), size);
  }

  /** Bytes of memory. */
  get bytes(): number {
    return this.#bits.byteLength;
  }

  /** Whether a bucket is empty, without which a search would not end. */
  get hasSpace(): boolean {
    const [bits, length] = [this.#bits, this.length];
    for (let at = 0; at < bits.length; at += length) if (bits[at] === 0 && bits[at + 1] === 0) return true;
    return false;
  }

  find({ low, high }: HashHalves): number {
    return this.#search(this.#bucketOf(low, high) * this.length, low, high);
  }

  findAll(lookups: Lookups): void {
    const { low, high, places, size } = lookups;
    const [bits, length] = [this.#bits, this.length];
    let touched = 0;
    for (let i = 0; i < size; i++) {
      const at = this.#bucketOf(low[i]!, high[i]!) * length;
      places[i] = at;
      touched ^= bits[at]!;
    }
    lookups.touched = touched;
    for (let i = 0; i < size; i++) places[i] = this.#search(places[i]!, low[i]!, high[i]!);
  }

  /** Where the entry of a hash begins that is not in the table yet; its values are 0. */
  insert({ low, high }: HashHalves): number {
    if ((this.size + 1) / this.#buckets > mostFull) this.#grow();
    this.size++;
    return this.#place(low, high);
  }

  probability(at: number): number {
    return -Math.abs(this.#values[at + 2]!);
  }

  isExtended(at: number): boolean {
    return this.#bits[at + 2]! >= 0;
  }

  /** Says that a longer n-gram ends with this one. */
  markExtended(at: number): void {
    this.#bits[at + 2]! &= 0x7fffffff;
  }

  /** @param value at most 0. A longer n-gram that ends with this one is not known of yet. */
  setProbability(at: number, value: number): void {
    this.#values[at + 2] = value;
    this.#bits[at + 2]! |= 0x80000000;
  }

  backoff(at: number): number {
    return this.#values[at + 3]!;
  }

  setBackoff(at: number, value: number): void {
    this.#values[at + 3] = value;
  }

  /** Buckets that are taken: KenLM's files have n-grams, filled in where longer ones need them, beyond those that they count. */
  get taken(): number {
    const [bits, length] = [this.#bits, this.length];
    let taken = 0;
    for (let at = 0; at < bits.length; at += length) if (bits[at] !== 0 || bits[at + 1] !== 0) taken++;
    return taken;
  }

  /** The hashes of all entries, and where each is. An entry holds until the next one. */
  *entries(): Generator<HashHalves & { readonly at: number }> {
    const [bits, length, entry] = [this.#bits, this.length, { low: 0, high: 0, at: 0 }];
    for (let at = 0; at < bits.length; at += length) {
      [entry.low, entry.high, entry.at] = [bits[at]!, bits[at + 1]!, at];
      if (entry.low !== 0 || entry.high !== 0) yield entry;
    }
  }

  #search(from: number, low: number, high: number): number {
    const [bits, length] = [this.#bits, this.length];
    for (let at = from; ; at = at + length === bits.length ? 0 : at + length) {
      if (bits[at] === low && bits[at + 1] === high) return at;
      if (bits[at] === 0 && bits[at + 1] === 0) return -1;
    }
  }

  #place(low: number, high: number): number {
    const [bits, length] = [this.#bits, this.length];
    let at = this.#bucketOf(low, high) * length;
    while (bits[at] !== 0 || bits[at + 1] !== 0) at = at + length === bits.length ? 0 : at + length;
    bits[at] = low;
    bits[at + 1] = high;
    return at;
  }

  #grow(): void {
    const [old, length] = [this.#bits, this.length];
    const buckets = 2 * this.#buckets;
    if (buckets > mostBuckets)
      fail("ngrams", `${this.size} n-grams of one order are more than a table of ${mostBuckets} places holds: prune the model`);
    this.#bits = new Int32Array(buckets * length);
    this.#values = new Float32Array(this.#bits.buffer);
    this.#buckets = buckets;
    for (let from = 0; from < old.length; from += length) {
      if (old[from] === 0 && old[from + 1] === 0) continue;
      const at = this.#place(old[from]!, old[from + 1]!);
      for (let i = 2; i < length; i++) this.#bits[at + i] = old[from + i]!;
    }
  }

  /** The hash modulo the number of buckets, by sixteen bits at a time behind the upper half: a number below 2^48 is exact. */
  #bucketOf(low: number, high: number): number {
    const buckets = this.#buckets;
    const upper = remainder(((high >>> 0) % buckets) * 0x10000 + (low >>> 16), buckets);
    return remainder(upper * 0x10000 + (low & 0xffff), buckets);
  }
}

function remainder(value: number, divisor: number): number {
  return value - Math.floor(value / divisor) * divisor;
}
