import { appendFile, mkdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { askedOf, lockRun, writeRecipe } from "../runs/index.ts";
import { tinyRecipe } from "../train/tiny-run.test.helper.ts";
import { findReports, readReport } from "./reports.ts";
import { RunMetrics } from "./run-metrics.ts";
import { seriesOf } from "./series.ts";
import { WatchedRuns } from "./watched-runs.ts";

test("a curve has the mean, the least and the largest of the steps that each point stands for", () =>
  withFolder(async (folder) => {
    const rng = new Rng(3);
    const losses = Array.from({ length: 1237 }, (_, i) => 5 * Math.exp(-i / 300) + rng.uniform());
    const metrics = await metricsOf(
      folder,
      losses.map((loss, i) => stepRow(i + 1, loss)),
    );
    for (const [points, from, to] of [
      [10, 0, 9999],
      [2000, 0, 9999],
      [7, 100, 399],
      [3, 1236, 1237],
      [5, 4000, 5000],
    ] as const) {
      const { step, loss, tokens } = seriesOf(metrics, { points, from, to });
      const wanted = losses.map((value, i) => ({ step: i + 1, value })).filter((row) => row.step >= from && row.step <= to);
      expect(step.length).toBe(Math.min(points, wanted.length));
      let at = 0;
      step.forEach((last, i) => {
        const part: number[] = [];
        while (at < wanted.length && wanted[at]!.step <= last) part.push(wanted[at++]!.value);
        expect(loss.mean[i]).toBeCloseTo(part.reduce((sum, value) => sum + value, 0) / part.length, 9);
        expect([loss.low[i], loss.high[i]]).toEqual([Math.min(...part), Math.max(...part)]);
        expect(tokens[i]).toBe(64 * last);
      });
      expect(at).toBe(wanted.length);
    }
    expect(() => seriesOf(metrics, { points: 1 })).toThrow("points is 1");
    expect(() => seriesOf(metrics, { points: 9, from: 5, to: 4 })).toThrow("give the earlier one first");
  }));

test("rows are read as they come, half lines wait, and what resuming cuts off goes", () =>
  withFolder(async (folder) => {
    const path = join(folder, "metrics.jsonl");
    const metrics = new RunMetrics(path);
    expect(await metrics.refresh()).toBe(false);
    const lines = [1, 2, 3, 4].map((step) => `${JSON.stringify(stepRow(step, step === 3 ? Number.NaN : step))}\n`);
    const text = lines.join("");
    for (let i = 0; i < text.length; i += 37) {
      await appendFile(path, text.slice(i, i + 37));
      expect(await metrics.refresh()).toBe(true);
    }
    expect([...metrics.steps.column("loss")]).toEqual([1, 2, Number.NaN, 4]);
    await appendFile(path, `${JSON.stringify({ step: 4, heldOutLoss: 2, bitsPerByte: 1, seconds: 1 })}\n`);
    await metrics.refresh();
    expect(metrics.evaluations.length).toBe(1);
    // Other rows are there at the next look: more bytes than before, as many, and fewer.
    for (const [round, last] of [9, 9, 3].entries()) {
      await truncate(path, lines[0]!.length);
      for (let step = 2; step <= last; step++) await appendFile(path, `${JSON.stringify(stepRow(step, 100 * (round + 1) + step))}\n`);
      expect(await metrics.refresh()).toBe(true);
      expect([...metrics.steps.column("loss")]).toEqual([1, ...Array.from({ length: last - 1 }, (_, i) => 100 * (round + 1) + i + 2)]);
      expect(metrics.evaluations).toEqual([]);
    }
    await appendFile(path, "no row\n");
    await expect(metrics.refresh()).rejects.toThrow('"no row" is not a row of metrics');
  }));

test("steps whose loss is no number are left out of a point, which is none where all are", () =>
  withFolder(async (folder) => {
    const losses = [1, Number.NaN, Number.NaN, Number.NaN, 4, 6];
    const metrics = await metricsOf(
      folder,
      losses.map((loss, i) => stepRow(i + 1, loss)),
    );
    expect(seriesOf(metrics, { points: 3 }).loss).toEqual({ mean: [1, null, 5], low: [1, null, 4], high: [1, null, 6] });
  }));

test("of thousands of texts those are kept that lie all over the run", () =>
  withFolder(async (folder) => {
    const metrics = await metricsOf(
      folder,
      Array.from({ length: 3000 }, (_, i) => ({ step: 10 * (i + 1), samples: [{ prompt: "a", text: "b" }], seconds: 1 })),
    );
    const steps = metrics.samples.map(({ step }) => step);
    expect([steps.length, steps[0], steps.at(-1)]).toEqual([200, 10, 30_000]);
    const gaps = steps.slice(1).map((step, i) => step - steps[i]!);
    expect(Math.max(...gaps)).toBeLessThanOrEqual((3 * 30_000) / 200);
  }));

test("a hundred thousand rows are few points, and the next look reads only what is new", () =>
  withFolder(async (folder) => {
    const rows = Array.from({ length: 100_000 }, (_, i) => stepRow(i + 1, 1 / (i + 1)));
    const metrics = await metricsOf(folder, rows);
    expect(seriesOf(metrics, { points: 500 }).step.length).toBe(500);
    await appendFile(join(folder, "metrics.jsonl"), `${JSON.stringify(stepRow(100_001, 0))}\n`);
    await metrics.refresh();
    expect(metrics.steps.length).toBe(100_001);
  }));

test("runs are found below a folder with their states; requests reach only those that train", () =>
  withFolder(async (root) => {
    const done = await makeRun(root, "runs/done", 3, 3);
    await makeRun(root, "runs/deeper/stopped", 2, 9);
    const training = await makeRun(root, "training", 2, 9);
    await mkdir(join(root, "runs/broken"));
    await writeFile(join(root, "runs/broken/train.yaml"), "steps: none\n");
    const watched = new WatchedRuns(root);
    const lock = await lockRun(training);
    const stateOf = async (id: string) => (await watched.summary(id)).state;
    const list = await watched.list();
    expect(Object.fromEntries(list.map(({ id, state }) => [id, state]))).toEqual({
      "runs/done": "done",
      "runs/deeper/stopped": "stopped",
      training: "training",
      "runs/broken": "unreadable",
    });
    expect(list[0]).toMatchObject({
      id: "training",
      step: 2,
      steps: 9,
      loss: 2,
      eta: expect.closeTo(7 * 0.5),
      hasSamples: false,
    });
    await watched.ask("training", "pause");
    expect(await stateOf("training")).toBe("paused");
    await watched.takeBack("training", "pause");
    expect(await stateOf("training")).toBe("training");
    await expect(watched.ask("runs/done", "stop")).rejects.toThrow("no program trains in this run");
    expect(await askedOf(done)).toEqual(new Set());
    for (const id of ["..", "../x", "runs", "/etc", ""]) await expect(watched.series(id, { points: 9 })).rejects.toThrow("there is no run");
    await lock[Symbol.asyncDispose]();
    expect(await stateOf("training")).toBe("stopped");
    await rm(training, { recursive: true });
    expect(new Set((await new WatchedRuns(root).list()).map(({ id }) => id))).toEqual(
      new Set(["runs/done", "runs/deeper/stopped", "runs/broken"]),
    );
    expect((await new WatchedRuns(done).list()).map(({ id }) => id)).toEqual(["."]);
    await expect(new WatchedRuns(join(root, "nowhere")).list()).rejects.toThrow("no such file or folder");
  }));

test("a recipe is read once for all looks, and again where it is another one", () =>
  withFolder(async (root) => {
    await makeRun(root, "one", 1, 4);
    const watched = new WatchedRuns(root);
    const [first, second] = [await watched.summary("one"), await watched.summary("one")];
    expect(second.recipe).toBe(first.recipe);
    await writeRecipe(join(root, "one/train.yaml"), tinyRecipe({ steps: 9 }));
    expect(await watched.summary("one")).toMatchObject({ steps: 9, state: "stopped", recipe: { steps: "9" } });
    await rm(join(root, "one/train.yaml"));
    expect(await watched.summary("one")).toMatchObject({ state: "unreadable", problem: expect.stringContaining("no such file") });
  }));

function stepRow(step: number, loss: number) {
  return { step, loss, learningRate: 1e-3, gradientNorm: 1, tokens: 64 * step, tokensPerSecond: 128, seconds: 0.5 };
}

async function metricsOf(folder: string, rows: readonly object[]): Promise<RunMetrics> {
  const path = join(folder, "metrics.jsonl");
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const metrics = new RunMetrics(path);
  await metrics.refresh();
  return metrics;
}

async function makeRun(root: string, id: string, step: number, steps: number): Promise<string> {
  const folder = join(root, id);
  await mkdir(folder, { recursive: true });
  await writeRecipe(join(folder, "train.yaml"), tinyRecipe({ steps }));
  await metricsOf(
    folder,
    Array.from({ length: step }, (_, i) => stepRow(i + 1, i + 1)),
  );
  return folder;
}

test("reports are found with their titles, and nothing else is read", () =>
  withFolder(async (root) => {
    await makeRun(root, "runs/one", 1, 1);
    await mkdir(join(root, "studies/norm"), { recursive: true });
    await writeFile(join(root, "runs/one/report.html"), "<!doctype html><title>one</title>");
    await writeFile(join(root, "studies/norm/report.html"), "<!doctype html><title>Norms &lt;before&gt; &amp; after</title><p>text");
    await writeFile(join(root, "studies/norm/secret.html"), "<title>secret</title>");
    expect(new Set((await findReports(root)).map(({ id, kind, title }) => `${kind} ${id} ${title}`))).toEqual(
      new Set(["run runs/one/report.html one", "study studies/norm/report.html Norms <before> & after"]),
    );
    expect(await readReport(root, "studies/norm/report.html")).toContain("<p>text");
    for (const id of ["studies/norm/secret.html", "../x/report.html", "/etc/passwd", ""])
      await expect(readReport(root, id)).rejects.toThrow("there is no report");
  }));
