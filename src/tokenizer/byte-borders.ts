// Where a word of the bytes kind may be cut without changing an id: between two characters that no piece reaches across. Words of scripts without
// spaces are whole clauses, which hardly come twice; what lies between such places does.
import { filterBits, hashOfPair } from "./piece-borders.ts";
import type { NextUnit } from "./unit-cache.ts";
import { pointAt, widthOf } from "./utf8-bits.ts";

/** The places of a word that the pieces of a vocabulary leave free; it has learned of all pieces before the first word is cut. */
export class ByteBorders {
  /** A bit per pair of characters that a piece holds side by side, by a hash: a pair that shares its bit with another one is not cut. */
  readonly #pairs = new Int32Array(1 << (filterBits - 5));
  /** `last << 8 | first` → 1 where a piece goes from a character that ends with one byte to one that begins with the other and lacks a part of either. */
  readonly #parts = new Uint8Array(1 << 16);

  /** Takes a piece, `bytes[from … to)`. */
  add(bytes: Uint8Array, from: number, to: number): void {
    let left = -1; // where the character before begins, -1 where that is not in the piece
    for (let i = from; i < to; i++) {
      if ((bytes[i]! & 0xc0) === 0x80) continue;
      if (i > from) this.#mark(bytes, left, i, to);
      left = i;
    }
  }

  #mark(bytes: Uint8Array, left: number, right: number, end: number): void {
    const isWhole = left >= 0 && left + widthOf(bytes[left]!) === right && right + widthOf(bytes[right]!) <= end;
    if (!isWhole) this.#parts[(bytes[right - 1]! << 8) | bytes[right]!] = 1;
    else {
      const bit = hashOfPair(pointAt(bytes, left), pointAt(bytes, right));
      this.#pairs[bit >>> 5] = this.#pairs[bit >>> 5]! | (1 << (bit & 31));
    }
  }

  /** Finds the first place behind `at` where a word may be cut. */
  get next(): NextUnit {
    const pairs = this.#pairs;
    const parts = this.#parts;
    return (bytes, at, end) => {
      let left = pointAt(bytes, at);
      let i = at + widthOf(bytes[at]!);
      while (i < end) {
        const right = pointAt(bytes, i);
        const bit = hashOfPair(left, right);
        if (((pairs[bit >>> 5]! >>> (bit & 31)) & 1) === 0 && parts[(bytes[i - 1]! << 8) | bytes[i]!] === 0) return i;
        left = right;
        i += widthOf(bytes[i]!);
      }
      return end;
    };
  }
}
