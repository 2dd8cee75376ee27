// Adapters on a frozen base of several layouts, through graph and backend: reference against every target of the CPU.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Backend, BoundProgram, type DeviceBuffer, type HostArray } from "../backend/index.ts";
import { referenceBackend } from "../backend/reference/index.ts";
import { bytesOf, type DType, dequantise, elementLayouts, float16Bits, Rng, sizeOf } from "../base/index.ts";
import { Graph, i32, type Tensor } from "../graph/index.ts";
import { chooseTarget, openCpuBackend } from "../host/index.ts";
import { type AdamwSettings, gatherGraph, hyperValues, stepGraph, updateGraph } from "../train/index.ts";
import {
  causalAttention,
  type Declare,
  declareAdapted,
  declareTurns,
  declareWeights,
  initialise,
  type LlamaConfig,
  type LoraSettings,
  llama,
  llamaConfig,
  loraRows,
  mergeLora,
  outputProjection,
  type ParameterRow,
  parameterRows,
  partsOf,
  writeBatch,
  writePositions,
} from "./index.ts";
import { adapters } from "./lora.ts";

const size = { batch: 2, length: 4 };
const rows = size.batch * size.length;
const steps = 6;
const lora: LoraSettings = { rank: 3, alpha: 6, targets: ["attention.query", "attention.value"] };
/** Its epsilon is far above the rounding of gradients, which a smaller one would magnify to the size of a step. */
const adamw: AdamwSettings = { beta1: 0.9, beta2: 0.95, epsilon: 1e-5, decay: 0.1 };

/** A model whose matrices and tables have this layout, frozen. */
interface Base {
  readonly layout: DType;
  readonly config: LlamaConfig;
  /** The content of every weight, as a backend takes it. */
  readonly contents: ReadonlyMap<string, HostArray>;
}

/** The standard deviation of elements whose block has random bytes and a scale of 1. */
const deviations: Partial<Record<DType, number>> = { q8_0: 73, q4_0: 4.6, q4_K: 200 };

/** Float32 has what LLaMA's relatives have, bfloat16 odd widths, and the quantised ones a width of whole blocks. */
const bases = [
  base("f32", { dim: 24, nHeads: 4, nKvHeads: 2, nLayers: 2, hiddenDim: 40, qkvBias: true, qkNorm: true }),
  base("bf16", { dim: 15, nHeads: 3, nKvHeads: 1, headDim: 6, nLayers: 1, hiddenDim: 37, ffnBias: true }),
  base("q8_0", { dim: 32, nHeads: 4, nKvHeads: 2, nLayers: 1, hiddenDim: 64 }),
  base("q4_0", { dim: 64, nHeads: 4, nKvHeads: 2, nLayers: 1, hiddenDim: 32 }),
  base("q4_K", { dim: 256, nHeads: 4, nKvHeads: 4, nLayers: 1, hiddenDim: 256, tiedOutput: true }),
];

function base(layout: DType, sizes: Omit<Parameters<typeof llamaConfig>[0], "vocabSize">): Base {
  const config = llamaConfig({ vocabSize: 29, contextLength: 16, ...sizes });
  const rng = new Rng(7);
  const contents = parameterRows(config).map((row) => [row.name, contentOf(row, layoutFor(row, layout), rng.fork(row.name))] as const);
  return { layout, config, contents: new Map(contents) };
}

function layoutFor({ shape }: ParameterRow, layout: DType): DType {
  return shape.length === 2 ? layout : "f32";
}

