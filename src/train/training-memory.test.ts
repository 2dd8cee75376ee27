import { afterAll, expect, test } from "vitest";
import type { Backend } from "../backend/index.ts";
import { type Graph, tensorBytes } from "../graph/index.ts";
import { openCpuBackend } from "../host/index.ts";
import { llamaConfig } from "../model/index.ts";
import { llamaAdamw as adamw } from "./step-graphs.ts";
import { Trainer, type TrainerOptions } from "./trainer.ts";
import { trainingGraphs } from "./training-graphs.ts";
import { checkMemory, largestBatch, trainingMemory } from "./training-memory.ts";

const backend = await openCpuBackend({ threads: 1, target: "wasm" });
afterAll(() => backend.dispose());

const config = llamaConfig({ vocabSize: 300, dim: 32, nLayers: 2, nHeads: 2, hiddenDim: 64, contextLength: 32 });
const options = (batch: number, more: Partial<TrainerOptions> = {}): TrainerOptions => ({
  ...{ config, adamw, accumulation: 1, clipNorm: 1, seed: 1, evaluates: true },
  size: { batch, length: 32, recompute: false },
  ...more,
});

/** The backend with so much memory, and how many bytes it was asked for. */
function limited(bytes: number) {
  const taken = { bytes: 0 };
  const arenas = (graph: Graph) => {
    taken.bytes += backend.workspaceBytes(graph);
  };
  const counting: Backend = {
    name: backend.name,
    target: backend.target,
    allocate: (type, name) => {
      taken.bytes += tensorBytes(type);
      return backend.allocate(type, name);
    },
    compile: (graph, bindings) => {
      arenas(graph);
      return backend.compile(graph, bindings);
    },
    workspaceBytes: (graph) => backend.workspaceBytes(graph),
    sharedBytes: (graph) => backend.sharedBytes(graph),
    memory: () => ({ bytes, bound: "what the test gives" }),
    dispose: () => backend.dispose(),
    [Symbol.asyncDispose]: () => backend.dispose(),
  };
  return { backend: counting, taken };
}

test.each([1, 3])("what is counted is what a trainer with accumulation %i and its evaluator allocate", async (accumulation) => {
  const { backend: counting, taken } = limited(1e9);
  const asked = options(4, { accumulation });
  const { states, workspace } = trainingMemory(counting, trainingGraphs(asked));
  using trainer = await Trainer.open(counting, asked);
  using _evaluator = await trainer.openEvaluator();
  expect(taken.bytes).toBe(states + workspace);
});

test("a backend's workspace is what compiling takes of its memory, but for rounding", async () => {
  await using fresh = await openCpuBackend({ threads: 1, target: "wasm" });
  const before = fresh.memory().bytes;
  const asked = options(16, { evaluates: false });
  const { states, workspace } = trainingMemory(fresh, trainingGraphs(asked));
  using _trainer = await Trainer.open(fresh, asked);
  const used = before - fresh.memory().bytes;
  expect(used).toBeGreaterThanOrEqual(states + workspace - 2 ** 16);
  expect(used).toBeLessThan(states + workspace + 2 ** 16);
});

test("the largest batch that fits is the largest: it fits, and one more does not", () => {
  const needs = (batch: number, accumulation = 1) => {
    const { states, workspace } = trainingMemory(backend, trainingGraphs(options(batch, { accumulation })));
    return states + workspace;
  };
  for (const bytes of [needs(1), needs(7), needs(20) - 1]) {
    const fits = largestBatch(backend, options(1000), bytes);
    expect(needs(fits)).toBeLessThanOrEqual(bytes);
    expect(needs(fits + 1)).toBeGreaterThan(bytes);
  }
  expect(largestBatch(backend, options(1000), needs(1) - 1)).toBe(0);
});

test("too little memory is refused before any is taken, with what is needed, what is there, and the batch that fits", async () => {
  const { states, workspace } = trainingMemory(backend, trainingGraphs(options(5)));
  const { backend: small, taken } = limited(states + workspace);
  expect(checkMemory(small, options(5))).toMatchObject({ states, workspace, there: { bytes: states + workspace } });
  await expect(Trainer.open(small, options(64))).rejects.toThrow(
    /training needs [\d.]+ GB of memory \(.*\), but what the test gives is [\d.]+ GB: the largest batch that fits is 5: set batch to 5, or, for steps as large, to \d and accumulation to \d+$/,
  );
  expect(() => checkMemory(limited(1000).backend, options(2))).toThrow(
    "no batch fits, not even 1: use a smaller model or a shorter length, or set recompute to true",
  );
  expect(taken.bytes).toBe(0);
});
