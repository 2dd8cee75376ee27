import { describe, expect, test } from "vitest";
import type { Backend } from "../backend/index.ts";
import { referenceBackend } from "../backend/reference/index.ts";
import { fail, Rng } from "../base/index.ts";
import type { Batch } from "../batches/index.ts";
import { openCpuBackend } from "../host/index.ts";
import { llamaAdamw as adamw } from "./step-graphs.ts";
import { tinyRecipe, vocabSize } from "./tiny-run.test.helper.ts";
import { Trainer, type TrainerOptions } from "./trainer.ts";

const cases: readonly [accumulation: number, compiles: number][] = [
  [1, 0],
  [2, 0],
  [2, 1],
  [2, 2],
];

test.each(cases)("with %i batches a step, what stood when compiling failed after %i programs is freed", async (accumulation, compiles) => {
  await using backend = referenceBackend();
  const counted = countHeld(backend, compiles);
  await expect(openTiny(counted.backend, accumulation)).rejects.toThrow("no memory");
  expect(counted.made).toBeGreaterThan(compiles);
  expect(counted.held).toBe(0);
});

test("an ended trainer holds nothing", async () => {
  await using backend = referenceBackend();
  const counted = countHeld(backend, 3);
  (await openTiny(counted.backend, 2))[Symbol.dispose]();
  expect(counted.held).toBe(0);
});

describe.each([
  ["reference", async () => referenceBackend()],
  ["cpu", () => openCpuBackend({ threads: 2 })],
] as const)("%s", (_, open) => {
  test("passes with unequal numbers of counted tokens give the loss and the update of one pass over all rows", async () => {
    await using backend = await open();
    const rows = countedRows([16, 1, 5, 0]);
    const one = await stepped(backend, 4, [join(rows)]);
    const four = await stepped(
      backend,
      1,
      rows.map((row) => join([row])),
    );
    expect(Math.abs(four.loss - one.loss)).toBeLessThan(2e-6 * one.loss);
    expect(Math.abs(four.gradientNorm - one.gradientNorm)).toBeLessThan(1e-5 * one.gradientNorm);
    // The mean of the four means would be another loss and another gradient.
    const means = await Promise.all(rows.map(async (row) => (await stepped(backend, 1, [join([row])])).loss));
    expect(Math.abs(means.reduce((sum, mean) => sum + mean) / 4 - one.loss)).toBeGreaterThan(1e-3 * one.loss);
    one.moments.forEach((moment, i) => expectNear(four.moments[i]!, moment));
  });
});

test("a step in which no token counts has loss and gradient 0", async () => {
  await using backend = referenceBackend();
  expect(await stepped(backend, 2, [join(countedRows([0, 0]))])).toMatchObject({ loss: 0, gradientNorm: 0 });
});

test("a step is given as many batches as it gathers", async () => {
  await using backend = referenceBackend();
  await expect(stepped(backend, 1, [join(countedRows([3]))], 2)).rejects.toThrow(
    "[train] a step has 1 batches but accumulation is 2: give it as many",
  );
});

test("a batch of another size, or with ids that the model has not, is refused before a kernel reads by them", async () => {
  await using backend = referenceBackend();
  const batch = join(countedRows([3]));
  const short = { ...batch, tokens: batch.tokens.subarray(1) };
  await expect(stepped(backend, 1, [short])).rejects.toThrow("[data] a batch has 15 tokens and 16 targets, but 1 × 16 are read");
  const far = { ...batch, tokens: Int32Array.from(batch.tokens).fill(vocabSize, 7, 8) };
  await expect(stepped(backend, 1, [far])).rejects.toThrow(`a batch has the token ${vocabSize}, but the model has ${vocabSize} tokens`);
  const behind = { ...batch, targets: Int32Array.from(batch.targets).fill(vocabSize + 3, 0, 1) };
  await expect(stepped(backend, 1, [behind])).rejects.toThrow(`a batch has the token ${vocabSize + 3}`);
  await expect(stepped(backend, 1, [{ ...batch, tokens: batch.tokens.map(() => -1) }])).rejects.toThrow("a batch has the token -1");
});

