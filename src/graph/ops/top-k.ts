// The likeliest tokens with their logits: what sampling from a few needs.
import { check } from "../../base/index.ts";
import { defineOp } from "../define-op.ts";
import { f32, type Tensor } from "../tensor.ts";

/** How many elements of a row are taken. */
export type TopKAttributes = { readonly k: number };

/** Elements are taken one after another; where more are wanted, reading all logits costs no more. */
export const mostTopK = 1024;

/**
 * x [R, V] → the k largest of each row, falling, of equal ones the first ids first: values [R, k] and ids i32 [R, k].
 * With k = 1 it is argmax, greedy decoding without its logits leaving the machine. NaN, −∞ and the lowest of all float32 come last, as if they were equal.
 */
export function topK(x: Tensor, k: number): { readonly values: Tensor; readonly ids: Tensor } {
  return topKOp.apply({ x }, { k });
}

/** The op of {@link topK}: its shapes, meaning and gradient. */
export const topKOp = defineOp<TopKAttributes>()({
  name: "topK",
  inputs: { x: "R V" },
  outputs: { values: "R K", ids: "i32 R K" },
  sizes({ V }, { k: K }) {
    const most = Math.min(V, mostTopK);
    check(Number.isInteger(K) && K > 0 && K <= most, "topK", () => `k is ${K}: of ${V} it must be from 1 to ${most}`);
    return { K };
  },
  reference({ x }, { values, ids }, { R, V, K }) {
    for (let r = 0; r < R; r++) {
      const row = x.subarray(r * V, (r + 1) * V);
      const largest = fallingIds(row).slice(0, K);
      ids.set(largest, r * K);
      values.set(
        largest.map((v) => row[v]!),
        r * K,
      );
    }
  },
  recomputable: false,
  examples: [
    { inputs: [f32(3, 37)], attributes: { k: 5 } },
    { inputs: [{ ...f32(2, 8), values: [1, 3, -1, 3, 3, 0, 1, 2, 0, -0, 0, -4, 5, -(2 ** 127), 5, 0] }], attributes: { k: 8 } },
    { inputs: [{ ...f32(1, 4), values: [Number.NEGATIVE_INFINITY, -1, Number.NaN, -3] }], attributes: { k: 4 } },
    {
      inputs: [
        {
          ...f32(2, 6),
          values: [1, Number.NaN, 3, 3, -1, 3, Number.NEGATIVE_INFINITY, Number.NaN, ...Array(4).fill(Number.NEGATIVE_INFINITY)],
        },
      ],
      attributes: { k: 1 },
    },
    { inputs: [f32(2, 4096 + 9)], attributes: { k: 40 } },
    {
      inputs: [{ ...f32(1, 9000), values: Array.from({ length: 9000 }, (_, v) => (v === 5000 || v === 8999 ? 2 : -v)) }],
      attributes: { k: 1 },
    },
    { inputs: [{ ...f32(1, 9000), values: Array.from({ length: 9000 }, (_, v) => v % 97) }], attributes: { k: 128 } },
  ],
});

const lowestFloat32 = -3.4028234663852886e38;

/** The ids of a row by falling values. */
function fallingIds(row: Float64Array): number[] {
  const rank = (v: number) => (row[v]! > lowestFloat32 ? row[v]! : lowestFloat32);
  return Array.from(row.keys()).sort((a, b) => (rank(a) === rank(b) ? a - b : rank(b) - rank(a)));
}
