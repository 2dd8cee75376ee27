// The likeliest token: greedy decoding, without its logits leaving the machine.
import { defineOp } from "../define-op.ts";
import { f32, type Tensor } from "../tensor.ts";
import { fallingIds } from "./top-k.ts";

/** x [R, V] → i32 [R]: where each row is largest, of several the first; NaN counts as in {@link topK}, so it is 0 where there are no numbers. */
export function argmax(x: Tensor): Tensor {
  return argmaxOp.apply({ x }, {}).ids;
}

export const argmaxOp = defineOp<Record<string, never>>()({
  name: "argmax",
  inputs: { x: "R V" },
  outputs: { ids: "i32 R" },
  reference({ x }, { ids }, { R, V }) {
    for (let r = 0; r < R; r++) {
      const row = x.subarray(r * V, (r + 1) * V);
      ids[r] = fallingIds(row)[0]!;
    }
  },
  recomputable: false,
  examples: [
    { inputs: [f32(5, 37)], attributes: {} },
    {
      inputs: [
        {
          ...f32(2, 6),
          values: [1, Number.NaN, 3, 3, -1, 3, Number.NEGATIVE_INFINITY, Number.NaN, ...Array(4).fill(Number.NEGATIVE_INFINITY)],
        },
      ],
      attributes: {},
    },
    { inputs: [f32(2, 4096 + 300)], attributes: {} },
    { inputs: [{ ...f32(1, 9000), values: Array.from({ length: 9000 }, (_, v) => (v === 5000 || v === 8999 ? 2 : -v)) }], attributes: {} },
  ],
});
