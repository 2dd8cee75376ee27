// Blocks of 32 values that share a scale d, some a minimum m too (ggml-quants.c, and gguf-py's quants.py, whose bits these are). Every operation is
// rounded to float32, as there.
//
//   q8_0 | d f16 | q i8[32] |                                  d · q
//   q4_0 | d f16 | q u4[32] |                                  d · (q − 8)
//   q4_1 | d f16 | m f16 | q u4[32] |                          d · q + m
//   q5_0 | d f16 | high bits u1[32] | low bits u4[32] |        d · (q − 16)
//   q5_1 | d f16 | m f16 | high bits u1[32] | low bits u4[32] | d · q + m
//
// Half a byte is of element i, the other half of element i + 16.
import { float16Bits } from "../../base/index.ts";

/**
 * Writes the block of values that begins at `from` to `out` at a byte offset.
 * @param importance what the squared error of each value counts; all alike where it is absent
 */
export type BlockWriter = (values: Float32Array, from: number, out: DataView, at: number, importance: Float32Array | undefined) => void;

/** Values of a block. */
const size = 32;
const { fround } = Math;
/** The quants of the block that is being written. */
const quants = new Uint8Array(size);

/** A writer per layout. */
export const simpleBlocks = {
  q8_0(values, from, out, at) {
    const d = fround(Math.abs(largest(values, from)) / 127);
    const inverse = inverseOf(d);
    out.setUint16(at, float16Bits(d), true);
    for (let i = 0; i < size; i++) out.setInt8(at + 2 + i, roundFromZero(fround(values[from + i]! * inverse)));
  },
  q4_0(values, from, out, at) {
    out.setUint16(at, float16Bits(aroundZero(values, from, 8)), true);
    putNibbles(out, at + 2);
  },
  q4_1(values, from, out, at) {
    putScaleAndMinimum(values, from, out, at, 15);
    putNibbles(out, at + 4);
  },
  q5_0(values, from, out, at) {
    out.setUint16(at, float16Bits(aroundZero(values, from, 16)), true);
    putHighBits(out, at + 2);
    putNibbles(out, at + 6);
  },
  q5_1(values, from, out, at) {
    putScaleAndMinimum(values, from, out, at, 31);
    putHighBits(out, at + 4);
    putNibbles(out, at + 8);
  },
} as const satisfies Record<string, BlockWriter>;

/** The first of the values that are furthest from zero. */
function largest(values: Float32Array, from: number): number {
  let found = values[from]!;
  for (let i = 1; i < size; i++) if (Math.abs(values[from + i]!) > Math.abs(found)) found = values[from + i]!;
  return found;
}

function inverseOf(scale: number): number {
  return scale === 0 ? 0 : fround(1 / scale);
}

/** Ties away from zero, as C's roundf. */
function roundFromZero(value: number): number {
  return value < 0 ? -Math.floor(0.5 - value) : Math.floor(0.5 + value);
}

/** Quants of 0 to 2 · half − 1, of which `half` is zero; the value furthest from zero becomes 0. @returns their scale, of either sign */
function aroundZero(values: Float32Array, from: number, half: number): number {
  const d = fround(largest(values, from) / -half);
  const inverse = inverseOf(d);
  for (let i = 0; i < size; i++) quants[i] = Math.min(fround(fround(values[from + i]! * inverse) + (half + 0.5)) & 255, 2 * half - 1);
  return d;
}

/** Quants of 0 to `most`, and what they are steps of. */
function putScaleAndMinimum(values: Float32Array, from: number, out: DataView, at: number, most: number): void {
  let [least, greatest] = [values[from]!, values[from]!];
  for (let i = 1; i < size; i++) {
    least = Math.min(least, values[from + i]!);
    greatest = Math.max(greatest, values[from + i]!);
  }
  const d = fround(fround(greatest - least) / most);
  const inverse = inverseOf(d);
  for (let i = 0; i < size; i++) quants[i] = Math.min(fround(fround(fround(values[from + i]! - least) * inverse) + 0.5) & 255, most);
  out.setUint16(at, float16Bits(d), true);
  out.setUint16(at + 2, float16Bits(least), true);
}

function putNibbles(out: DataView, at: number): void {
  for (let i = 0; i < size / 2; i++) out.setUint8(at + i, (quants[i]! & 15) | (quants[i + size / 2]! << 4));
}

function putHighBits(out: DataView, at: number): void {
  let bits = 0;
  for (let i = 0; i < size; i++) bits |= (quants[i]! >> 4) << i;
  out.setUint32(at, bits >>> 0, true);
}
