import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Backend } from "../backend/index.ts";
import { openCpuBackend } from "../host/index.ts";
import { llamaConfig } from "../model/index.ts";
import { isStepRow, latestCheckpoint, readMetrics, readRecipe, runPaths } from "../runs/index.ts";
import { completeRecipe } from "../train/index.ts";
import { encodeText, type PreparedText, prepareText } from "./encoded-text.ts";
import { Lab } from "./lab.ts";
import { tinyContext } from "./made-up.test.helper.ts";
import type { StudyContext } from "./study.ts";
import type { Trial } from "./trial.ts";

let folder: string;
let backend: Backend;
let context: StudyContext;
let text: PreparedText;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-kept-"));
  backend = await openCpuBackend({ threads: 1 });
  context = tinyContext(backend, { steps: undefined, folder });
  text = await prepareText(context, 300, 100);
});
afterAll(async () => {
  await text[Symbol.asyncDispose]();
  backend.dispose();
  await rm(folder, { recursive: true });
});

const config = llamaConfig({ vocabSize: 300, dim: 16, nLayers: 1, nHeads: 2, hiddenDim: 32, contextLength: 16 });
const trial = (): Trial => ({
  variant: { name: "tiny", config, size: { batch: 4, length: 16 }, text },
  learningRate: 1e-2,
  warmupShare: 0.2,
});
const sweep = { seeds: [1, 2], seconds: 60, leastSteps: 10, mostSteps: 10, heldOutTokens: 500 };

test("a kept run has the losses of one that is not kept, and its folder is that of cria train", async () => {
  using lab = new Lab(context);
  const runs = { folder: join(folder, "runs"), data: text.data, tokenizer: text.tokenizer.model };
  using keeping = new Lab({ ...context, runs });
  const trials = [trial()];
  const [fleeting, kept] = [await lab.run({ ...sweep, trials }), await keeping.run({ ...sweep, trials })];
  expect(kept.map(({ losses, heldOut }) => ({ losses, heldOut }))).toEqual(fleeting.map(({ losses, heldOut }) => ({ losses, heldOut })));
  expect((await readdir(runs.folder)).sort()).toEqual(["tiny-10-steps-seed-1", "tiny-10-steps-seed-2"]);
  const paths = runPaths(join(runs.folder, "tiny-10-steps-seed-2"));
  const rows = await readMetrics(paths.metrics);
  expect(rows.filter(isStepRow).map(({ loss }) => loss)).toEqual(kept[1]!.losses);
  expect(rows.at(-1)).toMatchObject({ step: 10, heldOutLoss: kept[1]!.heldOut!.loss });
  const recipe = completeRecipe(await readRecipe(paths.recipe), 300);
  expect(recipe).toMatchObject({ model: config, steps: 10, seed: 2, data: text.data, tokenizer: paths.tokenizer });
  expect((await latestCheckpoint(paths.checkpoints))?.state.step).toBe(10);
});

test("a prepared text is the text that stays in memory", async () => {
  const memory = await encodeText(context, 300, 100);
  expect(text.unigramLoss).toBeCloseTo(memory.unigramLoss, 12);
  expect(text.heldOut.bytes).toBe(memory.heldOut.bytes);
  for (const [written, held] of [
    [text.tokens, memory.tokens],
    [text.heldOut.tokens, memory.heldOut.tokens],
  ] as const)
    expect(await written.read(0, written.length)).toEqual(await held.read(0, held.length));
});

test("a folder in use is refused", async () => {
  await expect(prepareText(context, 300, 100)).rejects.toThrow(
    /data: the folder is not empty \(.+\): choose another one, or empty it first/,
  );
});
