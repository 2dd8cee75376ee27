import { expect, test } from "vitest";
import { readRecipe, runPaths, writeRecipe } from "../runs/index.ts";
import { metricsOf, tinyScope } from "../runs/tiny-scope.test.helper.ts";
import { completeRecipe } from "../train/index.ts";
import { patternTokens, tinyRecipe, vocabSize } from "../train/tiny-run.test.helper.ts";
import { type TimedJob, trainInTime } from "./train-in-time.ts";

async function timedScope(more: Partial<TimedJob>) {
  const scope = await tinyScope();
  const { folder, backend } = scope;
  const recipe = tinyRecipe({ steps: 200, checkpoints: { every: 1000 }, evaluation: { every: 1000 } });
  await writeRecipe(runPaths(folder).recipe, recipe);
  const replans: number[][] = [];
  const job: TimedJob = {
    ...{ backend, recipe, folder, evaluationSeconds: 0, mostSteps: 1e6, progress: () => {}, onStep: () => {} },
    sources: [{ name: "a", weight: 1, tokens: patternTokens(700) }],
    heldOut: { tokens: patternTokens(200, 3), bytes: 150 },
    signal: new AbortController().signal,
    onReplan: (...change) => replans.push(change),
    ...more,
  };
  return { folder, job, replans, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() };
}

test("a run that would end too late is planned anew, ends with the steps that its recipe then says, and has a row for each", async () => {
  await using scope = await timedScope({ secondsLeft: () => -10 });
  const summary = await trainInTime(scope.job);
  expect(scope.replans).toEqual([[20, 200, 21]]);
  expect(summary).toMatchObject({ step: 21, steps: 21, stopped: false });
  expect(summary.evaluation).toBeDefined();
  const recipe = completeRecipe(await readRecipe(runPaths(scope.folder).recipe), vocabSize);
  expect(recipe).toMatchObject({ steps: 21, earlierPlans: [{ steps: 200, until: 20 }] });
  const steps = (await metricsOf(scope.folder)).filter((row) => "loss" in row).map(({ step }) => step);
  expect(steps).toEqual(Array.from({ length: 21 }, (_, i) => i + 1));
});

test("a warm-up is never longer than the run that is planned anew", async () => {
  const changes = { steps: 200, warmupSteps: 50, checkpoints: { every: 1000 }, evaluation: { every: 1000 } };
  await using scope = await timedScope({ secondsLeft: () => -10, recipe: tinyRecipe(changes) });
  expect(await trainInTime(scope.job)).toMatchObject({ step: 51, steps: 51, stopped: false });
  expect(completeRecipe(await readRecipe(runPaths(scope.folder).recipe), vocabSize).warmupSteps).toBe(50);
});

test("without a time, or in time, the recipe's steps are made", async () => {
  for (const secondsLeft of [undefined, () => 3]) {
    await using scope = await timedScope({ secondsLeft });
    expect(await trainInTime(scope.job)).toMatchObject({ step: 200, steps: 200, stopped: false });
    expect(scope.replans).toEqual([]);
  }
});

test("interrupted, it saves and does not go on", async () => {
  const controller = new AbortController();
  const onStep: TimedJob["onStep"] = ({ step }) => {
    if (step === 5) controller.abort(new Error("enough"));
  };
  await using scope = await timedScope({ secondsLeft: () => 100, signal: controller.signal, onStep });
  expect(await trainInTime(scope.job)).toMatchObject({ step: 5, steps: 200, stopped: true, savedStep: 5 });
});
