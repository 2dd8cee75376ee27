// What the graph that writes and scores text is made of.
import { expect, test } from "vitest";
import type { Graph } from "../graph/index.ts";
import { declareWeights } from "./declare.ts";
import { inferenceGraph } from "./inference-graph.ts";
import { lossGraph } from "./loss-graph.ts";
import { preset } from "./presets.ts";

const config = { ...preset("260K"), vocabSize: 64, hiddenDim: 192 };
const quantised = (graph: Graph) => declareWeights(graph, config, ({ shape }) => (shape.length === 2 ? "q8_0" : "f32"));
const roundings = ({ nodes }: Graph) =>
  new Set(nodes.filter(({ op }) => op.name === "matmul").map(({ attributes }) => attributes.precision));

test("rows are multiplied as bytes where matrices are quantised, and as floats elsewhere and for a loss", () => {
  const size = { rows: 2, sequences: 1, contextLength: 64, logitRows: 2, cache: { pages: 1 } };
  expect(roundings(inferenceGraph(config, { ...size, declare: quantised }).graph)).toEqual(new Set(["int8"]));
  expect(roundings(inferenceGraph(config, size).graph)).toEqual(new Set(["float32"]));
  expect(roundings(lossGraph(config, { batch: 1, length: 8, declare: quantised }).graph)).toEqual(new Set(["float32"]));
});
