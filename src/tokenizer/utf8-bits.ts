// Characters of UTF-8 and the bits of their classes (char-bits.ts), for scanners that work on bytes. The bytes are valid.
import { bitsOfPoint, unitBits } from "./char-bits.ts";

/** The table of `unitBits`, which scanners ask for at every word: the call by itself was 4 % of encoding. */
let table: Uint16Array | undefined;

/** Bytes of the character that begins with `first`. */
export function widthOf(first: number): number {
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/** The code point of the character that begins at `at`. */
export function pointAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return first;
  if (first < 0xe0) return ((first & 0x1f) << 6) | (bytes[at + 1]! & 0x3f);
  if (first < 0xf0) return ((first & 0x0f) << 12) | ((bytes[at + 1]! & 0x3f) << 6) | (bytes[at + 2]! & 0x3f);
  return ((first & 0x07) << 18) | ((bytes[at + 1]! & 0x3f) << 12) | ((bytes[at + 2]! & 0x3f) << 6) | (bytes[at + 3]! & 0x3f);
}

/** Writes a character at `at`. @returns the place behind it */
export function writePoint(point: number, bytes: Uint8Array, at: number): number {
  if (point < 0x80) {
    bytes[at] = point;
    return at + 1;
  }
  const width = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  for (let i = width - 1, rest = point; i > 0; i--, rest >>= 6) bytes[at + i] = 0x80 | (rest & 0x3f);
  bytes[at] = ((0xf00 >> width) & 0xff) | (point >> (6 * (width - 1)));
  return at + width;
}

function madeTable(): Uint16Array {
  table = unitBits();
  return table;
}

/** The bits of the character at a position; 0 where none is. */
export function bitsAt(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return 0;
  const first = bytes[at]!;
  const units = table ?? madeTable();
  if (first < 0x80) return units[first]!;
  const point = pointAt(bytes, at);
  return point < 0x10000 ? units[point]! : bitsOfPoint(point);
}

/** The position behind all characters that have one of the bits. */
export function skipBits(bytes: Uint8Array, at: number, end: number, bits: number): number {
  const units = table ?? madeTable();
  let i = at;
  while (i < end) {
    const first = bytes[i]!;
    if (first < 0x80) {
      if ((units[first]! & bits) === 0) return i;
      i++;
    } else if (first < 0xe0) {
      if ((units[((first & 0x1f) << 6) | (bytes[i + 1]! & 0x3f)]! & bits) === 0) return i;
      i += 2;
    } else if (first < 0xf0) {
      if ((units[((first & 0x0f) << 12) | ((bytes[i + 1]! & 0x3f) << 6) | (bytes[i + 2]! & 0x3f)]! & bits) === 0) return i;
      i += 3;
    } else {
      if ((bitsOfPoint(pointAt(bytes, i)) & bits) === 0) return i;
      i += 4;
    }
  }
  return i;
}

/** The position behind all characters that have none of the bits. */
export function skipOthers(bytes: Uint8Array, at: number, end: number, bits: number): number {
  const units = table ?? madeTable();
  let i = at;
  while (i < end) {
    const first = bytes[i]!;
    if (first < 0x80) {
      if ((units[first]! & bits) !== 0) return i;
      i++;
    } else {
      if ((bitsAt(bytes, i, end) & bits) !== 0) return i;
      i += widthOf(first);
    }
  }
  return i;
}
