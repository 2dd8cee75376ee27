// Pages copied within a pool: what a sequence does that goes on from a page it shares.
import { check } from "../../base/index.ts";
import { defineOp } from "../define-op.ts";
import { i32, type Tensor } from "../tensor.ts";
import { pageKeys } from "./page-pool.ts";

/** Copies page copies[n, 0] of a pool's keys or values [G, KV, 64, D] to page copies[n, 1], for i32 copies [N, 2]; a page to itself where there is nothing to copy. No page may be read and written. */
export function pageCopy(pool: Tensor, copies: Tensor): void {
  pageCopyOp.apply({ pool, copies }, {});
}

/** The op of {@link pageCopy}: its shapes, meaning and gradient. */
export const pageCopyOp = defineOp<Record<string, never>>()({
  name: "pageCopy",
  inputs: { pool: "pool G KV 64 D", copies: "i32 N 2" },
  outputs: {},
  reference({ pool, copies }, _, { G, KV, D, N }) {
    const size = KV * pageKeys * D;
    for (let n = 0; n < N; n++) {
      const [from, to] = [copies[2 * n]!, copies[2 * n + 1]!];
      check(Math.min(from, to) >= 0 && Math.max(from, to) < G, "pageCopy", () => `page ${from} to page ${to}: the pool has ${G}`);
      pool.copyWithin(to * size, from * size, (from + 1) * size);
    }
  },
  recomputable: false,
  updates: ["pool"],
  examples: (["f32", "f16", "q8_0"] as const).map((dtype) => ({
    inputs: [
      { dtype, shape: [6, 2, pageKeys, 32], role: "state" as const },
      { ...i32(3, 2), values: [1, 4, 3, 0, 5, 5] },
    ],
    attributes: {},
  })),
});