/** Gains near 1, biases near 0, and matrices whose products have about the size of what they multiply. */
function contentOf({ shape, init }: ParameterRow, layout: DType, rng: Rng): HostArray {
  const deviation = 1 / Math.sqrt(shape.at(-1) ?? 1);
  if (layout === "f32" && shape.length === 2) return Float32Array.from({ length: sizeOf(shape) }, () => rng.normal() * deviation);
  if (layout === "f32") return Float32Array.from({ length: sizeOf(shape) }, () => (init === "ones" ? 1 : 0) + rng.normal() * 0.2);
  if (layout === "bf16") return bfloat16Bytes(Float32Array.from({ length: sizeOf(shape) }, () => rng.normal() * deviation));
  const { bytes } = elementLayouts[layout];
  const data = Uint8Array.from({ length: bytesOf(layout, shape) }, () => rng.below(256));
  const view = new DataView(data.buffer);
  for (let block = 0; block < data.length; block += bytes) {
    const step = (deviation / (deviations[layout] ?? 1)) * (0.8 + 0.4 * rng.uniform());
    view.setUint16(block, float16Bits(step), true);
    if (layout === "q4_K") view.setUint16(block + 2, float16Bits(7.5 * step), true); // its minima then cancel the mean
  }
  return data;
}

/** The upper halves of float32. */
function bfloat16Bytes(values: Float32Array): Uint8Array {
  return new Uint8Array(Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16).buffer);
}

function adaptedBy({ layout }: Base, settings = lora): Declare {
  return (graph, config) => declareAdapted(graph, config, settings, (row) => layoutFor(row, layout));
}

const batch = { tokens: hashed(rows, 1), targets: hashed(rows, 2).map((target, i) => (i === 4 ? -1 : target)) };

function hashed(count: number, seed: number): number[] {
  const rng = new Rng(seed);
  return Array.from({ length: count }, () => rng.below(29));
}

/** The states and weights that a run starts from, by name: the base's contents, and the adapters' first values. */
async function fill(states: ReadonlyMap<string, DeviceBuffer>, { config, contents }: Base, settings = lora): Promise<void> {
  const first = initialise(loraRows(config, settings), 3);
  for (const [name, values] of [...contents, ...first]) await states.get(name)?.write(values);
}

interface Trained {
  readonly losses: readonly number[];
  /** The adapters' states by name. */
  readonly adapters: ReadonlyMap<string, Float32Array>;
  /** The weights by name, read back. */
  readonly weights: ReadonlyMap<string, HostArray>;
}

async function train(backend: Backend, base: Base, steps: number): Promise<Trained> {
  const built = stepGraph(base.config, { ...size, recompute: true, declare: adaptedBy(base) }, adamw);
  // Gradients of matrices are products aᵀ·b: those of the adapters alone are made.
  expect(built.graph.nodes.some(({ op }) => op.name === "embeddingGradient")).toBe(false);
  expect(built.graph.nodes.filter(({ attributes }) => attributes.form === "tn").length).toBe(loraRows(base.config, lora).length);
  const states = new Map<string, DeviceBuffer>();
  using program = await BoundProgram.compile(backend, built.graph, states);
  await fill(states, base);
  await writeRows(program, base);
  const losses: number[] = [];
  for (let step = 1; step <= steps; step++) {
    await program.write("hyper", hyperValues({ learningRate: 0.3 / base.config.dim, step, batches: 1, clipNorm: 1 }, adamw));
    await program.run();
    losses.push((await program.read(built.loss))[0] ?? Number.NaN);
  }
  const trained = await readAll(
    states,
    [...built.trained.keys()].map(({ name }) => name),
  );
  const weights = await readAll(states, [...base.contents.keys()]);
  for (const buffer of states.values()) buffer.dispose();
  return { losses, adapters: trained as ReadonlyMap<string, Float32Array>, weights };
}

async function writeRows(program: BoundProgram, { config }: Base): Promise<void> {
  await writeBatch(program, batch);
  await writePositions(program, config, size);
}

async function readAll(states: ReadonlyMap<string, DeviceBuffer>, names: readonly string[]): Promise<Map<string, HostArray>> {
  const read = new Map<string, HostArray>();
  for (const name of names) {
    const values = await states.get(name)?.read();
    if (values) read.set(name, values);
  }
  return read;
}

