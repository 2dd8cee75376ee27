// What is computed together has the bits of its nodes one by one: a program that keeps all its activations is the judge, and the reference is theirs.
import { describe, expect, test } from "vitest";
import { type DType, dequantise, fail, Rng, sizeOf } from "../../base/index.ts";
import { exampleBytes, exampleValues, pageTiles, type Tensor } from "../../graph/index.ts";
import { openExecutor } from "../../host/index.ts";
import { avx512Dots } from "../../kernel/index.ts";
import { sameBits, wide8 } from "../../kernel/testing.test.helper.ts";
import { declareWeights, inferenceGraph, type LlamaConfig, llamaConfig, ropeInputs } from "../../model/index.ts";
import type { Backend, DeviceBuffer } from "../index.ts";
import { referenceBackend } from "../reference/index.ts";
import { cpuBackend } from "./cpu.ts";
import type { Executor } from "./executor.ts";
import { interpreterExecutor } from "./interpreter-executor.ts";
import { Kernels } from "./kernels.ts";
import { lowerGraph } from "./lower-graph.ts";
import { stepsOf } from "./steps.ts";
import { targetsHere } from "./targets.test.helper.ts";

const config = llamaConfig({ vocabSize: 61, dim: 96, nLayers: 2, nHeads: 6, nKvHeads: 2, headDim: 10, hiddenDim: 160, contextLength: 128 });
/** Matrices of several layouts, some of whose rows are quantised alike; `attention.output` reads 60 channels and stays float. */
const layouts: Readonly<Record<string, DType>> = {
  ...{
    "attention.query": "q4_0",
    "attention.key": "q5_0",
    "attention.value": "q8_0",
    "ffn.gate": "q4_1",
    "ffn.up": "q4_1",
    "ffn.down": "q5_1",
  },
  embedding: "q8_0",
};

/** A form of the model, its rows and how many of them are live. */
interface Case {
  readonly title: string;
  readonly config: LlamaConfig;
  readonly rows: number;
  readonly live: number;
}

const wide = llamaConfig({ vocabSize: 61, dim: 64, nLayers: 2, nHeads: 2, nKvHeads: 1, hiddenDim: 96, contextLength: 128 });
/** Rows are no whole blocks. */
const floats = llamaConfig({ vocabSize: 61, dim: 60, nLayers: 2, nHeads: 3, nKvHeads: 1, hiddenDim: 90, contextLength: 128 });
/** Each head is two blocks, and a sequence has two parts. */
const long = llamaConfig({ vocabSize: 61, dim: 128, nLayers: 1, nHeads: 2, nKvHeads: 2, hiddenDim: 96, contextLength: 640 });
const cases: readonly Case[] = [
  { title: "five rows of eight", config, rows: 8, live: 5 },
  { title: "one row of eight", config: wide, rows: 8, live: 1 },
  { title: "rows whose keys are in two parts", config: long, rows: 6, live: 5 },
  { title: "matrices of floats", config: floats, rows: 8, live: 3 },
  { title: "rows of a prompt", config: wide, rows: 53, live: 51 },
  {
    title: "norms behind, biases, heads that are normalised",
    config: { ...wide, normPlacement: "post", qkvBias: true, ffnBias: true, qkNorm: true },
    rows: 7,
    live: 7,
  },
  {
    title: "LayerNorm, two matrices, no rotation",
    config: { ...wide, norm: "layer", activation: "gelu", positions: "none" },
    rows: 3,
    live: 2,
  },
];

/** Pages of a sequence of full length, and some for the other one, such that 5 has no divisor of them. */
function poolPages({ contextLength }: LlamaConfig): number {
  return contextLength > 128 ? 12 : 3;
}

/** What a graph of a case keeps: its logits, or every activation, so that nothing is computed together. */
type Keeping = "logits" | "all";

function graphOf({ config, rows }: Case, keeping: Keeping) {
  const made = inferenceGraph(config, {
    ...{ rows, sequences: 2, contextLength: config.contextLength, cache: { pages: poolPages(config), type: "f16" }, logitRows: rows },
    declare: (graph) => declareWeights(graph, config, ({ name, shape }) => layoutOf(name, shape)),
  });
  if (keeping === "all") for (const tensor of made.graph.tensors) if (tensor.role === "activation") made.graph.keep(tensor);
  return made;
}

function layoutOf(name: string, [, columns]: readonly number[]): DType {
  if (columns === undefined) return "f32";
  const layout = Object.entries(layouts).find(([part]) => name.includes(part))?.[1] ?? "q8_0";
  return columns % 32 === 0 ? layout : "f32";
}

