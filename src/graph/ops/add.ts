// Elementwise sum: residual connections, and gradients that meet.
import { defineOp } from "../define-op.ts";
import { f32, type Tensor } from "../tensor.ts";

/** a and b of one shape → a + b. */
export function add(a: Tensor, b: Tensor): Tensor {
  return addOp.apply({ a, b }, {}).y;
}

/** The op of {@link add}: its shapes, meaning and gradient. */
export const addOp = defineOp<Record<string, never>>()({
  name: "add",
  inputs: { a: "...", b: "..." },
  outputs: { y: "..." },
  reference({ a, b }, { y }) {
    y.set(a.map((a, i) => a + b[i]!));
  },
  gradient: (_, { y: dy }) => ({ a: dy, b: dy }),
  // A residual stream is a chain of sums through all layers: running it again would start at layer 0 and keep every summand.
  recomputable: false,
  sums: true,
  mayAlias: { y: ["a", "b"] },
  examples: [
    { inputs: [f32(3, 5), f32(3, 5)], attributes: {} },
    { inputs: [f32(67), f32(67)], attributes: {} },
  ],
});
