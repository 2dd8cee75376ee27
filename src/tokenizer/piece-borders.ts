// Where text may be cut without changing any id: between two characters that stand side by side in no piece, so that no merge reaches across.
import type { NextUnit } from "./unit-cache.ts";
import { pointAt, widthOf } from "./utf8-bits.ts";

const space = 0x20;
const spaceMarkPoint = 0x2581;
/** How many pairs of characters have a bit of their own, as a power of two. */
export const filterBits = 18;

/** Says between which characters a text may be cut. */
export class PieceBorders {
  /** `left << 7 | right` of two ASCII characters → 1 where a piece has them side by side. */
  readonly #ascii = new Uint8Array(1 << 14);
  /** A bit per pair of other characters, by a hash: a pair that shares its bit with another one is not cut, which costs time and no id. */
  readonly #others = new Int32Array(1 << (filterBits - 5));
  readonly #markIsSpace: boolean;

  /** @param markIsSpace a ▁ of the text is a space */
  constructor(markIsSpace: boolean) {
    this.#markIsSpace = markIsSpace;
  }

  /** Takes a piece, `bytes[from … to)`, with spaces as text has them. */
  add(bytes: Uint8Array, from: number, to: number): void {
    let left = -1;
    for (let at = from; at < to; at += widthOf(bytes[at]!)) {
      const right = pointAt(bytes, at);
      if (left >= 0) this.#mark(left, right);
      left = right;
    }
  }

  #mark(left: number, right: number): void {
    if ((left | right) < 0x80) this.#ascii[(left << 7) | right] = 1;
    const bit = hashOfPair(left, right);
    this.#others[bit >>> 5] = this.#others[bit >>> 5]! | (1 << (bit & 31));
  }

  #sign(point: number): number {
    return point === spaceMarkPoint && this.#markIsSpace ? space : point;
  }

  /** Whether no piece has the characters that begin at `left` and at `right` side by side. */
  divide(bytes: Uint8Array, left: number, right: number): boolean {
    const bit = hashOfPair(this.#sign(pointAt(bytes, left)), this.#sign(pointAt(bytes, right)));
    return ((this.#others[bit >>> 5]! >>> (bit & 31)) & 1) === 0;
  }

  /** Finds the first place behind `at` where text may be cut. */
  get next(): NextUnit {
    const ascii = this.#ascii;
    const others = this.#others;
    return (bytes, at, end) => {
      let i = at;
      let left = bytes[i]!;
      if (left < 0x80) i++;
      else {
        left = this.#sign(pointAt(bytes, i));
        i += widthOf(bytes[i]!);
      }
      while (i < end) {
        const byte = bytes[i]!;
        if ((left | byte) < 0x80) {
          if (ascii[(left << 7) | byte] === 0) return i;
          left = byte;
          i++;
          continue;
        }
        const right = byte < 0x80 ? byte : this.#sign(pointAt(bytes, i));
        const bit = hashOfPair(left, right);
        if (((others[bit >>> 5]! >>> (bit & 31)) & 1) === 0) return i;
        left = right;
        i += widthOf(byte);
      }
      return end;
    };
  }
}

/** Which bit of `2 ** filterBits` stands for two characters side by side. */
export function hashOfPair(left: number, right: number): number {
  return (Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)) >>> (32 - filterBits);
}
