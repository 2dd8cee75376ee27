import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createTokenizer, type Tokenizer, trainTokenizer } from "../tokenizer/index.ts";
import { tinyRecipe, vocabSize } from "../train/tiny-run.test.helper.ts";
import { latestCheckpoint } from "./checkpoint.ts";
import { askedOf, askRun, takeBack } from "./control.ts";
import { readMachine } from "./machine-file.ts";
import { isSamplesRow, readMetrics, type SamplesRow } from "./metrics-log.ts";
import { metricsOf, tinyScope } from "./tiny-scope.test.helper.ts";
import { trainRun } from "./train-run.ts";

const samples = { prompts: ["a b", "b"], every: 3, tokens: 5, temperature: 0.8 };

test("a run writes behind its prompts where the recipe says and at the end, and goes on from a stop with the same texts", async () => {
  const recipe = tinyRecipe({ steps: 8, samples, checkpoints: { every: 2 } });
  const tokenizer = await tinyTokenizer();
  await using whole = await tinyScope();
  const told: SamplesRow[] = [];
  await trainRun(whole.job(recipe, { tokenizer, onSamples: (row) => told.push(row) }));
  const rows = (await readMetrics(join(whole.folder, "metrics.jsonl"))).filter(isSamplesRow);
  expect(rows.map(({ step }) => step)).toEqual([3, 6, 8]);
  expect(rows).toEqual(told);
  for (const row of rows) expect(row.samples.map(({ prompt }) => prompt)).toEqual(samples.prompts);
  expect(new Set(rows.map((row) => JSON.stringify(row.samples))).size).toBeGreaterThan(1);

  await using pieces = await tinyScope();
  for (const stopAt of [3, 5, undefined]) {
    const controller = new AbortController();
    const checkpoint = await latestCheckpoint(join(pieces.folder, "checkpoints"));
    await trainRun({
      ...pieces.job(recipe, { tokenizer, checkpoint, signal: controller.signal }),
      onStep: ({ step }) => step === stopAt && controller.abort(),
    });
  }
  expect(await metricsOf(pieces.folder)).toEqual(await metricsOf(whole.folder));
});

test("samples need a tokenizer, and prompts that leave room for a token", async () => {
  await using scope = await tinyScope();
  await expect(trainRun(scope.job(tinyRecipe({ samples })))).rejects.toThrow("there is no tokenizer to write them with");
  const long = tinyRecipe({ samples: { ...samples, prompts: ["b ".repeat(40)] } });
  await expect(trainRun(scope.job(long, { tokenizer: await tinyTokenizer() }))).rejects.toThrow(
    /has \d+ tokens but the model's context 16/,
  );
});

test("a run stops, saves and says so when its folder asks for it", async () => {
  await using scope = await tinyScope();
  const asks: Promise<void>[] = [];
  const job = scope.job(tinyRecipe({ steps: 100_000 }), { onStep: ({ step }) => step === 3 && asks.push(askRun(scope.folder, "stop")) });
  const summary = await trainRun(job);
  await Promise.all(asks);
  expect(summary).toMatchObject({ stopped: true, savedStep: summary.step });
  expect(summary.step).toBeGreaterThanOrEqual(3);
  expect(await askedOf(scope.folder)).toEqual(new Set());
});

test("a run pauses while its folder asks for it, writes samples meanwhile, and goes on", async () => {
  await using scope = await tinyScope();
  const [steps, notices]: [number[], string[]] = [[], []];
  const controller = new AbortController();
  const asked = (async () => {
    while (!notices.some((text) => text.startsWith("paused"))) await sleep(5);
    const before = steps.length;
    await askRun(scope.folder, "samples");
    while ((await askedOf(scope.folder)).has("samples")) await sleep(5);
    expect(steps.length).toBe(before);
    await takeBack(scope.folder, "pause");
    while (steps.length === before) await sleep(5);
    controller.abort();
  })();
  const recipe = tinyRecipe({ steps: 100_000, samples: { ...samples, every: 100_000 } });
  const job = scope.job(recipe, { tokenizer: await tinyTokenizer(), signal: controller.signal, onNotice: (text) => notices.push(text) });
  await Promise.all([
    trainRun({ ...job, onStep: ({ step }) => step === steps.push(step) && step === 2 && void askRun(scope.folder, "pause") }),
    asked,
  ]);
  expect(await readFile(join(scope.folder, "metrics.jsonl"), "utf8")).toContain('"samples":[');
});

test("what an earlier run was asked for does not count", async () => {
  await using scope = await tinyScope();
  await askRun(scope.folder, "stop");
  expect(await trainRun(scope.job(tinyRecipe({ steps: 2 })))).toMatchObject({ step: 2, stopped: false });
});

/** Letters and a space: as many pieces as the tiny model has rows, or fewer. */
async function tinyTokenizer(): Promise<Tokenizer> {
  return createTokenizer(await trainTokenizer(["a b ab ba"], { kind: "word", vocabSize, mayBeSmaller: true }));
}

test("a run says what it trains on", async () => {
  await using scope = await tinyScope();
  const recipe = tinyRecipe({ steps: 1, accumulation: 2 });
  await trainRun(scope.job(recipe, { matmulRate: 1e9 }));
  const machine = await readMachine(scope.folder);
  expect(machine).toMatchObject({ backend: scope.backend.name, matmulRate: 1e9, memory: expect.any(Number) });
  expect(machine?.memory).toBeGreaterThan(10_000);
  expect(machine?.flopsPerToken).toBeGreaterThan(1000);
  expect(await readMachine(join(scope.folder, "nowhere"))).toBe(undefined);
});
