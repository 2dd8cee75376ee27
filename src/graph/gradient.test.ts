import { expect, test } from "vitest";
import { add, embedding, f32, Graph, gradientNorm, gradients, i32, linear, linearCrossEntropy, matmul, type Tensor } from "./index.ts";

const names = (graph: Graph) => graph.nodes.map((node) => node.op.name);

test("contributions of several uses are added", () => {
  const graph = new Graph();
  const x = graph.input("x", f32(3, 3));
  const dy = graph.input("dy", f32(3, 3));
  const y = matmul(x, x, "nn");
  gradients(new Map([[y, dy]]), [x]);
  expect(names(graph)).toEqual(["matmul", "matmul", "matmul", "add"]);
});

test("nothing is appended for what is not wanted", () => {
  const graph = new Graph();
  const [x, w, dy] = [graph.input("x", f32(2, 3)), graph.input("w", f32(5, 3)), graph.input("dy", f32(2, 5))] as const;
  const y = linear(x, w);
  const dw = gradients(new Map([[y, dy]]), [w]).get(w)!;
  expect(names(graph)).toEqual(["matmul", "matmul"]);
  expect(dw.shape).toEqual([5, 3]);
});

test("the gradient of a sum is passed on without a node", () => {
  const graph = new Graph();
  const [a, b, dy] = [graph.input("a", f32(2)), graph.input("b", f32(2)), graph.input("dy", f32(2))] as const;
  const found = gradients(new Map([[add(a, b), dy]]), [a, b]);
  expect([found.get(a), found.get(b)]).toEqual([dy, dy]);
});

test("a tied table gathers the gradients of both its uses", () => {
  const { graph, table, loss } = tiny();
  expect(gradients(loss, [table]).get(table)!.shape).toEqual(table.shape);
  expect(names(graph)).toEqual(["embedding", "linearCrossEntropy", "embeddingGradient", "add"]);
});

test("a loss makes its gradients only when it is differentiated, and stays the tensor that it was", () => {
  const { graph, table, loss } = tiny();
  expect(graph.nodes.map((node) => node.outputs.length)).toEqual([1, 2]);
  gradients(loss, [table]);
  expect(graph.nodes[1]!.outputs.map((output) => output.shape)).toEqual([[1], [4], [4, 3], [7, 3]]);
  expect(graph.nodes[1]!.outputs[0]).toBe(loss);
});

test("what cannot be differentiated is an error that says why", () => {
  const { graph, table, loss } = tiny();
  const unused = graph.state("unused", f32(3));
  expect(() => gradients(loss, [table, unused])).toThrow('[gradient] no gradient reaches "unused"');
  expect(() => gradients(loss, [])).toThrow("no tensor is wanted");
  const other = tiny();
  const norm = gradientNorm([other.table]);
  expect(() => gradients(norm, [other.table])).toThrow("[gradientNorm] is not an op that ends in a loss");
  expect(() => gradients(new Map([[norm, other.graph.input("d", f32(1))]]), [other.table])).toThrow("cannot be differentiated");
});

test("rows are limited once, by an input of one number, in a graph without gradients", () => {
  const { graph, table, loss } = tiny();
  graph.limitRows(4, graph.input("count", i32(1)));
  expect(() => graph.limitRows(4, graph.input("again", i32(1)))).toThrow('4 rows are limited by "again", but "count" limits them already');
  expect(() => graph.limitRows(5, graph.input("five", i32(5)))).toThrow('"five" limits 5 rows: it must be an input i32 [1]');
  expect(() => gradients(loss, [table])).toThrow("[gradient] the graph computes only live rows of 4");
});

test("no gradient of a weight is made, and wanting one is an error that says why", () => {
  const graph = new Graph();
  const table = graph.weight("table", { dtype: "q8_0", shape: [7, 32] });
  const base = graph.weight("base", { dtype: "q4_0", shape: [32, 32] });
  const [down, up] = [graph.state("down", f32(3, 32)), graph.state("up", f32(32, 3))] as const;
  const x = embedding(table, graph.input("tokens", i32(4)));
  const adapted = add(linear(x, base), linear(linear(x, down), up));
  const { loss } = linearCrossEntropy(add(x, linear(adapted, base)), table, graph.input("targets", i32(4)), graph.input("inverse", f32(1)));
  const found = gradients(loss, [down, up]);
  expect([...found.values()].map(({ shape }) => shape)).toEqual([down.shape, up.shape]);
  // The loss makes dx alone, the table and x get nothing, and of the base only the product towards its input is left.
  expect(graph.nodes.find(({ op }) => op.name === "linearCrossEntropy")!.outputs.map(({ shape }) => shape)).toEqual([[1], [4], [4, 32]]);
  expect(names(graph).slice(8)).toEqual(["matmul", "matmul", "matmul", "matmul"]);
  expect(() => gradients(loss, [down, base])).toThrow(
    '[gradient] "base" is a weight, which no program changes: declare what is trained as a state',
  );
});

test("a loss makes those of its gradients that are wanted, and later others", () => {
  const graph = new Graph();
  const [x, w] = [graph.input("x", f32(4, 3)), graph.state("w", f32(7, 3))] as const;
  const { loss } = linearCrossEntropy(x, w, graph.input("targets", i32(4)), graph.input("inverse", f32(1)));
  const dw = gradients(loss, [w]).get(w)!;
  expect(graph.nodes[0]!.outputs.map(({ shape }) => shape)).toEqual([[1], [4], [7, 3]]);
  const dx = gradients(loss, [x]).get(x)!;
  expect([dx.shape, dw.shape]).toEqual([x.shape, w.shape]);
  expect(graph.nodes[0]!.outputs.slice(2)).toEqual([dx, dw]);
});

function tiny(): { graph: Graph; table: Tensor; loss: Tensor } {
  const graph = new Graph();
  const table = graph.state("table", f32(7, 3));
  const x = embedding(table, graph.input("tokens", i32(4)));
  const { loss } = linearCrossEntropy(x, table, graph.input("targets", i32(4)), graph.input("inverseCount", f32(1)));
  return { graph, table, loss };
}
