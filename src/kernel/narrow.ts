// Elements of 8 and 16 bits: their sizes, and what rounding to 16-bit floats means, slowly.
import { roundToEven } from "../base/index.ts";
import type { Narrow } from "./ir.ts";

/** Bytes of an element. */
export const narrowBytes: Readonly<Record<Narrow, 1 | 2>> = { f16: 2, bf16: 2, u16: 2, i8: 1, u8: 1 };

/** To nearest, ties to even. @param bits of a float32. */
export function roundToFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > infinity) return sign | 0x7e00 | ((magnitude >> 13) & 0x1ff);
  const value = float32Value(magnitude);
  if (value >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, (magnitude >> 23) - 127);
  // Fractions that round up to 2 carry into the exponent, as they should.
  const steps = roundToEven(value * 2 ** (10 - exponent));
  return sign | (((exponent + 14) << 10) + steps);
}

/** To nearest, ties to even: the upper half of a float32. @param flush whether what is below the normal numbers becomes zero. */
export function roundToBfloat16(bits: number, flush: boolean): number {
  const magnitude = bits & 0x7fffffff;
  if (magnitude > infinity) return (bits >>> 16) | 0x40;
  if (flush && magnitude < smallestNormal) return (bits >>> 16) & 0x8000;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

export function float32Value(bits: number): number {
  return new Float32Array(Int32Array.of(bits).buffer)[0]!;
}

const infinity = 0x7f800000;
const smallestNormal = 0x00800000;
