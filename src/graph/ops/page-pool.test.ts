import { expect, test } from "vitest";
import { f32, Graph, i32, linear, pagedAttention, pagedRowInputs, pageTiles, pageWrite, poolType } from "../index.ts";

test("tiles are stretches of one sequence, cut where pages end", () => {
  const slots = [...Array.from({ length: 20 }, () => 1), 0, 2, 2, 0];
  const positions = [...Array.from({ length: 20 }, (_, i) => 62 + i), 7, 8, 30, 0];
  const tiles = [...pageTiles(slots, positions, 23)];
  expect(tiles.slice(0, 14)).toEqual([0, 2, 2, 18, 20, 1, 21, 1, 22, 1, 0, 0, 0, 0]);
  expect(tiles.length).toBe(48);
  expect([...pageTiles([0], [0], 0)]).toEqual([0, 0]);
});

test("a pool's layout must fit its heads, and its states are no weights of a product", () => {
  expect(poolType("f16", { pages: 3, kvHeads: 2, headDim: 6 })).toEqual({ dtype: "f16", shape: [3, 2, 64, 6] });
  expect(() => poolType("q8_0", { pages: 3, kvHeads: 2, headDim: 80 })).toThrow(
    "q8_0 keys need heads of a multiple of 32 channels, and these have 80: take f16",
  );
  const graph = new Graph();
  const state = graph.state("keys", { dtype: "f16", shape: [8, 6] });
  expect(() => linear(graph.input("x", f32(1, 6)), state)).toThrow(
    "[matmul] the inputs f32 [1, 6], f16 [8, 6] must be a [M, K], b weight [N, K]",
  );
  expect(() => graph.state("ids", { dtype: "q4_0", shape: [32] })).toThrow("states these, f16 or q8_0");
});

test("keys, values and rows that do not belong together are refused", () => {
  const graph = new Graph();
  const rows = pagedRowInputs(graph, { R: 4, S: 2, P: 3 });
  const state = (name: string, dtype: "f32" | "f16") => graph.state(name, poolType(dtype, { pages: 5, kvHeads: 2, headDim: 6 }));
  const pool = { keys: state("keys", "f32"), values: state("values", "f32") };
  const x = graph.input("x", f32(4, 18));
  expect(() => pagedAttention(x, pool, rows)).toThrow("[pagedAttention] q has 18 channels, which do not split over 2 key heads of 6");
  expect(() => pageWrite(pool, x, x, rows)).toThrow("[pageWrite] k has 18 channels, but the pool 2 heads of 6");
  const y = graph.input("y", f32(4, 12));
  expect(() => pageWrite({ ...pool, values: state("half", "f16") }, y, y, rows)).toThrow(
    "keys are f32 and values f16, but the op is of f32",
  );
  expect(() => pagedAttention(y, pool, rows, { window: -1 })).toThrow("the window is -1 keys");
  expect(() => pagedAttention(y, { keys: graph.input("ids", i32(1)), values: pool.values }, rows)).toThrow(
    '"ids" is i32: pages are f32, f16 or q8_0',
  );
});
