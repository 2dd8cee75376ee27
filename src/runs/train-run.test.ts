import { rmSync } from "node:fs";
import { access, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { referenceBackend } from "../backend/reference/index.ts";
import { Rng } from "../base/index.ts";
import type { Batch, BatchSource } from "../batches/index.ts";
import { tinyRecipe, vocabSize } from "../train/tiny-run.test.helper.ts";
import { latestCheckpoint } from "./checkpoint.ts";
import { metricsOf, tinyScope } from "./tiny-scope.test.helper.ts";
import type { TrainJob } from "./train-job.ts";
import { trainRun } from "./train-run.ts";

test("a tiny model learns a tiny text by heart, on the judge", async () => {
  await using scope = await tinyScope(referenceBackend);
  const recipe = tinyRecipe({ steps: 100, batch: 2, model: { dim: 12, nLayers: 1, nHeads: 2, hiddenDim: 16, contextLength: 12 } });
  const batches = repeated(countingBatch(2, 12));
  const summary = await trainRun(scope.job(recipe, { batches, heldOut: undefined }));
  const rows = await metricsOf(scope.folder);
  expect(rows[0]!.loss).toBeGreaterThan(2.3); // ln 13 is 2.56
  expect(summary.loss).toBeLessThan(0.1);
  expect(summary).toMatchObject({ step: 100, steps: 100, tokens: 100 * 24, stopped: false });
});

test("metrics have a row per step, and an evaluation where the recipe says and at the end", async () => {
  await using scope = await tinyScope();
  const recipe = tinyRecipe({ steps: 10, evaluation: { every: 4, tokens: 100 } });
  const live: number[] = [];
  const summary = await trainRun(scope.job(recipe, { onStep: ({ step, flopsPerSecond, eta }) => live.push(step, flopsPerSecond, eta) }));
  const rows = await metricsOf(scope.folder);
  expect(rows.map((row) => [row.step, "loss" in row])).toEqual([
    ...[1, 2, 3, 4].map((step) => [step, true]),
    [4, false],
    ...[5, 6, 7, 8].map((step) => [step, true]),
    [8, false],
    ...[9, 10].map((step) => [step, true]),
    [10, false],
  ]);
  expect(rows[1]).toMatchObject({ learningRate: expect.closeTo(1e-2 * 0.9 * 0.5 * (1 + Math.cos(Math.PI / 9)) + 1e-3, 1e-3), tokens: 128 });
  expect(summary.evaluation).toMatchObject({ loss: rows.at(-1)!.heldOutLoss, bitsPerByte: rows.at(-1)!.bitsPerByte });
  expect(live.every(Number.isFinite)).toBe(true);
  expect(live.length).toBe(30);
});

test.each([false, true])("two gathered batches of four are a batch of eight, with a document mask %s", async (documentMask) => {
  await using one = await tinyScope();
  await using two = await tinyScope();
  await trainRun(one.job(tinyRecipe({ batch: 8, evaluation: { every: 10 }, documentMask })));
  await trainRun(two.job(tinyRecipe({ batch: 4, accumulation: 2, evaluation: { every: 10 }, documentMask })));
  const [whole, gathered] = [await metricsOf(one.folder), await metricsOf(two.folder)];
  expect(gathered.length).toBe(whole.length);
  gathered.forEach((row, i) => {
    for (const [key, value] of Object.entries(row)) expect(value, `row ${i}, ${key}`).toBeCloseTo(whole[i]![key] as number, 4);
  });
});

test("stopped anywhere and resumed, also while evaluating, a run is bit for bit that of one piece", async () => {
  const recipe = tinyRecipe({ steps: 30, accumulation: 2, evaluation: { every: 5 }, checkpoints: { every: 4, keep: 2 } });
  await using whole = await tinyScope();
  await trainRun(whole.job(recipe));
  await using pieces = await tinyScope();
  const rng = new Rng(5);
  for (let stops = 0; ; stops++) {
    const controller = new AbortController();
    let left = stops === 2 ? 0 : 1 + rng.below(9);
    const summary = await trainRun({
      ...pieces.job(recipe, { checkpoint: await latestCheckpoint(join(pieces.folder, "checkpoints")), signal: controller.signal }),
      onStep: () => --left === 0 && controller.abort(),
      progress: ({ task }) => left <= 0 && task === "evaluating" && controller.abort(),
    });
    if (!summary.stopped) break;
    expect(summary.checkpoint).toContain(`step-${String(summary.step).padStart(6, "0")}`);
  }
  expect(await metricsOf(pieces.folder)).toEqual(await metricsOf(whole.folder));
  expect(await bytesOf(pieces.folder)).toEqual(await bytesOf(whole.folder));
});

test("a loss that is no number stops the run; the checkpoint before it stays and is named", async () => {
  await using scope = await tinyScope();
  const good = await trainRun(scope.job(tinyRecipe({ steps: 8 })));
  const before = await bytesOf(scope.folder);
  const recipe = tinyRecipe({ steps: 20, learningRate: 1e30, checkpoints: { every: 1 } });
  const run = trainRun(scope.job(recipe, { checkpoint: await latestCheckpoint(join(scope.folder, "checkpoints")) }));
  await expect(run).rejects.toThrow(
    /^\[train\] step 10: the loss is .* and the gradient norm (NaN|Infinity) but both must be finite: training stopped, the last good checkpoint is .*step-000008; go on from there with a lower learningRate \(it is 1e\+30\)/,
  );
  expect(good.checkpoint).toContain("step-000008");
  expect(await readdir(join(scope.folder, "checkpoints"))).toEqual(["step-000008"]);
  expect((await bytesOf(scope.folder)).get("model.safetensors")).toEqual(before.get("model.safetensors"));
});

test("a loss that jumps and stays up stops the run, and no checkpoint is made of it", async () => {
  await using scope = await tinyScope();
  const recipe = tinyRecipe({ steps: 100, batch: 2, length: 12, checkpoints: { every: 1, keep: 3 } });
  const batches = repeated(countingBatch(2, 12), 70, noise(2, 12));
  await expect(trainRun(scope.job(recipe, { batches, heldOut: undefined }))).rejects.toThrow(
    /step 74: the loss is \d\.\d+, and 4 times in a row above .*step-000069; go on/,
  );
  expect(await readdir(join(scope.folder, "checkpoints"))).toEqual(["step-000068", "step-000069"]);
});

test.each([
  [3, 69], // that of step 72 is due while the loss is high
  [50, 50],
])("stopped while the loss is high, with checkpoints every %i, the newest is of step %i, and so is the model", async (every, savedStep) => {
  await using scope = await tinyScope();
  const recipe = tinyRecipe({ steps: 80, batch: 2, length: 12, checkpoints: { every } });
  const summary = await trainRun({ ...scope.job(recipe, { heldOut: undefined }), ...stoppedAt(72) });
  const checkpoint = await latestCheckpoint(join(scope.folder, "checkpoints"));
  expect(summary).toMatchObject({ step: 72, stopped: true, savedStep, checkpoint: checkpoint!.folder });
  expect(checkpoint!.state.step).toBe(savedStep);
  await using whole = await tinyScope();
  await trainRun({ ...whole.job(recipe, { heldOut: undefined, ...stoppedAt(savedStep) }) });
  expect(await bytesOf(scope.folder)).toEqual(await bytesOf(whole.folder));
  const steady = repeated(countingBatch(2, 12));
  await trainRun(scope.job(recipe, { batches: steady, heldOut: undefined, checkpoint }));
  expect((await metricsOf(scope.folder)).map((row) => row.step)).toEqual(Array.from({ length: 80 }, (_, i) => i + 1));
});

test("stopped while the loss is high and nothing is saved, there is no model, and it begins anew", async () => {
  await using scope = await tinyScope();
  const recipe = tinyRecipe({ steps: 80, batch: 2, length: 12 });
  const summary = await trainRun(scope.job(recipe, { heldOut: undefined, ...stoppedAt(72) }));
  expect(summary).toMatchObject({ step: 72, stopped: true, savedStep: 0, checkpoint: undefined });
  expect(await readdir(scope.folder)).toEqual(["machine.json", "metrics.jsonl"]);
  await trainRun(scope.job(recipe, { batches: repeated(countingBatch(2, 12)), heldOut: undefined }));
  expect((await metricsOf(scope.folder)).length).toBe(80);
});

test("stopped in the last step it is stopped, for the evaluation is not made; going on makes it", async () => {
  await using scope = await tinyScope();
  const recipe = tinyRecipe({ steps: 9, evaluation: { every: 8 } });
  const controller = new AbortController();
  const onStep = ({ step }: { step: number }) => step === 9 && controller.abort();
  const first = await trainRun({ ...scope.job(recipe), signal: controller.signal, onStep });
  expect(first).toMatchObject({ step: 9, steps: 9, savedStep: 9, stopped: true, evaluation: undefined });
  const checkpoint = await latestCheckpoint(join(scope.folder, "checkpoints"));
  const second = await trainRun(scope.job(recipe, { checkpoint }));
  expect(second).toMatchObject({ stopped: false, evaluation: { loss: (await metricsOf(scope.folder)).at(-1)!.heldOutLoss } });
  const controller2 = new AbortController();
  const onEvaluation = () => controller2.abort();
  const third = await trainRun({ ...scope.job(recipe, { checkpoint }), signal: controller2.signal, onEvaluation });
  expect(third).toMatchObject({ stopped: false, evaluation: second.evaluation });
});

test("a run that is stopped while its evaluator is compiled has written nothing either", async () => {
  await using scope = await tinyScope();
  const controller = new AbortController();
  const original = scope.backend.compile.bind(scope.backend);
  const compile = vi.spyOn(scope.backend, "compile").mockImplementation((...given) => {
    if (compile.mock.calls.length === 2) setImmediate(() => controller.abort(new Error("enough")));
    return original(...given);
  });
  const onReady = () => expect.unreachable("it must not begin");
  expect(await trainRun({ ...scope.job(tinyRecipe()), signal: controller.signal, onReady })).toMatchObject({ stopped: true, step: 0 });
  expect(compile).toHaveBeenCalledTimes(2);
  expect(await readdir(scope.folder)).toEqual([]);
});

test("a run that is stopped before its first step stops at once, has written nothing, and says so", async () => {
  await using scope = await tinyScope();
  const folder = join(scope.folder, "run");
  const controller = new AbortController();
  // While it compiles a timer has its turn, as Ctrl-C would have.
  const onMemory = () => void setImmediate(() => controller.abort(new Error("enough")));
  const unexpected = () => expect.unreachable("it must not begin");
  const job = { ...scope.job(tinyRecipe()), folder, signal: controller.signal, onMemory, onReady: unexpected, onStep: unexpected };
  expect(await trainRun(job)).toMatchObject({ stopped: true, step: 0, savedStep: 0, checkpoint: undefined, loss: undefined });
  expect(await readdir(scope.folder)).toEqual([]);
  await trainRun(scope.job(tinyRecipe({ steps: 3 })));
  const checkpoint = await latestCheckpoint(join(scope.folder, "checkpoints"));
  const goingOn = { ...scope.job(tinyRecipe({ steps: 6 }), { checkpoint }), signal: AbortSignal.abort(), onReady: unexpected };
  expect(await trainRun(goingOn)).toMatchObject({ stopped: true, started: 3, step: 3, savedStep: 3, checkpoint: checkpoint!.folder });
});

test("a run that begins holds the lock before it writes, and one that cannot begin leaves no folder", async () => {
  await using scope = await tinyScope();
  const folder = join(scope.folder, "runs");
  const job = { ...scope.job(tinyRecipe({ steps: 2 })), folder };
  const onReady = async () => {
    expect(await readdir(folder)).toEqual(["training.lock.1"]);
    const other = { ...scope.job(tinyRecipe({ steps: 2 })), folder, onReady: () => expect.unreachable("it must not write") };
    await expect(trainRun(other)).rejects.toThrow(`process ${process.pid} trains in it`);
    throw new Error("the disk is full");
  };
  await expect(trainRun({ ...job, onReady })).rejects.toThrow("the disk is full");
  await expect(access(folder)).rejects.toThrow("ENOENT");
});

test("a checkpoint of another model or other data is refused by name", async () => {
  await using scope = await tinyScope();
  await trainRun(scope.job(tinyRecipe({ steps: 2 })));
  const checkpoint = await latestCheckpoint(join(scope.folder, "checkpoints"));
  const wider = tinyRecipe({ steps: 4, model: { dim: 20, nLayers: 2, nHeads: 2, nKvHeads: 1, hiddenDim: 24, contextLength: 16 } });
  await expect(trainRun(scope.job(wider, { checkpoint }))).rejects.toThrow(
    /step-000002.model\.safetensors: tensor "model\.embed_tokens\.weight" is \[13, 16\] but the model's is \[13, 20\]/,
  );
  await expect(trainRun(scope.job(tinyRecipe({ steps: 4, seed: 8 }), { checkpoint }))).rejects.toThrow(/seed.* changed/);
});

test("what another program trained between the choice of a checkpoint and the lock is not cut off", async () => {
  await using scope = await tinyScope();
  const recipe = tinyRecipe({ steps: 2, checkpoints: { every: 1, keep: 3 } });
  await trainRun(scope.job(recipe));
  const before = await metricsOf(scope.folder);
  for (const checkpoint of [await latestCheckpoint(join(scope.folder, "checkpoints"), 2), undefined])
    await expect(trainRun(scope.job(recipe, { checkpoint }))).rejects.toThrow(
      /its newest checkpoint is step-000002 but was (none|step-000001) a moment ago, another program trained in it: go on from there/,
    );
  expect(await metricsOf(scope.folder)).toEqual(before);
});

test("a run whose lock was taken over stops, and writes nothing more", async () => {
  await using scope = await tinyScope();
  const onStep = ({ step }: { step: number }) => {
    if (step === 2) rmSync(join(scope.folder, "training.lock.1"));
  };
  await expect(trainRun({ ...scope.job(tinyRecipe({ steps: 9 }), { heldOut: undefined }), onStep })).rejects.toThrow("this lock is gone");
  expect((await metricsOf(scope.folder)).map(({ step }) => step)).toEqual([1, 2]);
  expect(await readdir(scope.folder)).toEqual(["machine.json", "metrics.jsonl"]);
});

test("a damaged newest checkpoint is said, and the end is that of a run of one piece", async () => {
  const recipe = tinyRecipe({ steps: 12, checkpoints: { every: 4, keep: 3 } });
  await using whole = await tinyScope();
  await trainRun(whole.job(recipe));
  await using scope = await tinyScope();
  const checkpoints = join(scope.folder, "checkpoints");
  const controller = new AbortController();
  const onStep = ({ step }: { step: number }) => step === 8 && controller.abort();
  await trainRun({ ...scope.job(recipe), signal: controller.signal, onStep });
  const path = join(checkpoints, "step-000008", "optimizer.safetensors");
  const bytes = await readFile(path);
  bytes[bytes.length - 5]! ^= 1;
  await writeFile(path, bytes);
  const notices: string[] = [];
  const onNotice = (text: string) => notices.push(text);
  const summary = await trainRun(scope.job(recipe, { checkpoint: await latestCheckpoint(checkpoints), onNotice }));
  expect(summary).toMatchObject({ started: 4, step: 12, stopped: false });
  expect(notices).toEqual([
    expect.stringMatching(
      /step-000008.optimizer\.safetensors: it has SHA-256 .*: it is damaged, so .*step-000004 is gone on from instead; it is .*step-000008\.damaged now/,
    ),
  ]);
  expect(await metricsOf(scope.folder)).toEqual(await metricsOf(whole.folder));
  expect(await bytesOf(scope.folder)).toEqual(await bytesOf(whole.folder));
  expect(await readdir(checkpoints)).toEqual(["step-000004", "step-000008", "step-000008.damaged", "step-000012"]);
});

/** Files of a run that must not depend on how often it was stopped. */
async function bytesOf(folder: string): Promise<Map<string, string>> {
  const last = (await readdir(join(folder, "checkpoints")))
    .filter((name) => /\d$/.test(name))
    .sort()
    .at(-1)!;
  const names = [
    "model.safetensors",
    ...["model.safetensors", "optimizer.safetensors", "state.json"].map((file) => join("checkpoints", last, file)),
  ];
  return new Map(await Promise.all(names.map(async (name) => [name, (await readFile(join(folder, name))).toString("base64")] as const)));
}

function countingBatch(batch: number, length: number): Batch {
  const tokens = Int32Array.from({ length: batch * length }, (_, i) => (i * 3 + Math.floor(i / length)) % vocabSize);
  return { tokens, targets: tokens.map((token) => (token * 5 + 2) % vocabSize) };
}

/** Data that turn to noise behind step 69, and a signal that aborts behind a step. */
function stoppedAt(last: number): Pick<TrainJob, "batches" | "signal" | "onStep"> {
  const controller = new AbortController();
  const onStep = ({ step }: { step: number }) => step === last && controller.abort();
  return { batches: repeated(countingBatch(2, 12), 69, noise(2, 12)), signal: controller.signal, onStep };
}

function noise(batch: number, length: number): Batch {
  const rng = new Rng(9);
  const any = () => Int32Array.from({ length: batch * length }, () => rng.below(vocabSize));
  return { tokens: any(), targets: any() };
}

/** One batch again and again, then another one. */
function repeated(first: Batch, times = Number.POSITIVE_INFINITY, then = first): BatchSource<number> {
  let taken = 0;
  return {
    batchTokens: first.tokens.length,
    next: async () => (taken++ < times ? first : then),
    get state() {
      return taken;
    },
    restore: (state) => {
      taken = state as number;
    },
  };
}
