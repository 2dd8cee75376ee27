// Numbers for the examples of the op records: the automatic checks fill every input the way its row says.
import { type Rng, sizeOf } from "../base/index.ts";
import type { ExampleInput, Values } from "./op.ts";

/** Elements of one input; floats are rounded to float32, so that every backend starts from the same numbers. */
export function exampleValues(input: ExampleInput, rng: Rng): Values {
  const { scale = 1, offset = 0, below = 1, values } = input;
  const element = input.dtype === "i32" ? () => rng.below(below) : () => Math.fround(rng.normal() * scale + offset);
  const elements = values ?? Array.from({ length: sizeOf(input.shape) }, element);
  return input.dtype === "i32" ? Int32Array.from(elements) : Float64Array.from(elements, Math.fround);
}