/** Logits [N, V] of the batch, with the parameters that `declare` puts into the graph. */
async function logits(backend: Backend, base: Base, declare: Declare, contents: ReadonlyMap<string, HostArray>): Promise<Float32Array> {
  const graph = new Graph();
  const [tokens, positions] = [graph.input("tokens", i32(rows)), graph.input("positions", i32(rows))] as [Tensor, Tensor];
  const { parameters } = declare(graph, base.config);
  const parts = { ...partsOf(base.config), attention: causalAttention(base.config, size.batch) };
  const x = llama(parameters, parts, base.config, { tokens, positions, turns: declareTurns(graph, base.config) });
  const scores = graph.keep(outputProjection(parameters).apply(x));
  const states = new Map<string, DeviceBuffer>();
  using program = await BoundProgram.compile(backend, graph, states);
  for (const [name, values] of contents) await states.get(name)?.write(values);
  await program.write("tokens", batch.tokens);
  await writePositions(program, base.config, size);
  await program.run();
  const found = Float32Array.from(await program.read(scores));
  for (const buffer of states.values()) buffer.dispose();
  return found;
}

/** The base in float32 with the adapters merged into their matrices. */
function merged({ config, contents, layout }: Base, trained: ReadonlyMap<string, Float32Array>): Map<string, Float32Array> {
  const byMatrix = adapters(config, lora);
  return new Map(
    parameterRows(config).map((row) => {
      const content = contents.get(row.name) ?? new Float32Array();
      const dense = content instanceof Uint8Array ? Float32Array.from(dequantise(layout, content)) : Float32Array.from(content);
      const adapter = byMatrix.get(row.name);
      if (!adapter) return [row.name, dense];
      const [a, b] = [trained.get(adapter.a.name), trained.get(adapter.b.name)];
      expect(a && b).toBeDefined();
      return [row.name, a && b ? mergeLora(row, dense, { a, b }, lora) : dense];
    }),
  );
}

const targets: string[] = ["wasm"];
for (const target of ["avx2", "avx512"])
  await chooseTarget(target).then(
    () => targets.push(target),
    () => undefined,
  );

const reference = new Map<Base, Promise<Trained>>();
/** The steps in float64, once for each base. */
function judged(one: Base): Promise<Trained> {
  const known = reference.get(one) ?? train(referenceBackend(), one, steps);
  reference.set(one, known);
  return known;
}

describe.each(targets)("cpu: %s", (target) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await openCpuBackend({ target, threads: 2 });
  });
  afterAll(() => backend.dispose());

  test.each(bases)("steps of adapters on a frozen $layout base are the reference's, and the base stays as it is", async (one) => {
    const [expected, found] = [await judged(one), await train(backend, one, steps)];
    found.losses.forEach((loss, i) => expect(Math.abs(loss / (expected.losses[i] ?? 0) - 1)).toBeLessThan(5e-6));
    expect([...found.adapters.keys()]).toEqual(loraRows(one.config, lora).map(({ name }) => name));
    for (const [name, values] of found.adapters) expect(relativeError(values, expected.adapters.get(name) ?? []), name).toBeLessThan(1e-3);
    expect(found.losses.at(-1)).toBeLessThan(0.98 * (found.losses[0] ?? 0));
    expect(found.weights).toEqual(one.contents);
  });
});

test.each(bases)("an untrained adapter changes no logit of a $layout base, a trained one merges into its matrices", async (one) => {
  await using backend = await openCpuBackend({ threads: 2 });
  const frozen: Declare = (graph, config) => declareWeights(graph, config, (row) => layoutFor(row, one.layout));
  const dense: Declare = (graph, config) => declareWeights(graph, config, () => "f32");
  const plain = await logits(backend, one, frozen, one.contents);
  const first = initialise(loraRows(one.config, lora), 3);
  expect(
    largestDifference(await logits(backend, one, adaptedBy(one), new Map<string, HostArray>([...one.contents, ...first])), plain),
  ).toBe(0);

  const trained = (await judged(one)).adapters;
  const withAdapters = await logits(backend, one, adaptedBy(one), new Map<string, HostArray>([...one.contents, ...trained]));
  expect(largestDifference(withAdapters, plain)).toBeGreaterThan(0.05);
  expect(relativeError(await logits(backend, one, dense, merged(one, trained)), withAdapters)).toBeLessThan(1e-5);
});

