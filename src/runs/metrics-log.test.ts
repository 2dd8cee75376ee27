import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MetricsLog, type MetricsRow } from "./metrics-log.ts";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-metrics-"));
  path = join(folder, "metrics.jsonl");
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const stepRow = (step: number): MetricsRow => {
  return { step, loss: 1 / 3, learningRate: 0.1, gradientNorm: 1, tokens: 8 * step, tokensPerSecond: 1, seconds: 8 };
};
const evaluationRow = (step: number): MetricsRow => ({ step, heldOutLoss: 2, bitsPerByte: 1, seconds: 1 });
const rows = [stepRow(1), stepRow(2), evaluationRow(2), stepRow(3), stepRow(4), evaluationRow(4)];

async function write(step: number, more: readonly MetricsRow[]): Promise<readonly MetricsRow[]> {
  await using log = await MetricsLog.open(path, step);
  for (const row of more) await log.append(row);
  await log.sync();
  return log.rows;
}

test.each([
  { step: 0, kept: 0 },
  { step: 2, kept: 2 },
  { step: 3, kept: 4 },
  { step: 4, kept: 5 },
  { step: 9, kept: 6 },
])("resumed at step $step, the first $kept rows stay", async ({ step, kept }) => {
  expect(await write(0, rows)).toEqual([]);
  expect(await write(step, [stepRow(step + 1)])).toEqual(rows.slice(0, kept));
  const written = (await readFile(path, "utf8")).trimEnd().split("\n");
  expect(written.map((line) => JSON.parse(line))).toEqual([...rows.slice(0, kept), stepRow(step + 1)]);
});

test("a row that was being written when the run died goes", async () => {
  await write(0, rows.slice(0, 2));
  await appendFile(path, '{"step":3,"lo');
  expect(await write(7, [])).toEqual(rows.slice(0, 2));
  expect(await readFile(path, "utf8")).toMatch(/"seconds":8\}\n$/);
});

test("a file of something else is refused and stays as it is", async () => {
  await writeFile(path, "step,loss\n1,2\n");
  await expect(MetricsLog.open(path, 3)).rejects.toThrow(/^\[metrics\] .*metrics\.jsonl:1: "step,loss" is not a row of metrics/);
  expect(await readFile(path, "utf8")).toBe("step,loss\n1,2\n");
  await expect(MetricsLog.open(join(folder, "absent", "m"), 0)).rejects.toThrow(/no such file or folder/);
});
