// A classifier from the command line: learned, calibrated, explained, and asked by the step classifier.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { CleanDocument, isDropped, stepRows } from "../clean/index.ts";
import { commandRows } from "./commands.ts";
import { runWords } from "./terminal.test.helper.ts";

let folder: string;
const inside = (name: string) => join(folder, name);
const cria = (...words: string[]) => runWords(words, commandRows);
const small = ["--dim", "4", "--buckets", "1000", "--lr", "0.5", "--held-out", "0.3"];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-classifier-"));
  const rng = new Rng(14);
  // Words of both kinds stand in either text, so that there is something to calibrate.
  const pages = (own: readonly string[], other: readonly string[]) =>
    Array.from({ length: 400 }, () => {
      const words = Array.from({ length: 8 }, () => (rng.uniform() < 0.7 ? own : other)[rng.below(3)]!);
      return JSON.stringify({ text: words.join(" ") });
    }).join("\n");
  const [reference, random] = [
    ["river", "treaty", "species"],
    ["click", "buy", "cookies"],
  ] as const;
  await writeFile(inside("refs.jsonl"), pages(reference, random));
  await writeFile(inside("random.jsonl"), pages(random, reference));
  await writeFile(inside("page.txt"), "The river treaty\nclick");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a classifier is learned and calibrated, the step asks it, and its verdict is explained", async () => {
  const out = inside("m.bin");
  const made = await cria(
    "data",
    "classifier",
    "--out",
    out,
    ...small,
    `good=${inside("refs.jsonl")}`,
    `bad=${inside("random.jsonl")}`,
    "--json",
  );
  expect(made.code, made.stderr).toBe(0);
  const report = JSON.parse(made.stdout);
  expect(report.texts + report.heldOut).toBe(800);
  expect(report.labels.good.after.accuracy).toBeGreaterThan(0.8);
  expect(report.labels.good.after.loss).toBeLessThanOrEqual(report.labels.good.before.loss + 0.02);
  const calibration = `${out}.calibration.json`;
  expect(JSON.parse(await readFile(calibration, "utf8"))).toEqual({ labels: report.labels });

  const row = stepRows.find(({ name }) => name === "classifier")!;
  const files = { read: (path: string) => readFile(path) };
  const scored = async (given: object) => {
    const step = await row.open(row.parameters.parse({ model: out, label: "good", minScore: 0, ...given }), files);
    const outcome = step.apply(new CleanDocument("The river treaty\nclick"));
    return isDropped(outcome) ? undefined : outcome.facts["score:good"];
  };
  const explained = await cria("data", "explain", out, "--label", "good", "--calibration", calibration, inside("page.txt"), "--json");
  const said = JSON.parse(explained.stdout);
  expect(await scored({})).toBeCloseTo(said.probability, 3);
  expect(await scored({ calibration })).toBeCloseTo(said.calibrated, 3);
  expect(said.calibrated).not.toBeCloseTo(said.probability, 3);
  const part = (ngram: string) => said.ngrams.find((one: { readonly ngram: string }) => one.ngram === ngram).logOdds;
  expect(part("river")).toBeGreaterThan(0);
  expect(part("click")).toBeLessThan(0);
  expect(part("river treaty")).toBeGreaterThan(0);
  const text = await cria("data", "explain", out, "--label", "good", "--most", "1", inside("page.txt"));
  expect(text.stdout).toMatch(/^The river treaty click\n {2}"good": 0\.\d{4}; log-odds against "bad": .*\n {2}\+\d.*\n {2}-\d.*\n$/);
  await expect(scored({ calibration: inside("page.txt") })).rejects.toThrow("page.txt is not JSON");
  await writeFile(inside("other.json"), '{"labels":{"nice":{"slope":1,"intercept":0}}}');
  await expect(scored({ calibration: inside("other.json") })).rejects.toThrow('it has no calibration of "good"');
});

test.each([
  [["good=refs.jsonl"], 2, "there are texts of 1 labels"],
  [["refs.jsonl", "bad=x"], 2, '"refs.jsonl" is no LABEL=TEXT'],
  [["--characters", "2", "a=x", "b=y"], 2, "--characters is 2 but must be a range"],
  [["--held-out", "1", "a=x", "b=y"], 2, "--held-out is 1 but must be above 0"],
  [["--characters", "4-2", "a=x", "b=y"], 1, "n-grams have 4 to 2 characters"],
])("%o is refused", async (words, code, message) => {
  const made = await cria("data", "classifier", "--out", inside("x.bin"), ...words);
  expect(made.stderr).toContain(message);
  expect(made.code).toBe(code);
});
