// Small models on any backend against what PyTorch says of them: logits, gradients, ten optimiser steps, a greedy continuation.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Backend, BoundProgram, type DeviceBuffer } from "../backend/index.ts";
import { fail } from "../base/index.ts";
import { hfName } from "../formats/index.ts";
import { type Graph, gradients } from "../graph/index.ts";
import { generateTokens, SequenceModel } from "../infer/index.ts";
import { type AdamwSettings, gatherGraph, hyperValues, stepGraph, updateGraph } from "../train/index.ts";
import { type Golden, goldenWeights, loadGoldens } from "./goldens.test.helper.ts";
import { constantRows, initialise, lossGraph, parameterRows, writeBatch, writePositions } from "./index.ts";

/** Largest relative errors, by Euclidean norm for arrays. */
export interface GoldenTolerance {
  readonly logits: number;
  readonly gradients: number;
  readonly losses: number;
}

/** What float32 must meet. */
export const float32Tolerance: GoldenTolerance = { logits: 1e-4, gradients: 1e-3, losses: 1e-4 };

/** Registers the golden tests for one backend. */
export function goldenConformance(name: string, openBackend: () => Backend | Promise<Backend>, tolerance = float32Tolerance): void {
  describe(name, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await openBackend();
    });
    afterAll(() => backend.dispose());

    describe.each(loadGoldens().map((golden) => ({ model: golden.name, golden })))("golden $model", ({ golden }) => {
      test("logits", () => checkLogits(backend, golden, tolerance.logits));
      test("loss and every gradient", () => checkGradients(backend, golden, tolerance));
      test.each([
        { how: "as one graph", recompute: false },
        { how: "with recomputation", recompute: true },
      ])("ten steps $how", ({ recompute }) => checkSteps(backend, golden, recompute, tolerance));
      test("ten steps with gradient accumulation over two batches", () => checkGatheredSteps(backend, golden, tolerance));
      test("greedy continuation with a cache", () => checkGeneration(backend, golden));
    });
  });
}

async function checkLogits(backend: Backend, golden: Golden, tolerance: number): Promise<void> {
  await using model = await openModel(backend, golden);
  const results = await model.run(golden.tokens.map((ids) => ({ sequence: model.sequence(), ids, logits: "all" }) as const));
  const logits = results.flatMap((result) => result.logits.flatMap((row) => [...row]));
  expect(relativeError(logits, golden.logits)).toBeLessThanOrEqual(tolerance);
}

async function checkGradients(backend: Backend, golden: Golden, tolerance: GoldenTolerance): Promise<void> {
  const { graph, loss, trained } = lossGraph(golden.config, sizeOf(golden));
  const found = gradients(loss, [...trained.values()]);
  for (const gradient of found.values()) graph.keep(gradient);
  const { program } = await load(backend, graph, golden);
  await writeGolden(program, golden);
  await program.run();
  expect(relativeError(await program.read(loss), [golden.loss])).toBeLessThanOrEqual(tolerance.losses);
  expect([...trained.keys()].map((row) => hfName(row.name))).toEqual(golden.parameters.map((parameter) => parameter.name));
  for (const [i, tensor] of [...trained.values()].entries()) {
    const { name, gradient } = golden.parameters[i]!;
    expect(relativeError(await program.read(found.get(tensor)!), gradient), name).toBeLessThanOrEqual(tolerance.gradients);
  }
}

async function checkSteps(backend: Backend, golden: Golden, recompute: boolean, tolerance: GoldenTolerance): Promise<void> {
  const { training } = golden;
  const { graph, loss, norm } = stepGraph(golden.config, { ...sizeOf(golden), recompute }, settingsOf(golden));
  const { program } = await load(backend, graph, golden);
  await writeGolden(program, golden);
  const seen = { losses: [] as number[], norms: [] as number[] };
  for (let step = 1; step <= training.steps; step++) {
    await program.write("hyper", hyperOf(golden, step, 1));
    await program.run();
    seen.losses.push((await program.read(loss))[0]!);
    seen.norms.push((await program.read(norm))[0]!);
  }
  expectEach(seen.losses, training.losses, tolerance.losses);
  expectEach(seen.norms, training.gradientNorms, tolerance.gradients);
}

/** The same batch twice has the mean gradient of the batch itself. */
async function checkGatheredSteps(backend: Backend, golden: Golden, tolerance: GoldenTolerance): Promise<void> {
  const { config, training } = golden;
  const size = { ...sizeOf(golden), recompute: true };
  const [first, more] = [gatherGraph(config, size, true), gatherGraph(config, size, false)];
  const update = updateGraph(config, settingsOf(golden));
  const { states, program: runFirst } = await load(backend, first.graph, golden);
  const runMore = await BoundProgram.compile(backend, more.graph, states);
  const runUpdate = await BoundProgram.compile(backend, update.graph, states);
  await writeGolden(runFirst, golden);
  await writeGolden(runMore, golden);
  const losses: number[] = [];
  for (let step = 1; step <= training.steps; step++) {
    await runUpdate.write("hyper", hyperOf(golden, step, 2));
    await Promise.all([runFirst.run(), runMore.run(), runUpdate.run()]);
    losses.push((await runMore.read(more.loss))[0]!);
  }
  expectEach(losses, training.losses, tolerance.losses);
}

async function checkGeneration(backend: Backend, golden: Golden): Promise<void> {
  const { prompt, tokens: expected } = golden.generation;
  await using model = await openModel(backend, golden);
  const tokens: number[] = [];
  for await (const { id } of generateTokens(model, prompt, { temperature: 0, maxTokens: expected.length })) tokens.push(id);
  expect(tokens).toEqual(expected);
}

function openModel(backend: Backend, golden: Golden): Promise<SequenceModel> {
  const weights = goldenWeights(golden);
  return SequenceModel.open(backend, golden.config, {
    read: async ({ name }) => weights.get(hfName(name)) ?? fail("golden", `no ${name}`),
  });
}

/** A program with the golden's weights in its states. */
async function load(backend: Backend, graph: Graph, golden: Golden) {
  const states = new Map<string, DeviceBuffer>();
  const program = await BoundProgram.compile(backend, graph, states);
  const weights = goldenWeights(golden);
  for (const row of parameterRows(golden.config)) await states.get(row.name)!.write(weights.get(hfName(row.name))!);
  for (const [name, values] of initialise(constantRows(golden.config), 0)) await states.get(name)!.write(values);
  return { program, states };
}

async function writeGolden(program: BoundProgram, golden: Golden): Promise<void> {
  await writeBatch(program, { tokens: golden.tokens.flat(), targets: golden.targets.flat() });
  await writePositions(program, golden.config, sizeOf(golden));
}

function sizeOf({ tokens }: Golden): { batch: number; length: number } {
  return { batch: tokens.length, length: tokens[0]!.length };
}

function settingsOf({ training: { beta1, beta2, epsilon, weightDecay } }: Golden): AdamwSettings {
  return { beta1, beta2, epsilon, decay: weightDecay };
}

function hyperOf(golden: Golden, step: number, batches: number): Float32Array {
  const { learningRates, maxGradientNorm } = golden.training;
  return hyperValues({ learningRate: learningRates[step - 1]!, step, batches, clipNorm: maxGradientNorm }, settingsOf(golden));
}

function expectEach(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(relativeError([actual[i]!], [value]), `step ${i + 1}`).toBeLessThanOrEqual(tolerance);
  });
}

/** |actual − expected| / |expected|, Euclidean. */
function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let difference = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return Math.sqrt(difference / size);
}
