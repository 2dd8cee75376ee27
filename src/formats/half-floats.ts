// The two 16-bit floats that weights are stored in: IEEE 754 binary16, and bfloat16, which is float32's upper half.
import { bfloat16Bits, float16Value } from "../base/index.ts";

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
