// Characters as bytes: a set of code points becomes sequences of byte ranges (the method of Ken Thompson's grep and of RE2's compiler).
import type { CodePoints } from "../regex/index.ts";

/** A range of bytes, first and last. */
export type ByteRange = readonly [first: number, last: number];

const surrogates = [0xd800, 0xdfff] as const;

/** The largest code points of 1, 2, 3 and 4 bytes. */
const largest = [0x7f, 0x7ff, 0xffff, 0x10ffff];

/** Sequences of byte ranges whose texts are the UTF-8 of the set's characters; halves of surrogate pairs have none. */
export function utf8Ranges(set: CodePoints): ByteRange[][] {
  const found: ByteRange[][] = [];
  for (const [first, last] of set) {
    if (first < surrogates[0]) split(first, Math.min(last, surrogates[0] - 1), found);
    if (last > surrogates[1]) split(Math.max(first, surrogates[1] + 1), last, found);
  }
  return found;
}

/** Cuts a range where the number of bytes changes, and then where it is no rectangle of bytes. */
function split(first: number, last: number, found: ByteRange[][]): void {
  for (const limit of largest) if (first <= limit && last > limit) return cut(first, limit, last, found);
  const bytes = largest.findIndex((limit) => last <= limit) + 1;
  for (let tail = 1; tail < bytes; tail++) {
    const mask = 2 ** (6 * tail) - 1;
    if (Math.floor(first / (mask + 1)) === Math.floor(last / (mask + 1))) continue;
    if ((first & mask) !== 0) return cut(first, first | mask, last, found);
    if ((last & mask) !== mask) return cut(first, (last | mask) - mask - 1, last, found);
  }
  const low = encode(first, bytes);
  const high = encode(last, bytes);
  found.push(low.map((byte, i) => [byte, high[i]!]));
}

function cut(first: number, middle: number, last: number, found: ByteRange[][]): void {
  split(first, middle, found);
  split(middle + 1, last, found);
}

function encode(point: number, bytes: number): number[] {
  if (bytes === 1) return [point];
  const tail = Array.from({ length: bytes - 1 }, (_, i) => 0x80 | ((point >> (6 * (bytes - 2 - i))) & 0x3f));
  return [((0xf00 >> bytes) & 0xff) | (point >> (6 * (bytes - 1))), ...tail];
}
