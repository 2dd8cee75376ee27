// IEEE 754 binary16.
import { roundToEven } from "./precision.ts";

/** s eeeee mmmmmmmmmm: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
export function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** The bits of the nearest binary16, ties to even; too large becomes infinity, and NaN a quiet one. */
export function float16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  // Steps of the last place, so that an overflowing fraction carries into the exponent by itself.
  const steps = roundToEven(size / 2 ** (exponent - 10));
  return sign | (size < 65520 ? steps + (exponent + 14) * 1024 : 0x7c00);
}
