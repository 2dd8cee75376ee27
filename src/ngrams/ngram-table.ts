// All n-grams of one order of which more is asked than of single words.
import type { HashHalves } from "./ngram-hash.ts";

/** Hashes of n-grams that are looked up together, and where they are found. */
export interface Lookups {
  readonly low: Int32Array;
  readonly high: Int32Array;
  /** Where each entry is, or -1 where there is none. */
  readonly places: Int32Array;
  /** How many of them count. */
  readonly size: number;
  /** What was read of memory ahead of the search, so that the compiler keeps the reading. */
  touched: number;
}

/** Finds n-grams by their hashes. */
export interface NgramTable {
  /** N-grams that are in it. */
  readonly size: number;
  /** Bytes of memory. */
  readonly bytes: number;
  /** Where the entry of a hash is, or -1 where there is none. */
  find(hash: HashHalves): number;
  /** The same for many hashes. Memory is read for all of them before any is compared, so that the processor waits for many reads at a time. */
  findAll(lookups: Lookups): void;
  /** The log10 of an entry's probability. */
  probability(at: number): number;
  /** Whether some longer n-gram of the model ends with this one. */
  isExtended(at: number): boolean;
  /** The log10 of the weight of what stands behind this n-gram where no longer one is known; -0 where nothing does. */
  backoff(at: number): number;
}
