import { describe, expect, test } from "vitest";
import { add, f32, Graph, i32, linearCrossEntropy, type Node } from "../../graph/index.ts";
import * as library from "../../kernel/index.ts";
import { inferenceGraph, preset } from "../../model/index.ts";
import { llamaAdamw as adamw, stepGraph } from "../../train/index.ts";
import { cpuBackend } from "./cpu.ts";
import { interpreterExecutor } from "./interpreter-executor.ts";
import { Kernels } from "./kernels.ts";
import { bind, type Lowered, lowerGraph } from "./lower-graph.ts";

const { avx2, avx512Dots, verify, wasm128 } = library;

const config = { ...preset("15M"), nLayers: 2, vocabSize: 32000 };
const graphs: Readonly<Record<string, Graph>> = {
  training: stepGraph(config, { batch: 2, length: 96, recompute: false, precision: "bfloat16" }, adamw).graph,
  inference: inferenceGraph(config, { rows: 64, sequences: 4, contextLength: 200, cache: { pages: 9 }, logitRows: 8 }).graph,
};

describe.each(Object.entries(graphs))("a %s graph", (_, graph) => {
  test.each([wasm128, avx2, avx512Dots])("has kernels that keep the IR's specification on $name", (target) => {
    expect(() => lowerGraph(graph, new Kernels(target)).kernels.forEach(verify)).not.toThrow();
  });

  test("is lowered without addresses: every one moves with what it lies in", () => {
    const lowered = lowerGraph(graph, new Kernels(avx2));
    const [here, there] = [argumentsAt(lowered, 2 ** 32), argumentsAt(lowered, 2 ** 34)];
    const split = (address: number, unit: number) => [Math.floor(address / unit), address % unit];
    expect(here.length).toBeGreaterThan(100);
    expect(here.map((address) => split(address, 2 ** 32))).toEqual(there.map((address) => split(address, 2 ** 34)));
  });
});

test("scratch and addresses inside of a tensor are among those that move", () => {
  const addresses = argumentsAt(lowerGraph(graphs.training!, new Kernels(avx2)), 2 ** 32);
  expect(addresses.some((address) => address >= scratchAt * 2 ** 32)).toBe(true);
  expect(addresses.some((address) => address < scratchAt * 2 ** 32 && address % 2 ** 32 > 0)).toBe(true);
});

test("an address moves with a tensor of many gigabytes that it lies in", () => {
  const [rows, channels] = [2 ** 22, 2 ** 10];
  const graph = new Graph();
  const [x, w] = [graph.input("x", f32(rows, channels)), graph.state("w", f32(64, channels))];
  graph.keep(linearCrossEntropy(x, w, graph.input("targets", i32(rows)), graph.input("inverseCount", f32(1))).loss);
  const addresses = argumentsAt(lowerGraph(graph, new Kernels(avx2)), 2 ** 36);
  expect(Math.max(...addresses.map((address) => (address < scratchAt * 2 ** 36 ? address % 2 ** 36 : 0)))).toBeGreaterThan(2 ** 33);
});

test("the library's kernels have names of their own, by which their code is kept for later processes", () => {
  const isDefinition = (value: unknown): value is library.KernelDefinition<never> =>
    typeof value === "object" && value !== null && "build" in value && "name" in value;
  const names = Object.values(library).flatMap((value: unknown) => (isDefinition(value) ? [value.name] : []));
  expect(names.length).toBeGreaterThan(30);
  expect(new Set(names).size).toBe(names.length);
  for (const graph of Object.values(graphs))
    for (const { name } of lowerGraph(graph, new Kernels(avx2)).kernels) expect(names).toContain(name);
});

test("kernels of one definition and the same constants are one", () => {
  const kernels = new Kernels(wasm128);
  const [first, second] = [lowerGraph(graphs.inference!, kernels), lowerGraph(graphs.inference!, kernels)];
  expect(first.kernels.every((kernel, i) => kernel === second.kernels[i])).toBe(true);
});

const packedAt = 2 ** 15;
const scratchAt = 2 ** 16;

/** All arguments where things lie `unit` bytes apart: tensors by number, then what is packed, scratch. */
function argumentsAt(lowered: Lowered, unit: number): number[] {
  const phases = bind(lowered, {
    address: ({ id }) => id * unit,
    once: ({ id }) => (packedAt + id) * unit,
    scratchAddress: scratchAt * unit,
  });
  return phases.flat().flatMap(({ args }) => args);
}

test("a graph whose memory is counted and which is then compiled is lowered once, unless it has changed meanwhile", async () => {
  const graph = new Graph();
  const x = graph.input("x", f32(3, 8));
  const y = graph.keep(add(x, x));
  const [node] = graph.nodes;
  let lowerings = 0;
  const sizes: Node["op"]["sizes"] = (types, attributes) => {
    lowerings++;
    return node!.op.sizes(types, attributes);
  };
  graph.nodes[0] = { ...node!, op: { ...node!.op, sizes } };
  await using backend = cpuBackend(interpreterExecutor(avx2));
  const buffer = await backend.allocate(x, "x");
  backend.workspaceBytes(graph);
  await backend.compile(graph, new Map([[x, buffer]]));
  expect(lowerings).toBe(1);
  backend.workspaceBytes(graph);
  graph.keep(add(y, y));
  await backend.compile(graph, new Map([[x, buffer]]));
  expect(lowerings).toBe(3);
});