test("a step gathered over passes updates the adapters alone, as a step on one batch does", async () => {
  const one = bases[0];
  if (!one) return expect.unreachable();
  await using backend = referenceBackend();
  const declare = adaptedBy(one);
  const pass = { ...size, recompute: false, declare };
  const states = new Map<string, DeviceBuffer>();
  const gather = await BoundProgram.compile(backend, gatherGraph(one.config, pass, true).graph, states);
  const update = await BoundProgram.compile(backend, updateGraph(one.config, adamw, declare).graph, states);
  await fill(states, one);
  await writeRows(gather, one);
  await update.write("hyper", hyperValues({ learningRate: 0.3 / one.config.dim, step: 1, batches: 1, clipNorm: 1 }, adamw));
  await gather.run();
  await update.run();
  const whole = await train(backend, one, 1);
  for (const [name, values] of whole.adapters) expect(await states.get(name)?.read(), name).toEqual(values);
  expect([...states.keys()].filter((name) => name.endsWith(".m")).length).toBe(loraRows(one.config, lora).length);
});

test("rows of adapters: names, shapes, first values", () => {
  const config = llamaConfig({ vocabSize: 29, dim: 24, nLayers: 2, nHeads: 4, nKvHeads: 2, headDim: 10, hiddenDim: 40 });
  const found = loraRows(config, { rank: 3, alpha: 6, targets: ["ffn.down", "attention.value"] });
  expect(found.map(({ name, shape }) => `${name} ${shape.join("x")}`)).toEqual(
    [0, 1].flatMap((i) => [
      `layers.${i}.attention.value.loraA 3x24`,
      `layers.${i}.attention.value.loraB 20x3`,
      `layers.${i}.ffn.down.loraA 3x40`,
      `layers.${i}.ffn.down.loraB 24x3`,
    ]),
  );
  const first = initialise(found, 1);
  expect(first.get("layers.1.ffn.down.loraB")).toEqual(new Float32Array(24 * 3));
  expect(first.get("layers.1.ffn.down.loraA")?.some((value) => value !== 0)).toBe(true);
  expect(found.every(({ decay }) => decay)).toBe(true);
});

test.each([
  [{ rank: 0 }, 'LoRA\'s rank is 0: for "attention.query" it must be an integer from 1 to 24'],
  [{ rank: 13, targets: ["attention.value"] }, 'LoRA\'s rank is 13: for "attention.value" it must be an integer from 1 to 12'],
  [{ alpha: -1 }, "LoRA's alpha is -1: it must be a number above 0"],
  [{ targets: [] }, "LoRA has no targets: name some of attention.query, attention.key"],
  [{ targets: ["ffn.gate"] }, 'the model has no linear layer "ffn.gate", did you mean "ffn.up"?: choose of attention.query'],
  [{ targets: ["attention.queri"] }, 'the model has no linear layer "attention.queri", did you mean "attention.query"?'],
])("settings that do not fit are refused by name: %o", (changes, message) => {
  const config = llamaConfig({ vocabSize: 29, dim: 24, nLayers: 2, nHeads: 4, nKvHeads: 2, hiddenDim: 40, activation: "relu" });
  expect(() => loraRows(config, { ...lora, ...changes } as LoraSettings)).toThrow(`[model] ${message}`);
});

test("what does not belong together is not merged", () => {
  const row = { name: "w", shape: [2, 3], init: 1, decay: true };
  const [a, b] = [new Float32Array(3), new Float32Array(3)];
  expect(() => mergeLora(row, new Float32Array(6), { a, b }, { rank: 1, alpha: 1, targets: [] })).toThrow(
    "a matrix of 6 numbers, A of 3 and B of 3 are not [2, 3] with rank 1",
  );
});

/** |a − b| / |b|, Euclidean. */
function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  const norm = (values: readonly number[]) => Math.hypot(...values);
  return norm(Array.from(a, (value, i) => value - (b[i] ?? Number.NaN))) / norm(Array.from(b));
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] ?? Number.NaN))));
}
