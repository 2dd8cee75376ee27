// The global norm of all gradients, which clipping by norm reads (Pascanu et al. 2013, arXiv 1211.5063).
import { check } from "../../base/index.ts";
import type { Op } from "../op.ts";
import { f32, type Tensor } from "../tensor.ts";

/** Any number of gradients of any shapes → [1], the square root of the sum of all their squares. */
export function gradientNorm(gradients: readonly Tensor[]): Tensor {
  check(gradients.length > 0, "gradientNorm", () => "has no gradients: give it at least one");
  return gradients[0]!.graph.apply(gradientNormOp, gradients, {})[0]!;
}

export const gradientNormOp: Op<Record<string, never>> = {
  name: "gradientNorm",
  shape(inputs) {
    check(inputs.length > 0 && inputs.every((input) => input.dtype === "f32"), "gradientNorm", () => "needs one f32 input or more");
    return [f32(1)];
  },
  reference(inputs, [norm]) {
    let squares = 0;
    for (const gradient of inputs) for (const value of gradient) squares += value * value;
    norm![0] = Math.sqrt(squares);
  },
  recomputable: false,
  examples: [
    { inputs: [f32(5, 7), f32(3), f32(67)], attributes: {} },
    { inputs: [f32(1)], attributes: {} },
  ],
};
