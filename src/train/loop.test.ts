import { expect, test } from "vitest";
import { referenceBackend } from "../backend/reference/index.ts";
import { type LoopOptions, type StepMetrics, trainSteps } from "./loop.ts";
import { BadLossError, LossWatch } from "./loss-watch.ts";
import { learningRateAt, scheduleOf } from "./schedule.ts";
import { tinyBatches, tinyRecipe } from "./tiny-run.test.helper.ts";
import { Trainer } from "./trainer.ts";
import { trainerOptions } from "./trainer-options.ts";

const recipe = tinyRecipe({
  steps: 8,
  batch: 2,
  accumulation: 2,
  model: { dim: 8, nLayers: 1, nHeads: 1, hiddenDim: 8, contextLength: 8 },
});
const schedule = scheduleOf(recipe);
const options = (trainer: Trainer): LoopOptions => ({
  ...{ trainer, batches: tinyBatches(recipe), steps: recipe.steps },
  learningRate: (step) => learningRateAt(step, schedule),
});
const open = () => Trainer.open(referenceBackend(), trainerOptions(recipe, false));
const timeless = ({ step, tokens, data, loss, gradientNorm, learningRate }: StepMetrics) =>
  structuredClone({ step, tokens, data, loss, gradientNorm, learningRate });

async function wholeRun() {
  using trainer = await open();
  const rows = [];
  for await (const row of trainSteps(options(trainer))) rows.push(row);
  return { rows: rows.map(timeless), seconds: rows.map(({ seconds, eta }) => [seconds, eta]) };
}

test("steps come one by one with their metrics, and go on from any of them as if they had never stopped", async () => {
  const { rows, seconds } = await wholeRun();
  expect(rows.map(({ step, tokens }) => [step, tokens])).toEqual(Array.from({ length: 8 }, (_, i) => [i + 1, 32 * (i + 1)]));
  expect(rows.map(({ learningRate }) => learningRate)).toEqual(rows.map((_, i) => learningRateAt(i, schedule)));
  expect(seconds.every(([took, left], i) => took! > 0 && (i === 7 ? left === 0 : left! > 0))).toBe(true);
  using trainer = await open();
  const parts: ReturnType<typeof timeless>[] = [];
  for await (const row of trainSteps(options(trainer))) {
    parts.push(timeless(row));
    if (row.step === 3) break;
  }
  const again = options(trainer);
  again.batches.restore(parts.at(-1)!.data);
  for await (const row of trainSteps({ ...again, from: parts.at(-1)! })) parts.push(timeless(row));
  expect(parts).toEqual(rows);
});

test("a signal ends it behind the step that is running; a driver's error leaves nothing being read", async () => {
  using trainer = await open();
  const controller = new AbortController();
  const seen: number[] = [];
  for await (const { step } of trainSteps({ ...options(trainer), signal: controller.signal })) {
    seen.push(step);
    if (step === 2) controller.abort();
  }
  expect(seen).toEqual([1, 2]);
  let reading = 0;
  const { batches } = options(trainer);
  const next = async () => {
    reading++;
    const batch = await batches.next();
    await new Promise((resolve) => setTimeout(resolve, 5));
    reading--;
    return batch;
  };
  const slow = { batchTokens: batches.batchTokens, state: undefined, restore: () => undefined, next };
  const run = async () => {
    for await (const _ of trainSteps({ ...options(trainer), batches: slow })) throw new Error("the disk is full");
  };
  await expect(run()).rejects.toThrow("the disk is full");
  expect(reading).toBe(0);
});

test("a loss that is no number ends it where it is watched", async () => {
  using trainer = await open();
  const seen: number[] = [];
  const run = async (watch?: LossWatch) => {
    for await (const { loss } of trainSteps({ ...options(trainer), learningRate: () => 1e30, watch })) seen.push(loss);
  };
  await expect(run(new LossWatch(false))).rejects.toThrow(BadLossError);
  expect(seen.every(Number.isFinite)).toBe(true);
  const watched = seen.length;
  await run();
  expect(seen.length - watched).toBe(8);
  expect(Number.isFinite(seen.at(-1))).toBe(false);
});
