// PyPI's datatrove run live on some 4,000 public documents (test/public-texts.helper.mjs): verdicts of its filters, and clusters of its MinHash. Without
// a Python that has it, or without the documents, the tests are skipped.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Rng } from "../dist/base/index.js";
import { reasonOf } from "../dist/clean/datatrove-reasons.test.helper.js";
import { CleanDocument, isDropped, stepRows } from "../dist/clean/index.js";
import { cleanedTexts, openJob, runPhases } from "../dist/pipeline/index.js";
import { novels, piecesOf, publicData, publicDocuments, pythonWith, runGolden } from "./public-texts.helper.mjs";

const python = pythonWith("datatrove", "numpy", "xxhash");
const isSkipped = python === undefined || publicData("text/eltec-eng") === undefined;
const folder = mkdtempSync(join(tmpdir(), "cria-datatrove-"));
afterAll(() => rmSync(folder, { recursive: true }));

let documents = [];
let verdicts = [];
beforeAll(async () => {
  if (isSkipped) return;
  documents = await publicDocuments();
  verdicts = runGolden(python, "make_clean_filters.py", written("documents.jsonl", documents))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
});

function written(name, texts) {
  const path = join(folder, name);
  writeFileSync(path, texts.map((text) => `${JSON.stringify({ text })}\n`).join(""));
  return path;
}

const published = {
  gopherQuality: {},
  gopherRepetition: {},
  finewebQuality: {},
  c4Quality: { lineEnds: [".", "?", "!", '"', "'"] },
  c4Paragraphs: {},
};

test.skipIf(isSkipped).each(Object.entries(published))("%s says what datatrove says of every document", async (name, parameters) => {
  expect(documents.length).toBeGreaterThan(3000);
  expect(verdicts.length).toBe(documents.length);
  const row = stepRows.find((one) => one.name === name);
  const step = await row.open(row.parameters.parse(parameters), { read: () => Promise.reject(new Error("no file is read here")) });
  const counts = {};
  for (const [i, text] of documents.entries()) {
    const outcome = step.apply(new CleanDocument(text));
    const ours = isDropped(outcome) ? outcome.reason : outcome.text === text ? true : { kept: outcome.text };
    const theirs = typeof verdicts[i][name] === "string" ? reasonOf(verdicts[i][name]) : verdicts[i][name];
    expect(ours, text).toEqual(theirs);
    const kind = typeof ours === "string" ? ours : ours === true ? "kept" : "rewritten";
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  console.log(name, counts);
  expect(Object.keys(counts).length).toBeGreaterThan(1);
});

test.skipIf(isSkipped)("chapters of novels with planted near-copies fall into datatrove's clusters", async () => {
  const rng = new Rng(31);
  const chapters = (await novels())
    .slice(0, 12)
    .flatMap((novel) => piecesOf(novel))
    .slice(0, 900);
  const copies = Array.from({ length: 300 }, (_, i) => withChanges(chapters[3 * i], 1 + rng.below(60), rng));
  const texts = [...chapters, ...copies, "three words only", "three words only"];
  const path = written("chapters.jsonl", texts);
  const { clusters } = JSON.parse(runGolden(python, "make_min_hash.py", path));
  const source = { name: "chapters", weight: 1, paths: path, steps: [{ dedupNear: { hash: "xxhash64" } }] };
  const { job } = await openJob([source], { work: join(folder, "work"), stretchBytes: 500_000 });
  await runPhases(job);
  const copiesThere = new Set(clusters.flatMap((cluster) => cluster.slice(1)));
  expect(copiesThere.size).toBeGreaterThan(150);
  expect(await keptTexts(job)).toEqual(texts.filter((_, i) => !copiesThere.has(i)));
});

async function keptTexts(job) {
  const [{ files }] = await cleanedTexts(job);
  const lines = files.flatMap((file) => readFileSync(file, "utf8").split("\n").filter(Boolean));
  return lines.map((line) => JSON.parse(line).text);
}

/** The text with so many of its words replaced by others of it. */
function withChanges(text, count, rng) {
  const words = text.split(" ");
  for (let i = 0; i < count; i++) words[rng.below(words.length)] = words[rng.below(words.length)];
  return words.join(" ");
}
