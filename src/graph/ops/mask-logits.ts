// Which tokens may come next, as a bit set: what a grammar or a choice of words leaves of the logits.
import { defineOp } from "../define-op.ts";
import { f32, i32, type Tensor } from "../tensor.ts";

/** x [R, V] and allowed i32 [R, ⌈V/32⌉] → [R, V]: x where bit v mod 32 of word ⌊v/32⌋ of the row is set, −∞ elsewhere. */
export function maskLogits(x: Tensor, allowed: Tensor): Tensor {
  return maskLogitsOp.apply({ x, allowed }, {}).y;
}

/** The op of {@link maskLogits}: its shapes, meaning and gradient. */
export const maskLogitsOp = defineOp<Record<string, never>>()({
  name: "maskLogits",
  inputs: { x: "R V", allowed: "i32 R B" },
  outputs: { y: "R V" },
  sizes: ({ V }) => ({ B: Math.ceil(V / 32) }),
  reference({ x, allowed }, { y }, { R, V, B }) {
    for (let r = 0; r < R; r++)
      for (let v = 0; v < V; v++) {
        const isAllowed = (allowed[r * B + Math.floor(v / 32)]! >>> (v % 32)) & 1;
        y[r * V + v] = isAllowed ? x[r * V + v]! : Number.NEGATIVE_INFINITY;
      }
  },
  recomputable: false,
  mayAlias: { y: ["x"] },
  examples: [
    { inputs: [f32(3, 5), { ...i32(3, 1), values: [-1, 0x15, -(2 ** 31)] }], attributes: {} },
    { inputs: [f32(2, 77), { ...i32(2, 3), values: [-2, 0x7fff0001, 0x1f0f, 0, -(2 ** 31), -1] }], attributes: {} },
  ],
});
