// Keys and values of new tokens into the cache of a growing sequence.
import { check } from "../../base/index.ts";
import { defineOp } from "../define-op.ts";
import { f32, i32, type Tensor } from "../tensor.ts";

/** Rows start … start + T − 1 of the state cache [S, W] become x [T, W]; start is i32 [1]. */
export function cacheWrite(cache: Tensor, x: Tensor, start: Tensor): void {
  cacheWriteOp.apply({ cache, x, start }, {});
}

export const cacheWriteOp = defineOp<Record<string, never>>()({
  name: "cacheWrite",
  inputs: { cache: "S W", x: "T W", start: "i32 1" },
  outputs: {},
  sizes({ S, T }) {
    check(T <= S, "cacheWrite", () => `${T} rows do not fit a cache of ${S}`);
    return {};
  },
  reference({ cache, x, start }, _, { S, T, W }) {
    const first = start[0]!;
    check(first >= 0 && first + T <= S, "cacheWrite", () => `rows ${first} to ${first + T - 1} leave the cache of ${S} rows`);
    cache.set(x, first * W);
  },
  recomputable: false,
  updates: ["cache"],
  examples: [
    { inputs: [f32(9, 5), f32(3, 5), { ...i32(1), values: [4] }], attributes: {} },
    { inputs: [f32(4, 33), f32(4, 33), { ...i32(1), values: [0] }], attributes: {} },
  ],
});
