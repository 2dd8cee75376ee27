// What the automatic checks cannot know: published values, invariants and the messages of shape rules.
import { expect, test } from "vitest";
import { CriaError, Rng } from "../../base/index.ts";
import { exampleValues } from "../example.ts";
import { f32, Graph, i32, type TensorType } from "../tensor.ts";
import { activationFunctions } from "./activation-functions.ts";
import { accumulate, add, attention, linear, ops } from "./index.ts";
import { ropeOp, ropeTurns } from "./rope.ts";

test("every op has a name of its own, examples, and a gradient example where it has a gradient", () => {
  expect(new Set(ops.map((op) => op.name)).size).toBe(ops.length);
  for (const op of ops) expect(op.examples.length, op.name).toBeGreaterThan(0);
});

test("activations have their published values", () => {
  const at = (name: keyof typeof activationFunctions, x: number, beta = 1) => activationFunctions[name].value(x, beta);
  expect(at("gelu", 1)).toBeCloseTo(0.8413447460685429, 14); // Φ(1)
  expect(at("gelu", -3)).toBeCloseTo(-3 * 0.0013498980316300933, 14);
  expect(at("gelu", 40)).toBe(40);
  expect(at("geluTanh", 1)).toBeCloseTo(0.8411919906082768, 14);
  expect(at("swish", 2, 1.5)).toBeCloseTo(2 / (1 + Math.exp(-3)), 14);
  expect(at("sigmoid", -1000)).toBe(0);
});

test.each(["half", "neighbours"] as const)("rope, %s: the product of a query and a key depends on their distance only", (pairing) => {
  const rng = new Rng(1);
  const turns = ropeTurns([1, 0.1, 0.01, 0.001], pairing);
  const types: TensorType[] = [f32(1, 8), i32(1), i32(2, turns.length / 2)];
  const [query, key] = [exampleValues(f32(1, 8), rng), exampleValues(f32(1, 8), rng)];
  const turned = (x: typeof query, position: number) => {
    const y = new Float64Array(8);
    ropeOp.reference([x, Int32Array.of(position), turns], [y], { headDim: 8, pairing, attentionFactor: 1, inverse: false }, types);
    return y;
  };
  const product = (m: number, n: number) => turned(query, m).reduce((sum, q, i) => sum + q * turned(key, n)[i]!, 0);
  expect(product(117, 105)).toBeCloseTo(product(12, 0), 10);
  expect(product(117, 104)).not.toBeCloseTo(product(12, 0), 3);
});

test("shapes that do not fit are errors with all of them and the rule", () => {
  const graph = new Graph();
  const [x, w, tokens] = [graph.input("x", f32(2, 5)), graph.input("w", f32(3, 4)), graph.input("tokens", i32(2))] as const;
  expect(() => linear(x, w)).toThrow("[matmul] the inputs f32 [2, 5], f32 [3, 4] must be a [M, K], b weight [N, K] (M = 2, K = 5, N = 3)");
  expect(() => linear(x, tokens)).toThrow("i32 [2]");
  expect(() => add(x, w)).toThrow("[add] the inputs f32 [2, 5], f32 [3, 4] must be a [...], b [...] (... = 2, 5)");
  expect(() => attention(x, x, x, { batch: 1, heads: 2, kvHeads: 2 })).toThrow("5 channels for 2 heads");
  expect(() => attention(x, x, x, { batch: 3, heads: 1, kvHeads: 1 })).toThrow(CriaError);
  expect(() => accumulate(x, x)).toThrow('input 0, "x", is updated in place: it must be a state');
  expect(() => add(x, new Graph().input("elsewhere", f32(2, 5)))).toThrow('"elsewhere" belongs to another graph');
});

test.each([
  ["embedding", [f32(3, 2), i32(1)], [3], "index 3 at position 0 is outside [0, 3)"],
  ["embeddingGradient", [i32(1), f32(1, 2)], [-1], "index -1 at position 0 is outside [0, 3)"],
  ["linearCrossEntropy", [f32(1, 2), f32(3, 2), i32(1), f32(1)], [3], "target 3 of row 0 is outside [0, 3)"],
  ["attention", [f32(3, 2), f32(3, 2), f32(3, 2), i32(3)], [0, 2, 2], "the first key of row 1 of sequence 0 is 2: it must be from 0 to 1"],
  ["attention", [f32(3, 2), f32(3, 2), f32(3, 2), i32(3)], [0, 1, 0], "the first key of row 2 of sequence 0 is 0: it must be from 1 to 2"],
] as const)("%s refuses an integer out of range", (name, types, integer, message) => {
  const op = ops.find((op) => op.name === name)!;
  const attributes = { vocabulary: 3, dx: false, dw: false, batch: 1, heads: 1, kvHeads: 1 };
  const inputs = types.map((type) => (type.dtype === "i32" ? Int32Array.from(integer) : exampleValues(type, new Rng(1))));
  const outputs = op.shape(types, attributes).map((type) => exampleValues({ ...type, scale: 0 }, new Rng(1)));
  expect(() => op.reference(inputs, outputs, attributes, types)).toThrow(message);
});
