// The examples that train for seconds: a model from a text, and a claim of the paper as an experiment.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
let folder;
const at = (name) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-examples-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(name, ...args) {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(root, "examples", name), ...args]);
  expect(stderr).toBe("");
  return stdout.trimEnd().split("\n");
}

test("a text becomes a model in two seconds and a report, and a claim of the paper an experiment", async () => {
  const text = join(root, "README.md");
  const [learnt, report] = await run("raise.mjs", text, at("raised"), "2");
  expect(learnt).toMatch(/^\d layers, \d+ steps, \d\.\d bits per byte$/);
  expect(report).toBe(`report: ${at("raised/report.html")}`);
  expect(await readFile(at("raised/report.html"), "utf8")).toContain("<svg");
  const told = await run("study.mjs", "rope", text, at("study"));
  expect(told[0]).toBe("The score of a query and a key depends on their distance only: shown");
  expect(await readFile(at("study/report.html"), "utf8")).toContain(told[0].split(":")[0]);
});
