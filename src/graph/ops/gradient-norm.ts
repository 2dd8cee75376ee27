// The global norm of all gradients, which clipping by norm reads (Pascanu et al. 2013, arXiv 1211.5063).
import { defineOp } from "../define-op.ts";
import { f32, type Tensor } from "../tensor.ts";

/** Any number of gradients of any shapes → [1], the square root of the sum of all their squares. */
export function gradientNorm(gradients: readonly Tensor[]): Tensor {
  return gradientNormOp.apply({ gradients }, {}).norm;
}

/** The op of {@link gradientNorm}: its shapes, meaning and gradient. */
export const gradientNormOp = defineOp<Record<string, never>>()({
  name: "gradientNorm",
  inputs: { "gradients*": "any" },
  outputs: { norm: "1" },
  reference({ gradients }, { norm }) {
    let squares = 0;
    for (const gradient of gradients) for (const value of gradient) squares += value * value;
    norm[0] = Math.sqrt(squares);
  },
  recomputable: false,
  measures: true,
  examples: [
    { inputs: [f32(5, 7), f32(3), f32(67)], attributes: {} },
    { inputs: [f32(1)], attributes: {} },
  ],
});
