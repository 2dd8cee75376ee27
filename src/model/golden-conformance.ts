// Small models on any backend against what PyTorch says of them: logits, gradients, ten optimiser steps, a greedy continuation.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Backend, bindByName, type DeviceBuffer, type Program } from "../backend/index.ts";
import { gradients } from "../graph/index.ts";
import { type AdamwSettings, gatherGraph, hyperValues, stepGraph, updateGraph } from "../train/index.ts";
import { type Golden, goldenWeights, loadGoldens } from "./goldens.test.helper.ts";
import { batchPositions, constantRows, inferenceGraph, initialise, lossGraph, parameterRows } from "./index.ts";

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
  describe.each(loadGoldens().map((golden) => ({ model: golden.name, golden })))(`${name}: golden $model`, ({ golden }) => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await openBackend();
    });
    afterAll(() => backend.dispose());

    test("logits", () => checkLogits(backend, golden, tolerance.logits));
    test("loss and every gradient", () => checkGradients(backend, golden, tolerance));
    test.each([
      { how: "as one graph", recompute: false },
      { how: "with recomputation", recompute: true },
    ])("ten steps $how", ({ recompute }) => checkSteps(backend, golden, recompute, tolerance));
    test("ten steps with gradients gathered from two batches", () => checkGatheredSteps(backend, golden, tolerance));
    test("greedy continuation with a cache", () => checkGeneration(backend, golden));
  });
}

async function checkLogits(backend: Backend, golden: Golden, tolerance: number): Promise<void> {
  const { config, tokens } = golden;
  const length = tokens[0]!.length;
  const { graph, logits } = inferenceGraph(config, { length, cacheRows: length, logits: "all" });
  const { program, buffers } = await load(backend, graph, golden);
  await buffers.get("positions")!.write(batchPositions({ batch: 1, length }));
  const rows: number[] = [];
  for (const sequence of tokens) {
    await buffers.get("tokens")!.write(sequence);
    await program.run();
    rows.push(...(await program.read(logits)));
  }
  expect(relativeError(rows, golden.logits)).toBeLessThanOrEqual(tolerance);
}

async function checkGradients(backend: Backend, golden: Golden, tolerance: GoldenTolerance): Promise<void> {
  const { graph, loss, trained } = lossGraph(golden.config, sizeOf(golden), true);
  const found = gradients(loss, [...trained.values()]);
  for (const gradient of found.values()) graph.keep(gradient);
  const { program, buffers } = await load(backend, graph, golden);
  await writeBatch(buffers, golden);
  await program.run();
  expect(relativeError(await program.read(loss), [golden.loss])).toBeLessThanOrEqual(tolerance.losses);
  expect([...trained.keys()].map((row) => row.hfName)).toEqual(golden.parameters.map((parameter) => parameter.name));
  for (const [i, tensor] of [...trained.values()].entries()) {
    const { name, gradient } = golden.parameters[i]!;
    expect(relativeError(await program.read(found.get(tensor)!), gradient), name).toBeLessThanOrEqual(tolerance.gradients);
  }
}

async function checkSteps(backend: Backend, golden: Golden, recompute: boolean, tolerance: GoldenTolerance): Promise<void> {
  const { training } = golden;
  const { graph, loss, norm } = stepGraph(golden.config, { ...sizeOf(golden), recompute }, settingsOf(golden));
  const { program, buffers } = await load(backend, graph, golden);
  await writeBatch(buffers, golden);
  const seen = { losses: [] as number[], norms: [] as number[] };
  for (let step = 1; step <= training.steps; step++) {
    await buffers.get("hyper")!.write(hyperOf(golden, step, 1));
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
  const { buffers, program: runFirst } = await load(backend, first.graph, golden);
  const runMore = await backend.compile(more.graph, await bindByName(backend, more.graph, buffers));
  const runUpdate = await backend.compile(update.graph, await bindByName(backend, update.graph, buffers));
  await writeBatch(buffers, golden);
  const losses: number[] = [];
  for (let step = 1; step <= training.steps; step++) {
    await buffers.get("hyper")!.write(hyperOf(golden, step, 2));
    await Promise.all([runFirst.run(), runMore.run(), runUpdate.run()]);
    losses.push((await runMore.read(more.loss))[0]!);
  }
  expectEach(losses, training.losses, tolerance.losses);
}

async function checkGeneration(backend: Backend, golden: Golden): Promise<void> {
  const { prompt, tokens: expected } = golden.generation;
  const cacheRows = prompt.length + expected.length;
  const prefill = inferenceGraph(golden.config, { length: prompt.length, cacheRows, logits: "one" });
  const decode = inferenceGraph(golden.config, { length: 1, cacheRows, logits: "one" });
  const runs = [await load(backend, prefill.graph, golden), await load(backend, decode.graph, golden)] as const;
  const shared = runs[0].buffers;
  for (const [name, buffer] of shared) if (name.startsWith("cache.")) runs[1].buffers.set(name, buffer);
  const decodeProgram = await backend.compile(decode.graph, await bindByName(backend, decode.graph, runs[1].buffers));

  const advance = async (program: Program, buffers: Map<string, DeviceBuffer>, given: readonly number[], start: number) => {
    await buffers.get("tokens")!.write(given);
    await buffers.get("positions")!.write(given.map((_, i) => start + i));
    await buffers.get("start")!.write([start]);
    await buffers.get("row")!.write([given.length - 1]);
    await program.run();
    return program === decodeProgram ? decodeProgram.read(decode.logits) : program.read(prefill.logits);
  };
  const tokens = [argmax(await advance(runs[0].program, shared, prompt, 0))];
  while (tokens.length < expected.length)
    tokens.push(argmax(await advance(decodeProgram, runs[1].buffers, tokens.slice(-1), prompt.length + tokens.length - 1)));
  expect(tokens).toEqual(expected);
}

/** A program with the golden's weights in its buffers. */
async function load(backend: Backend, graph: Parameters<Backend["compile"]>[0], golden: Golden) {
  const buffers = new Map<string, DeviceBuffer>();
  const program = await backend.compile(graph, await bindByName(backend, graph, buffers));
  const weights = goldenWeights(golden);
  for (const row of parameterRows(golden.config)) await buffers.get(row.name)!.write(weights.get(row.hfName)!);
  for (const [name, values] of initialise(constantRows(golden.config), 0)) await buffers.get(name)!.write(values);
  return { program, buffers };
}

async function writeBatch(buffers: ReadonlyMap<string, DeviceBuffer>, golden: Golden): Promise<void> {
  await buffers.get("tokens")!.write(golden.tokens.flat());
  await buffers.get("targets")!.write(golden.targets.flat());
  await buffers.get("positions")!.write(batchPositions(sizeOf(golden)));
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

function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
