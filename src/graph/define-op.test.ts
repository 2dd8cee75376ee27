import { expect, test } from "vitest";
import { defineOp } from "./define-op.ts";
import { opsByName } from "./ops/index.ts";
import { f32, Graph, i32 } from "./tensor.ts";

/** Sums rows of x where `rows` says so, or all; `folds` makes rows of F columns of each. */
const gather = defineOp<{ readonly F: number; readonly both: boolean }>()({
  name: "gather",
  inputs: { x: "R C", bias: "C", "rows?": "i32 N" },
  outputs: { y: "R 2", "z?": "F C" },
  omits: ({ both }) => (both ? [] : ["z"]),
  sizes: (_, { F }) => ({ F }),
  reference({ x, rows }, { y, z }, { R, C, F }) {
    y.fill(R * C);
    z?.fill((rows?.length ?? x.length) + F);
  },
  gradient: ({ x }, { z }) => ({ x: z ?? x }),
  recomputable: false,
  updates: ["bias"],
  mayAlias: { y: ["x"] },
  examples: [],
});

const norm = defineOp<Record<string, never>>()({
  name: "norm",
  inputs: { scale: "1", "all*": "any" },
  outputs: { y: "1" },
  reference({ scale, all }, { y }) {
    y[0] = scale[0]! * all.length;
  },
  recomputable: false,
  examples: [],
});

test("shapes of outputs follow from letters, attributes and constants", () => {
  expect(gather.shape([f32(3, 4), f32(4)], { F: 5, both: true })).toEqual([f32(3, 2), f32(5, 4)]);
  expect(gather.shape([f32(3, 4), f32(4), i32(9)], { F: 5, both: false })).toEqual([f32(3, 2)]);
  expect(gather.sizes([f32(3, 4), f32(4), i32(9)], { F: 5, both: true })).toEqual({ R: 3, C: 4, N: 9, F: 5 });
});

test("tensors are reached by name, missing ones are not there", () => {
  const [y, z] = [new Float64Array(6), new Float64Array(20)];
  const types = [f32(3, 4), f32(4)];
  gather.reference([new Float64Array(12), new Float64Array(4)], [y, z], { F: 5, both: true }, types);
  expect([y[0], z[0]]).toEqual([12, 17]);
  gather.reference([new Float64Array(12), new Float64Array(4), new Int32Array(9)], [y, z], { F: 5, both: true }, [...types, i32(9)]);
  expect(z[0]).toBe(14);
});

test("a name with a star stands for all that follow, at least one", () => {
  const y = new Float64Array(1);
  norm.reference([Float64Array.of(2), new Float64Array(1), new Float64Array(3)], [y], {}, [f32(1), f32(1), f32(3)]);
  expect(y[0]).toBe(4);
  expect(() => norm.shape([f32(1)], {})).toThrow("[norm] the inputs f32 [1] must be scale [1], all* [any]");
});

test("names become places for the planner", () => {
  expect(gather.updates).toEqual([1]);
  expect(gather.mayAlias).toEqual([[0, 0]]);
});

test("applying by name appends a node with its inputs in the signature's order", () => {
  const graph = new Graph();
  const [bias, x] = [graph.state("bias", f32(4)), graph.input("x", f32(3, 4))] as const;
  const { y, z } = gather.apply({ bias, x }, { F: 5, both: true });
  expect(graph.nodes[0]!.inputs).toEqual([x, bias]);
  expect(graph.nodes[0]!.outputs).toEqual([y, z]);
  expect(gather.apply({ bias, x }, { F: 5, both: false }).z).toBe(undefined);
});

test("what contradicts itself is refused", () => {
  expect(() => gather.shape([f32(3, 4), f32(3)], { F: 5, both: true })).toThrow("x [R, C], bias [C], rows? i32 [N] (R = 3, C = 4)");
  expect(() => gather.shape([f32(3, 4), f32(4), f32(9)], { F: 5, both: true })).toThrow("must be");
  expect(() => gather.shape([f32(3, 4)], { F: 5, both: true })).toThrow("must be");
  const rule = defineOp<{ readonly C: number }>()({
    ...{ name: "rule", inputs: { x: "R C" }, outputs: { y: "C" }, recomputable: false, examples: [] },
    sizes: (_, { C }) => ({ C }),
    reference: () => undefined,
  });
  expect(() => rule.shape([f32(3, 4)], { C: 5 })).toThrow("[rule] C is 4 by one input and 5 by the others: they must agree");
});

test("every op stands under its own name", () => {
  for (const [name, op] of Object.entries(opsByName)) expect(op.name).toBe(name);
});
