// What the operands of a matrix product are rounded to before they are multiplied; sums are float32 either way.

/** bfloat16 is float32's upper half: its range, but 8 bits of precision instead of 24 (Kalamkar et al. 2019, arXiv 1905.12322). */
export type Precision = "float32" | "bfloat16";

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The nearest bfloat16, ties to even; NaN stays NaN. */
export function roundToBfloat16(x: number): number {
  float[0] = x;
  if (Number.isNaN(x)) return x;
  bits[0] = (bits[0]! + 0x7fff + ((bits[0]! >>> 16) & 1)) & 0xffff0000;
  return float[0]!;
}
