// The two 16-bit floats that weights are stored in: IEEE 754 binary16, and bfloat16, which is float32's upper half.
import { bfloat16Bits, float16Value } from "../base/index.ts";

/** Widens binary16 bit patterns exactly. */
export function widenFloat16(bits: Uint16Array, out: Float32Array): void {
  for (let i = 0; i < bits.length; i++) out[i] = float16Value(bits[i]!);
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
