// Numbers for the examples of the op records: the automatic checks fill every input the way its row says.
import { type DType, dequantise, elementLayouts, isStateDType, quantise, type Rng, sizeOf } from "../base/index.ts";
import type { ExampleInput, Values } from "./op.ts";
import { tensorBytes } from "./plan-memory.ts";

/** Elements of one input; floats are rounded to float32, so that every backend starts from the same numbers. */
export function exampleValues(input: ExampleInput, rng: Rng): Values {
  const { dtype, shape, scale = 1, offset = 0, below = 1, values } = input;
  if (dtype !== "f32" && dtype !== "i32") return dequantise(dtype, exampleBytes(input, rng));
  const element = dtype === "i32" ? () => rng.below(below) : () => Math.fround(rng.normal() * scale + offset);
  const elements = values ?? Array.from({ length: sizeOf(shape) }, element);
  return dtype === "i32" ? Int32Array.from(elements) : Float64Array.from(elements, Math.fround);
}

/** Where a block has its 16-bit floats, and of which kind. */
const halves: Readonly<Partial<Record<DType, readonly number[]>>> = {
  f16: [0],
  q8_0: [0],
  q4_0: [0],
  q4_1: [0, 2],
  q5_0: [0],
  q5_1: [0, 2],
  iq4_nl: [0],
  q2_K: [80, 82],
  q3_K: [108],
  q4_K: [0, 2],
  q5_K: [0, 2],
  q6_K: [208],
  iq4_xs: [0],
};

/** The bytes of a weight or state whose layout is not f32: all random, but for the exponents of its floats, which are between 2⁻⁸ and 2⁻⁷. */
export function exampleBytes(input: ExampleInput, rng: Rng): Uint8Array {
  const data = Uint8Array.from({ length: tensorBytes(input) }, () => rng.below(256));
  const { bytes } = elementLayouts[input.dtype];
  for (let block = 0; block < data.length; block += bytes) {
    if (input.dtype === "bf16") data.set([data[block]! | 0x80, (data[block + 1]! & 0x80) | 0x3b], block);
    for (const at of halves[input.dtype] ?? []) data[block + at + 1] = (data[block + at + 1]! & 0x83) | 0x1c;
  }
  // A state has what an op wrote: the largest magnitude of a block is 127 steps.
  return input.role === "state" && isStateDType(input.dtype) ? quantise(input.dtype, dequantise(input.dtype, data)) : data;
}
