// What rewrites, counts and prints graphs.
import { expect, test } from "vitest";
import {
  accumulate,
  activation,
  consumeEarly,
  f32,
  flopsOf,
  Graph,
  gradients,
  i32,
  linear,
  planMemory,
  printGraph,
  printPlan,
  recompute,
  rmsNorm,
  type Tensor,
} from "./index.ts";

const made = (graph: Graph) => graph.nodes.map((node) => `${node.op.name}(${node.inputs.map((input) => input.name).join(", ")})`);

test("recomputation reads copies made from what is kept, once, just before their first reader", () => {
  const { graph, found, firstBackward } = twoLayers();
  recompute(graph, firstBackward);
  expect(made(graph)).toEqual([
    "rmsNorm(x, gain)",
    "matmul(rmsNorm0, up)",
    "activation(matmul1)",
    "matmul(activation2, down)",
    "activation(matmul1)", // the copy for d(down)
    "matmul(dy, activation10)",
    "matmul(dy, down)",
    "activationGradient(matmul1, matmul5)",
    "rmsNorm(x, gain)", // the copy for d(up)
    "matmul(activationGradient6, rmsNorm11)",
    "matmul(activationGradient6, up)",
    "rmsNormGradient(x, gain, matmul8)",
  ]);
  expect([...found.values()].every((gradient) => graph.nodes.some((node) => node.outputs.includes(gradient)))).toBe(true);
});

test("recomputation makes the plan smaller", () => {
  const kept = twoLayers();
  const copied = twoLayers();
  recompute(copied.graph, copied.firstBackward);
  expect(planMemory(copied.graph).arenaBytes).toBeLessThan(planMemory(kept.graph).arenaBytes);
});

test("recomputation across an update is refused", () => {
  const { graph, found, firstBackward } = twoLayers();
  const [, gradient] = [...found][0]!;
  accumulate(graph.state("sum", gradient), gradient);
  expect(() => recompute(graph, firstBackward)).toThrow("[recompute] accumulate updates a state");
});

test("updates move up to what they depend on, and not past a reader of their state", () => {
  const graph = new Graph();
  const x = graph.input("x", f32(2, 2));
  const [a, b] = [graph.state("a", f32(2, 2)), graph.state("b", f32(2, 2))] as const;
  const y = linear(x, x);
  const z = linear(y, a);
  graph.keep(linear(z, z));
  accumulate(a, y);
  accumulate(b, y);
  consumeEarly(graph);
  expect(made(graph)).toEqual([
    "matmul(x, x)",
    "accumulate(b, matmul0)",
    "matmul(matmul0, a)",
    "accumulate(a, matmul0)",
    "matmul(matmul1, matmul1)",
  ]);
});

test("what rewrites and plans a graph goes by what ops say of themselves, never by their names", () => {
  const plans = [false, true].map((isNameless) => {
    const { graph, found, firstBackward } = twoLayers();
    const hideNames = () => {
      if (isNameless)
        graph.nodes.splice(0, graph.nodes.length, ...graph.nodes.map((node, i) => ({ ...node, op: { ...node.op, name: `op ${i}` } })));
    };
    hideNames();
    recompute(graph, firstBackward);
    for (const [parameter, gradient] of found) accumulate(graph.state(`${parameter.name}.sum`, gradient), gradient);
    hideNames();
    consumeEarly(graph);
    const { offsets, ...sizes } = planMemory(graph);
    return {
      nodes: graph.nodes.map(({ inputs }) => inputs.map(({ id }) => id)),
      offsets: [...offsets].map(([{ id }, offset]) => [id, offset]),
      arena: sizes.arenaBytes,
    };
  });
  expect(plans[1]).toEqual(plans[0]);
  expect(plans[0]!.nodes.length).toBe(15); // forward 4, backward 6 with two copies, and three sums
});

test("flops count matrix products, multiply-adds as two", () => {
  const { graph } = twoLayers();
  expect(flopsOf(graph)).toBe(3 * (2 * 8 * 4 * 16 + 2 * 8 * 16 * 4));
});

test("graph and plan print one line a node and a tensor", () => {
  const graph = new Graph();
  const x = graph.input("x", f32(2, 4));
  const y = rmsNorm(x, graph.state("gain", f32(4)), 0.5);
  graph.keep(activation(y, { activation: "relu", beta: 1 }));
  graph.limitRows(2, graph.input("count", i32(1)));
  expect(printGraph(graph).split("\n")).toEqual([
    "input  x f32 [2, 4]",
    "state  gain f32 [4]",
    "input  count i32 [1]",
    "limit  of 2 rows the first count[0] are live",
    "    0  rmsNorm0 f32 [2, 4] = rmsNorm(x, gain) {epsilon: 0.5}",
    "    1  activation1 (kept) f32 [2, 4] = activation(rmsNorm0) {activation: relu, beta: 1}",
  ]);
  expect(printPlan(graph, planMemory(graph)).split("\n")).toEqual([
    "    offset      bytes  nodes        tensor",
    "         0         32  0–1          rmsNorm0",
    "         0         32  1–end        activation1",
    "arena 64 bytes, 100.0 % of 64 without reuse",
    "activations alone 64 bytes, 100.0 % of 64",
  ]);
});

/** x [8, 4] → norm → up [16, 4] → relu → down [4, 16], and the gradients of all three parameters. */
function twoLayers(): { graph: Graph; found: Map<Tensor, Tensor>; firstBackward: number } {
  const graph = new Graph();
  const [x, dy] = [graph.input("x", f32(8, 4)), graph.input("dy", f32(8, 4))] as const;
  const [gain, up, down] = [graph.state("gain", f32(4)), graph.state("up", f32(16, 4)), graph.state("down", f32(4, 16))] as const;
  const y = linear(activation(linear(rmsNorm(x, gain, 1e-5), up), { activation: "relu", beta: 1 }), down);
  const firstBackward = graph.nodes.length;
  const found = gradients(new Map([[y, dy]]), [gain, up, down]);
  return { graph, found, firstBackward };
}