test("options out of their range are refused", async () => {
  await using backend = referenceBackend();
  const batch = join(countedRows([3]));
  await expect(stepped(backend, 1, [batch], 0)).rejects.toThrow("[train] accumulation is 0 but must be a whole number above 0");
  await expect(stepped(backend, 1, [batch], 1, { clipNorm: -1 })).rejects.toThrow(
    "[train] clipNorm is -1 but must be above 0: Infinity clips nothing",
  );
});

test("a batch says where documents begin if and only if they are kept apart", async () => {
  await using backend = referenceBackend();
  const batch = join(countedRows([3]));
  const documents = { positions: batch.tokens, firstKeys: batch.tokens };
  await expect(stepped(backend, 1, [{ ...batch, documents }])).rejects.toThrow(
    "documentMask is false but a batch says where documents begin: ask for both or neither",
  );
  await expect(stepped(backend, 1, [batch], 1, { documentMask: true })).rejects.toThrow("documentMask is true but a batch does not say");
});

/** Rows of 16 tokens of which so many have a target. */
function countedRows(counts: readonly number[]): Batch[] {
  const rng = new Rng(3);
  return counts.map((count) => ({
    tokens: Int32Array.from({ length: 16 }, () => rng.below(vocabSize)),
    targets: Int32Array.from({ length: 16 }, (_, i) => (i < count ? rng.below(vocabSize) : -1)),
  }));
}

function join(rows: readonly Batch[]): Batch {
  const [tokens, targets] = [rows.flatMap((row) => [...row.tokens]), rows.flatMap((row) => [...row.targets])];
  return { tokens: Int32Array.from(tokens), targets: Int32Array.from(targets) };
}

/** One step, and the first moments behind it: a tenth of the gradient, because the first weights' are 0 and nothing is clipped. */
async function stepped(
  backend: Backend,
  batch: number,
  batches: readonly Batch[],
  accumulation = batches.length,
  more: Partial<TrainerOptions> = {},
) {
  const { model: config, length, seed } = tinyRecipe();
  const options = {
    config,
    size: { batch, length, recompute: false },
    accumulation,
    adamw,
    clipNorm: Number.POSITIVE_INFINITY,
    seed,
    ...more,
  };
  using trainer = await Trainer.open(backend, options);
  const result = await trainer.step(batches, 1, 1e-3);
  const moments = await Promise.all(trainer.tensors.filter(({ name }) => name.endsWith(".m")).map((tensor) => tensor.read()));
  return { ...result, moments };
}

function expectNear(actual: Float32Array, expected: Float32Array): void {
  const scale = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  expect(scale).toBeGreaterThan(0);
  expected.forEach((x, i) => {
    expect(Math.abs(actual[i]! - x)).toBeLessThan(1e-5 * scale);
  });
}

function openTiny(backend: Backend, accumulation: number): Promise<Trainer> {
  const { model: config, batch, length, recompute, seed } = tinyRecipe();
  return Trainer.open(backend, { config, size: { batch, length, recompute }, accumulation, adamw, clipNorm: 1, seed });
}

/** The backend, counting the buffers and programs made and not yet disposed of; compiling fails after so many programs. */
function countHeld(backend: Backend, compiles: number) {
  const counts = { made: 0, held: 0 };
  const count = <T extends { dispose(): void }>(one: T): T => {
    const dispose = one.dispose.bind(one);
    counts.made++;
    counts.held++;
    one.dispose = () => {
      counts.held--;
      dispose();
    };
    return one;
  };
  let left = compiles;
  const counting: Backend = {
    name: backend.name,
    target: backend.target,
    workspaceBytes: (graph) => backend.workspaceBytes(graph),
    sharedBytes: (graph) => backend.sharedBytes(graph),
    memory: () => backend.memory(),
    allocate: async (...args) => count(await backend.allocate(...args)),
    compile: async (...args) => (left-- > 0 ? count(await backend.compile(...args)) : fail("test", "no memory")),
    dispose: () => backend.dispose(),
    [Symbol.asyncDispose]: () => backend.dispose(),
  };
  return Object.assign(counts, { backend: counting });
}
