// The normaliser of a row of logits: with it, one logit gives a log-probability.
import { defineOp } from "../define-op.ts";
import { f32, type Tensor } from "../tensor.ts";

/** x [R, V] → [R]: log Σ exp(x), from differences to the largest, so that nothing overflows. −∞ where all are −∞, NaN where one is NaN or ∞. */
export function logSumExp(x: Tensor): Tensor {
  return logSumExpOp.apply({ x }, {}).y;
}

/** The op of {@link logSumExp}: its shapes, meaning and gradient. */
export const logSumExpOp = defineOp<Record<string, never>>()({
  name: "logSumExp",
  inputs: { x: "R V" },
  outputs: { y: "R" },
  reference({ x }, { y }, { R, V }) {
    for (let r = 0; r < R; r++) {
      const row = x.subarray(r * V, (r + 1) * V);
      const largest = row.reduce((most, value) => Math.max(most, value));
      const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0);
      y[r] = largest === Number.NEGATIVE_INFINITY ? largest : largest + Math.log(sum);
    }
  },
  recomputable: false,
  examples: [
    { inputs: [{ ...f32(5, 37), scale: 4 }], attributes: {} },
    {
      inputs: [{ ...f32(3, 2), values: [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 2, Number.NaN, 2] }],
      attributes: {},
    },
    { inputs: [{ ...f32(2, 4096 + 300), offset: 300 }], attributes: {} },
    { inputs: [{ ...f32(1, 9000), scale: 30, offset: -500 }], attributes: {} },
  ],
});
