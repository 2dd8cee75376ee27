// The examples of the package's doors do what they say, as programs of their own; the pages of the guide show the same code.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
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
  const lives = (i) => `Once there was a young llama, number ${i}, who lived in the hills of ${"abcdefgh"[i % 8]} and sang all day.`;
  await writeFile(at("text.txt"), Array.from({ length: 300 }, (_, i) => lives(i)).join("\n\n"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(name, ...args) {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(root, "examples", name), ...args]);
  expect(stderr).toBe("");
  return stdout.trimEnd().split("\n");
}

test("a tokenizer, data made with it, and a run on these, one after the other", async () => {
  expect(await run("tokenizer.mjs", at("text.txt"), at("tokenizer.json"))).toEqual([
    expect.stringMatching(/^\d+ characters are \d+ tokens$/),
    "they come back: true",
    "opened again, it has 400 pieces",
  ]);
  expect(await run("data.mjs", at("text.txt"), at("tokenizer.json"), at("data"))).toEqual([
    expect.stringMatching(/^text: \d+ documents, \d+ tokens$/),
    "3 files are what was written: true",
    "a batch of 128 tokens, 128 seen",
    "the same again: true",
  ]);
  const [stopped, ended, fell] = await run("train.mjs", at("data"), at("tokenizer.json"), at("run"));
  expect(stopped).toBe("stopped at step 5: true");
  expect(ended).toMatch(/^step 10, \d\.\d bits per byte$/);
  const [, first, last] = /^the loss fell from (\d\.\d) to (\d\.\d)$/.exec(fell);
  expect(Number(last)).toBeLessThan(Number(first) / 4); // ln 16 is 2.8, and counting is soon learnt
  const rows = (await readFile(at("run/metrics.jsonl"), "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(rows.filter((row) => "loss" in row).map(({ step }) => step)).toEqual(Array.from({ length: 10 }, (_, i) => i + 1));
});

test("a plan", async () => {
  expect(await run("plan.mjs")).toEqual([
    "1e22 operations: 9.0B parameters, 184B tokens, loss 2.14",
    "24 hours on 64 of them: 4.0B parameters",
    "the fastest layout: tensor 1, pipeline 1, data 64",
    "fitted to its own points, alpha is 0.35, where it was 0.35",
  ]);
});

test.each(["cria", "cria/tokenizer", "cria/data", "cria/train", "cria/plan"])(
  "%s gives the same names by import and by require",
  async (door) => {
    const names = Object.keys(await import(door));
    expect(names.length).toBeGreaterThan(3);
    const code = `console.log(Object.keys(require("${door}")).filter((name) => name !== "__esModule").join())`;
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", code], { cwd: root });
    expect(stdout.trim().split(",").sort()).toEqual(names.sort());
  },
);

test.each(["tokenizer", "data", "train", "plan"])("docs/guide/%s.md shows the example", async (name) => {
  const [page, code] = await Promise.all(
    [`docs/guide/${name}.md`, `examples/${name}.mjs`].map((path) => readFile(join(root, path), "utf8")),
  );
  expect(page.replaceAll("\r\n", "\n")).toContain(`\`\`\`js\n${code.replaceAll("\r\n", "\n")}\`\`\`\n`);
});