/** The logits of the live rows, and the pages. */
async function outputsOf(backend: Backend, one: Case, keeping: Keeping): Promise<Float32Array> {
  const { graph, logits, pools } = graphOf(one, keeping);
  const buffers = new Map<Tensor, DeviceBuffer>();
  for (const tensor of graph.tensors.filter(({ role }) => role !== "activation")) {
    const buffer = await backend.allocate(tensor, tensor.name);
    await buffer.write(contentOf(tensor, one));
    buffers.set(tensor, buffer);
  }
  const program = await backend.compile(graph, buffers);
  await program.run();
  const { vocabSize } = one.config;
  const made = (await program.read(logits, 0, one.live * vocabSize)) as Float32Array;
  const pages = await Promise.all(pools.flatMap(({ keys, values }) => [keys, values]).map((pool) => buffers.get(pool)?.read()));
  program.dispose();
  for (const buffer of buffers.values()) buffer.dispose();
  const numbers = [made, ...pages.map((page) => dequantise("f16", page as Uint8Array))];
  const all = new Float32Array(numbers.reduce((sum, { length }) => sum + length, 0));
  numbers.reduce((at, array) => {
    all.set(array, at);
    return at + array.length;
  }, 0);
  return all;
}

/** Two sequences: the second one has the last two live rows, where there are so many. */
function contentOf(tensor: Tensor, { config, rows, live }: Case): ArrayLike<number> {
  const rng = new Rng(5).fork(tensor.name);
  const second = live > 3 ? live - 2 : live;
  const slots = Int32Array.from({ length: rows }, (_, row) => (row >= second && row < live ? 1 : 0));
  const positions = Int32Array.from({ length: rows }, (_, row) =>
    row < second ? config.contextLength - 90 + row : row < live ? row - second : 0,
  );
  const inputs: Readonly<Record<string, () => ArrayLike<number>>> = {
    tokens: () => positions.map(() => rng.below(config.vocabSize)),
    positions: () => positions,
    slots: () => slots,
    pages: () => Int32Array.from({ length: sizeOf(tensor.shape) }, (_, i) => (5 * i + 2) % poolPages(config)),
    tiles: () => pageTiles(slots, [...positions], live),
    count: () => Int32Array.of(live),
  };
  const [turns] = [...ropeInputs(config, config.contextLength - 1)].filter(([name]) => name === tensor.name);
  if (turns) return turns[1];
  if (tensor.role === "input") return inputs[tensor.name]?.() ?? fail("test", `what is the input ${tensor.name}?`);
  return tensor.dtype === "f32" ? exampleValues({ ...tensor, scale: 0.3 }, rng) : exampleBytes(tensor, rng);
}

const references = new Map<Case, Promise<Float32Array>>();
/** What the reference computes of a case, once for all backends. */
function reference(one: Case): Promise<Float32Array> {
  const known = references.get(one) ?? outputsOf(referenceBackend(), one, "logits");
  references.set(one, known);
  return known;
}

async function check(executor: Executor, one: Case) {
  await using backend = cpuBackend(executor);
  const [together, apart] = [await outputsOf(backend, one, "logits"), await outputsOf(backend, one, "all")];
  expect(sameBits(together, apart)).toBe(true);
  // A value between two bytes may be rounded to either.
  expect(worst(together, await reference(one))).toBeLessThan(0.02);
}

describe.each(await targetsHere())("%s", (target) => {
  test.each(cases)("$title", async (one) => check(await openExecutor({ target, threads: 2 }), one));
});

test("interpreted", () => check(interpreterExecutor(wide8), cases[0] as Case));

test("what is computed together, and what is not", () => {
  const names = (one: Case, keeping: Keeping) => stepsOf(graphOf(one, keeping).graph, avx512Dots).map(({ op }) => op.name);
  const layer = [
    "rmsNorm + matmul + matmul + matmul",
    "rope + rope + pageWrite + pagedAttention + matmul + add",
    "rmsNorm + matmul + matmul + glu + matmul + add",
  ];
  expect(names(cases[1] as Case, "logits")).toEqual(["embedding", ...layer, ...layer, "rmsNorm + matmul"]);
  expect(names(cases[1] as Case, "all")).toContain("glu");
  const ofFloats = ["rmsNorm", "matmul + matmul + matmul", "rope + rope + pageWrite + pagedAttention", "matmul", "add"];
  expect(names({ ...(cases[1] as Case), config: floats }, "logits")).toEqual([
    "embedding",
    ...Array.from({ length: 2 }, () => [...ofFloats, "rmsNorm", "matmul + matmul", "glu", "matmul", "add"]).flat(),
    ...["rmsNorm", "matmul"],
  ]);
});

test("a layer of few rows is few phases", () => {
  const phasesOf = (nLayers: number) => {
    const { graph } = graphOf({ ...(cases[1] as Case), config: { ...wide, nLayers } }, "logits");
    return lowerGraph(graph, new Kernels(avx512Dots)).phases.length;
  };
  expect(phasesOf(3) - phasesOf(2)).toBe(7);
});

/** The largest difference, relative to the largest magnitude. */
function worst(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, magnitude] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs((actual[i] ?? Number.NaN) - (expected[i] ?? 0)));
    magnitude = Math.max(magnitude, Math.abs(expected[i] ?? 0));
  }
  return difference / magnitude;
}
