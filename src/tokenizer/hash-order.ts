// The order in which a std::unordered_map of GNU's libstdc++ lists its entries, for keys that are 64-bit numbers and their own hashes (bits/hashtable.h).
// SentencePiece 0.1.97 chooses among equally frequent pairs by it.
import { check } from "../base/index.ts";
import { grown } from "./grown.ts";

/** How many buckets the map has as it grows, by its table of primes. */
const bucketCounts = [
  13, 29, 59, 127, 257, 541, 1109, 2357, 5087, 10_273, 20_753, 42_043, 85_229, 172_933, 351_061, 712_697, 1_447_153, 2_938_679, 5_967_347,
  12_117_689, 24_607_243, 49_969_847,
];

const none = -1;
/** Stands in front of the first entry. */
const head = 0;

/**
 * A list of all entries in which those of a bucket lie together. An entry of an empty bucket goes to the front of the list, any other behind the
 * entry in front of its bucket's first.
 */
export class HashOrder {
  // One item per entry, the head first: the two halves of the key, and the next entry.
  #high = new Int32Array(1 << 12);
  #low = new Int32Array(1 << 12);
  #next = new Int32Array(1 << 12).fill(none, 0, 1);
  #entries = 1;
  /** Bucket → the entry in front of its first one. */
  #buckets = new Int32Array(1).fill(none);
  #growth = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds an entry with a key that is not there, and returns its number. Numbers go up from 1. */
  add(key: bigint): number {
    if (this.#growth === 0 || this.#size === this.#buckets.length) this.#grow();
    if (this.#entries === this.#next.length) this.#growEntries();
    const entry = this.#entries++;
    this.#high[entry] = Number(key >> 32n);
    this.#low[entry] = Number(key & 0xffffffffn);
    this.#link(entry, this.#bucketOf(entry));
    this.#size++;
    return entry;
  }

  delete(entry: number): void {
    const bucket = this.#bucketOf(entry);
    const first = this.#buckets[bucket]!;
    let before = first;
    while (this.#next[before] !== entry) before = this.#next[before]!;
    const next = this.#next[entry]!;
    const nextBucket = next === none ? none : this.#bucketOf(next);
    if (nextBucket !== bucket) {
      if (next !== none) this.#buckets[nextBucket] = before;
      if (before === first) this.#buckets[bucket] = none;
    }
    this.#next[before] = next;
    this.#size--;
  }

  /** All entries in their order. */
  listed(): Int32Array {
    const listed = new Int32Array(this.#size);
    for (let entry = this.#next[head]!, at = 0; entry !== none; entry = this.#next[entry]!) listed[at++] = entry;
    return listed;
  }

  #link(entry: number, bucket: number): void {
    const before = this.#buckets[bucket]!;
    if (before !== none) {
      this.#next[entry] = this.#next[before]!;
      this.#next[before] = entry;
      return;
    }
    const next = this.#next[head]!;
    this.#next[entry] = next;
    this.#next[head] = entry;
    if (next !== none) this.#buckets[this.#bucketOf(next)] = entry;
    this.#buckets[bucket] = head;
  }

  #grow(): void {
    const count = bucketCounts[this.#growth++];
    check(
      count !== undefined,
      "tokenizer",
      () => `mode spm-0.1.97 keeps up to ${this.#size} pairs, and this corpus has more: ask for mode spm`,
    );
    this.#buckets = new Int32Array(count).fill(none);
    let entry = this.#next[head]!;
    this.#next[head] = none;
    while (entry !== none) {
      const next = this.#next[entry]!;
      this.#link(entry, this.#bucketOf(entry));
      entry = next;
    }
  }

  #growEntries(): void {
    this.#high = grown(this.#high);
    this.#low = grown(this.#low);
    this.#next = grown(this.#next);
  }

  #bucketOf(entry: number): number {
    const count = this.#buckets.length;
    // Products stay below 2^53 as long as there are fewer than 2^26 buckets.
    return (((this.#high[entry]! >>> 0) % count) * (2 ** 32 % count) + (this.#low[entry]! >>> 0)) % count;
  }
}

/**
 * Where the `wanted` highest of `counts` stand, in no order: those that std::partial_sort of libstdc++ puts in front. It keeps a heap whose top is
 * the lowest.
 */
export function mostFrequent(counts: Float64Array, wanted: number): Int32Array {
  const heap = Int32Array.from({ length: Math.min(wanted, counts.length) }, (_, at) => at);
  for (let parent = (heap.length >> 1) - 1; parent >= 0; parent--) settle(heap, parent, heap[parent]!, counts);
  for (let at = heap.length; at < counts.length; at++) if (counts[at]! > counts[heap[0]!]!) settle(heap, 0, at, counts);
  return heap;
}

/** Moves the hole at `top` down to a leaf along the lower children, and from there up to where `item` belongs (bits/stl_heap.h). */
function settle(heap: Int32Array, top: number, item: number, counts: Float64Array): void {
  let hole = top;
  for (let child = 2 * hole + 2; child <= heap.length; child = 2 * hole + 2) {
    if (child === heap.length || counts[heap[child]!]! > counts[heap[child - 1]!]!) child--;
    heap[hole] = heap[child]!;
    hole = child;
  }
  for (let parent = (hole - 1) >> 1; hole > top && counts[heap[parent]!]! > counts[item]!; parent = (hole - 1) >> 1) {
    heap[hole] = heap[parent]!;
    hole = parent;
  }
  heap[hole] = item;
}

/** The key of a pair by those of its parts: Jenkins' mix of 1997, as SentencePiece calls it. */
export function pairKey(left: bigint, right: bigint): bigint {
  let [a, b, c] = [left, 0xe08c1d668b756f82n, right];
  for (const [down, up, last] of mixShifts) {
    a = BigInt.asUintN(64, a - b - c) ^ (c >> down);
    b = BigInt.asUintN(64, BigInt.asUintN(64, b - c - a) ^ (a << up));
    c = BigInt.asUintN(64, c - a - b) ^ (b >> last);
  }
  return c;
}

const mixShifts = [
  [43n, 9n, 8n],
  [38n, 23n, 5n],
  [35n, 49n, 11n],
  [12n, 18n, 22n],
] as const;
