// The rows of buckets, of which a quantised model keeps those that say most.
import { finalised } from "../base/index.ts";

/** The rows of the buckets that were kept, in a table of numbers, which is looked up some times faster than a Map; or those of all, which are their numbers. */
export class BucketRows {
  /**
   * Whether a bucket may have been kept, a bit for each, modulo as many as there are. Most were not, and this is small enough for a near cache: 16 bits per
   * row, of which one in sixteen is set.
   */
  readonly bits: Int32Array;
  /** Bucket and row of each place, in turns; buckets are counted from 1, as 0 is a free place. At most half of the places are taken. */
  readonly #places: Int32Array;
  readonly #mask: number;
  readonly #hasAll: boolean;

  /** @param rows by buckets; undefined where all were kept */
  constructor(rows: ReadonlyMap<number, number> | undefined) {
    this.#hasAll = rows === undefined;
    const places = 2 ** Math.ceil(Math.log2(2 * (rows?.size ?? 0) + 4));
    this.#places = new Int32Array(2 * places);
    this.#mask = places - 1;
    this.bits = new Int32Array(places / 4).fill(this.#hasAll ? -1 : 0);
    for (const [bucket, row] of rows ?? []) {
      const at = 2 * this.#placeOf(bucket + 1);
      [this.#places[at], this.#places[at + 1]] = [bucket + 1, row];
      this.bits[(bucket >>> 5) & (this.bits.length - 1)]! |= 1 << bucket;
    }
  }

  /** The row of a bucket; -1 where it was not kept. */
  of(bucket: number): number {
    if (this.#hasAll) return bucket;
    const at = 2 * this.#placeOf(bucket + 1);
    return this.#places[at] === 0 ? -1 : this.#places[at + 1]!;
  }

  #placeOf(key: number): number {
    let place = finalised(key) & this.#mask;
    while (this.#places[2 * place] !== 0 && this.#places[2 * place] !== (key | 0)) place = (place + 1) & this.#mask;
    return place;
  }
}
