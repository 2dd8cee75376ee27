// The two 16-bit floats that weights are stored in: IEEE 754 binary16, and bfloat16, which is float32's upper half.
import { bfloat16Bits, float16Value, roundToEven } from "../base/index.ts";

/** Widens binary16 bit patterns exactly. */
export function widenFloat16(bits: Uint16Array, out: Float32Array): void {
  const values = float16Values();
  for (let i = 0; i < bits.length; i++) out[i] = values[bits[i]!]!;
}

/** The binary16 at a byte, which need not be even. */
export function float16At(bytes: Uint8Array, at: number): number {
  return float16Values()[bytes[at]! | (bytes[at + 1]! << 8)]!;
}

let allValues: Float32Array | undefined;

/** The value of each of the 65,536 patterns, made when it is first asked for: computing one takes longer than finding it. */
function float16Values(): Float32Array {
  allValues ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => float16Value(bits));
  return allValues;
}

/** Widens bfloat16 bit patterns exactly. */
export function widenBfloat16(bits: Uint16Array, out: Float32Array): void {
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
}

/** Rounds to bfloat16, ties to even; NaN stays NaN. */
export function narrowBfloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(words.length);
  for (let i = 0; i < bits.length; i++) bits[i] = bfloat16Bits(words[i]!);
  return bits;
}

/** Rounds to binary16, ties to even, as {@link float16Bits} does: too large becomes infinity, and NaN a quiet one. */
export function narrowFloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(words.length);
  for (let i = 0; i < bits.length; i++) {
    const word = words[i]!;
    const size = word & 0x7fffffff;
    const sign = (word >>> 16) & 0x8000;
    // Normal numbers: the exponent's bias is 112 less, and half of the last place that stays is added, a little less where that place is even.
    if (size >= 0x38800000 && size < 0x477ff000) bits[i] = sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
    else if (size < 0x38800000) bits[i] = sign | roundToEven(Math.abs(values[i]!) * 2 ** 24);
    else bits[i] = size > 0x7f800000 ? 0x7e00 : sign | 0x7c00;
  }
  return bits;
}
