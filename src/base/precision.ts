// What the operands of a matrix product are rounded to before they are multiplied; sums are float32 either way.

/** bfloat16 is float32's upper half: its range, but 8 bits of precision instead of 24 (Kalamkar et al. 2019, arXiv 1905.12322). */
export type Precision = "float32" | "bfloat16";

/** What the left factor of a product with a weight is rounded to: as above, or to blocks of 32 bytes that share a scale, 127 steps to either side of zero. */
export type Rounding = Precision | "int8";

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The bits of the nearest bfloat16, ties to even; NaN stays a quiet NaN. @param word the bits of a float32 */
export function bfloat16Bits(word: number): number {
  const isNan = (word & 0x7fffffff) > 0x7f800000;
  return isNan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}

/** The nearest bfloat16, ties to even; NaN stays NaN. */
export function roundToBfloat16(x: number): number {
  float[0] = x;
  bits[0] = bfloat16Bits(bits[0]!) << 16;
  return float[0]!;
}

/** Elements that share a scale in {@link roundToInt8Blocks}. */
export const int8Block = 32;
/** Magnitudes below it count as zero: the inverse scale must be finite. */
const smallest = 2 ** -100;

/**
 * Every 32 elements rounded to 127 steps to either side of zero, the largest magnitude being 127 steps, as ggml's block_q8_0 has them; in float32,
 * so that ties fall as on the machine. Where an element is not finite, all of its block are NaN.
 * @param values as many as whole blocks
 */
export function roundToInt8Blocks(values: Float64Array): Float64Array {
  const rounded = new Float64Array(values.length);
  for (let at = 0; at < values.length; at += int8Block) rounded.set(roundBlock(values.subarray(at, at + int8Block)), at);
  return rounded;
}

function roundBlock(block: Float64Array): Float64Array {
  const { scale, steps } = int8Steps(block);
  return steps.map((step) => step * scale);
}

/** Elements of one block as steps of a scale, which is NaN where an element is not finite. */
export function int8Steps(block: Float64Array): { readonly scale: number; readonly steps: Float64Array } {
  const largest = block.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  if (!Number.isFinite(largest)) return { scale: Number.NaN, steps: block.map(() => 0) };
  if (largest < smallest) return { scale: 0, steps: block.map(() => 0) };
  const [inverse, scale] = [Math.fround(127 / Math.fround(largest)), Math.fround(Math.fround(largest) * Math.fround(1 / 127))];
  return { scale, steps: block.map((x) => roundToEven(Math.fround(Math.fround(x) * inverse))) };
}

/** Rounds to the nearest integer, ties to even. */
export function roundToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5 || floor % 2 !== 0) return Math.round(value); // ties go up, −0.5 to −0
  return floor;
}
