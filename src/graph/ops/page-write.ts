// Keys and values of a run's rows into the pages of their sequences.
import { check, dequantise, isStateDType, quantise, type StateDType } from "../../base/index.ts";
import { defineOp } from "../define-op.ts";
import type { ExampleInput } from "../op.ts";
import { f32, i32, type Tensor } from "../tensor.ts";
import { checkPool, type PagedRows, type PagePool, pageKeys, pageOf, poolPlace } from "./page-pool.ts";

/** How a pool's elements lie. */
export type PageWriteAttributes = {
  /** The layout of the pool, to which keys and values are rounded; in q8_0 every head in blocks of 32 channels. */
  readonly type: StateDType;
};

/** Writes k and v [R, KV · D] of the first count[0] rows where the rows' positions are in the pages of their sequences. */
export function pageWrite(pool: PagePool, k: Tensor, v: Tensor, { positions, slots, pages, count }: PagedRows): void {
  const { dtype } = pool.keys;
  check(isStateDType(dtype), "pageWrite", () => `"${pool.keys.name}" is ${dtype}: pages are f32, f16 or q8_0`);
  pageWriteOp.apply({ ...pool, k, v, positions, slots, pages, count }, { type: dtype });
}

/** The op of {@link pageWrite}: its shapes, meaning and gradient. */
export const pageWriteOp = defineOp<PageWriteAttributes>()({
  name: "pageWrite",
  inputs: {
    keys: "pool G KV 64 D",
    values: "pool G KV 64 D",
    k: "R W",
    v: "R W",
    positions: "i32 R",
    slots: "i32 R",
    pages: "i32 S P",
    count: "i32 1",
  },
  outputs: {},
  sizes({ KV, D, W }, { type }, pool) {
    checkPool("pageWrite", type, pool);
    check(W === KV * D, "pageWrite", () => `k has ${W} channels, but the pool ${KV} heads of ${D}`);
    return {};
  },
  reference({ keys, values, k, v, count, ...rows }, _, sizes, { type }) {
    const { R, KV, D } = sizes;
    const { keyAt, valueAt } = poolPlace(type, sizes);
    check(count[0]! <= R, "pageWrite", () => `${count[0]} rows are to be written, but there are ${R}`);
    const [newKeys, newValues] = [k, v].map((x) => dequantise(type, quantise(type, x))) as [Float64Array, Float64Array];
    for (let row = 0; row < count[0]!; row++) {
      const position = rows.positions[row]!;
      const page = pageOf("pageWrite", rows, sizes, row, position);
      for (let head = 0; head < KV; head++)
        for (let c = 0; c < D; c++) {
          const from = (row * KV + head) * D + c;
          keys[keyAt(page, head, position % pageKeys, c)] = newKeys[from]!;
          values[valueAt(page, head, position % pageKeys, c)] = newValues[from]!;
        }
    }
  },
  recomputable: false,
  updates: ["keys", "values"],
  examples: [
    writeExample("f32", 2, 6),
    writeExample("f32", 1, 18),
    writeExample("f32", 2, 7),
    writeExample("f16", 2, 11),
    writeExample("f16", 2, 6),
    writeExample("f16", 1, 80),
    writeExample("q8_0", 2, 64),
  ],
});

/** Six rows of two sequences and one that does not count, across the end of a page. */
function writeExample(type: StateDType, KV: number, D: number) {
  const pool: ExampleInput = { dtype: type, shape: [5, KV, pageKeys, D], role: "state" };
  return {
    inputs: [
      ...[pool, pool, f32(7, KV * D), f32(7, KV * D)],
      { ...i32(7), values: [62, 63, 64, 65, 3, 4, 0] },
      { ...i32(7), values: [1, 1, 1, 1, 0, 0, 0] },
      { ...i32(2, 3), values: [2, 0, 0, 4, 1, 0] },
      { ...i32(1), values: [6] },
    ],
    attributes: { type },
  };
}
