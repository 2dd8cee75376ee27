// Documents packed in windows, as training reads them, against the same documents one by one: the same loss and gradients, through graph and backend.
import { describe, expect, test } from "vitest";
import { type Backend, BoundProgram, type DeviceBuffer } from "../backend/index.ts";
import { referenceBackend } from "../backend/reference/index.ts";
import { Rng } from "../base/index.ts";
import { Mixture } from "../batches/index.ts";
import { gradients } from "../graph/index.ts";
import { openCpuBackend } from "../host/index.ts";
import {
  constantRows,
  countTargets,
  initialise,
  type LlamaConfig,
  type LossBatch,
  type LossSize,
  llamaConfig,
  lossGraph,
  parameterRows,
  writeBatch,
  writePositions,
} from "../model/index.ts";

const length = 48;
/** The second window begins with a document, because tokens and documents are counted so; one document is longer than a block of attention's kernel. */
const begins = [0, 37, 40, 48, 49, 66, 96];
const rng = new Rng(5);
const tokens = Int32Array.from({ length: 97 }, () => rng.below(23));

const backends: readonly (readonly [string, () => Promise<Backend>])[] = [
  ["reference", async () => referenceBackend()],
  ["cpu, wasm", () => openCpuBackend({ threads: 2, target: "wasm" })],
  ["cpu, the widest target", () => openCpuBackend({ threads: 2 })],
];
const sizes = { vocabSize: 23, dim: 16, nLayers: 2, nHeads: 4, nKvHeads: 2, hiddenDim: 24, contextLength: length };

/** The loss, and the gradient of each parameter. */
interface Differentiated {
  readonly loss: number;
  readonly gradients: readonly (readonly number[])[];
}

describe.each(backends)("%s", (name, open) => {
  test.each(name === "reference" ? (["rope", "learned"] as const) : (["rope"] as const))(
    "a packed batch has the loss and gradients of its documents alone, positions %s",
    async (positions) => {
      await using backend = await open();
      const config = llamaConfig({ ...sizes, positions });
      const packed = await packedBatch();
      const inverseCount = 1 / countTargets(packed.targets);
      const together = await differentiate(backend, config, { batch: 2, length, documentMask: true }, packed, inverseCount);
      const alone = await judged(config, inverseCount);
      const tolerance = name === "reference" ? 1e-6 : 1e-5; // both hand float32 over
      expectNear([together.loss], [alone.reduce((sum, { loss }) => sum + loss, 0)], tolerance);
      together.gradients.forEach((gradient, i) => {
        const sum = gradient.map((_, at) => alone.reduce((total, one) => total + one.gradients[i]![at]!, 0));
        expectNear(gradient, sum, tolerance);
      });
    },
  );
});

test("without the mask a packed batch has another loss", async () => {
  await using backend = referenceBackend();
  const config = llamaConfig(sizes);
  const packed = await packedBatch();
  const inverseCount = 1 / countTargets(packed.targets);
  const mixed = await differentiate(backend, config, { batch: 2, length }, { ...packed, documents: undefined }, inverseCount);
  const alone = await judged(config, inverseCount);
  expect(Math.abs(mixed.loss - alone.reduce((sum, { loss }) => sum + loss, 0))).toBeGreaterThan(1e-4);
});

/** The documents one by one, in float64. */
async function judged(config: LlamaConfig, inverseCount: number): Promise<Differentiated[]> {
  await using backend = referenceBackend();
  const alone: Differentiated[] = [];
  for (const document of documentsAlone())
    alone.push(await differentiate(backend, config, { batch: 1, length: document.tokens.length }, document, inverseCount));
  return alone;
}

/** The two windows in order. */
async function packedBatch(): Promise<LossBatch> {
  const source = {
    length: tokens.length,
    read: async (first: number, count: number) => tokens.slice(first, first + count),
    startsWithin: async (first: number, count: number) => begins.filter((start) => start >= first && start < first + count),
  };
  const batch = await new Mixture([{ name: "a", weight: 1, tokens: source }], { batch: 2, length, seed: 1, documentMask: true }).next();
  expect(countTargets(batch.targets)).toBe(2 * length - (begins.length - 1));
  return batch;
}

function documentsAlone(): LossBatch[] {
  return begins.slice(1).map((end, i) => {
    const document = tokens.slice(begins[i], end);
    return { tokens: document, targets: document.map((_, at) => document[at + 1] ?? -1) };
  });
}

async function differentiate(
  backend: Backend,
  config: LlamaConfig,
  size: LossSize,
  batch: LossBatch,
  inverseCount: number,
): Promise<Differentiated> {
  const { graph, loss, trained } = lossGraph(config, size);
  const found = [...gradients(loss, [...trained.values()]).values()].map((gradient) => graph.keep(gradient));
  const states = new Map<string, DeviceBuffer>();
  const program = await BoundProgram.compile(backend, graph, states);
  const rows = [...parameterRows(config), ...constantRows(config)].map((row) => ({ ...row, init: row.init === 0.02 ? 0.3 : row.init }));
  for (const [name, values] of initialise(rows, 9)) await states.get(name)!.write(values);
  await writePositions(program, config, size);
  await writeBatch(program, batch, inverseCount);
  await program.run();
  const read = { loss: (await program.read(loss))[0]!, gradients: await Promise.all(found.map((gradient) => program.read(gradient))) };
  program.dispose();
  for (const buffer of states.values()) buffer.dispose();
  return { loss: read.loss, gradients: read.gradients.map((values) => Array.from(values)) };
}

function expectNear(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  const scale = Math.max(...expected.map(Math.abs));
  expect(scale).toBeGreaterThan(0);
  const worst = Math.max(...expected.map((value, i) => Math.abs(actual[i]! - value)));
  expect(worst / scale).toBeLessThan(tolerance);
}
