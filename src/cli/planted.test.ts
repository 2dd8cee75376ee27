// Planted truths: a synthetic corpus whose copies, near-copies, foreign pages and bad pages are known, through data prepare to its report, whose precision and
// recall are exact.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { FastTextTrainer, writeFastText } from "../fasttext/index.ts";
import { commandRows } from "./commands.ts";
import { packageRoot } from "./package-root.ts";
import { runWords } from "./terminal.test.helper.ts";

const rng = new Rng(14);
const stems = {
  en: "the water of a hill and that with have been stone be to grass night shepherd morning walked slowly under".split(" "),
  de: "das wasser von einem berg und die mit haben stein zu gras nacht hirte morgen ging langsam unter dem nicht".split(" "),
};
const sentence = (language: keyof typeof stems, words: number) =>
  Array.from({ length: words }, () => stems[language][rng.below(20)] ?? "").join(" ");
/** A page of lines, of which no two are the same. */
const page = (language: keyof typeof stems, lines: number) => Array.from({ length: lines }, () => `${sentence(language, 12)}.`).join("\n");
const many = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i));

const good = many(60, () => page("en", 10));
/** It has 54 words, where 50 are the fewest that gopherQuality keeps. */
const barelyGood = `${page("en", 4)}\n${sentence("en", 6)}.`;
const planted = [
  { text: barelyGood, truth: "kept" },
  ...good.map((text) => ({ text, truth: "kept" })),
  ...good.slice(0, 12).map((text) => ({ text, truth: "dedupDocuments" })),
  // One word of 120 is another one: five of 116 n-grams.
  ...good.slice(20, 35).map((text) => ({ text: text.replace(/\w+(?=\.$)/, "llama"), truth: "dedupNear.nearCopy" })),
  ...many(14, () => ({ text: page("de", 10), truth: "language.other" })),
  ...many(10, () => ({ text: page("en", 2), truth: "gopherQuality" })),
  // Truths that the steps do not come to: three pages that go wrongly, two copies that are none, one that no step can find.
  ...many(3, () => ({ text: page("en", 3), truth: "kept" })),
  ...many(2, () => ({ text: page("en", 10), truth: "dedupNear" })),
  { text: page("en", 10), truth: "dedupNeer" },
];

let folder: string;
const inside = (name: string) => join(folder, name);
const cria = (...words: string[]) => runWords(words, commandRows);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-planted-"));
  const trainer = new FastTextTrainer({ dim: 8, bucket: 1000, epoch: 10, seed: 1 });
  for (const language of ["en", "de"] as const) for (let i = 0; i < 60; i++) trainer.add(language, sentence(language, 30));
  await writeFile(inside("lid.bin"), Buffer.concat([...writeFastText(await trainer.train())]));
  await writeFile(inside("pages.jsonl"), planted.map((document) => `${JSON.stringify(document)}\n`).join(""));
  const steps = ["dedupDocuments", "language: { model: lid.bin, languages: [en] }", "gopherQuality", "dedupNear"];
  await writeFile(
    inside("recipe.yaml"),
    `sources:\n  - paths: pages.jsonl\n    steps: [${steps.map((step) => (step.includes(":") ? `{ ${step} }` : step)).join(", ")}]\n`,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("the report says precision and recall of planted truths, and shows what was found", async () => {
  const tokenizer = join(packageRoot, "test", "fixtures", "2026-11-28", "bytes.json");
  const made = await cria("data", "prepare", inside("recipe.yaml"), "--tokenizer", tokenizer, "--out", inside("out"));
  expect(made.code, made.stderr).toBe(0);
  const told = [
    /^ +planted truths +planted +dropped +rightly +precision +recall$/m,
    /^ +dedupDocuments +12 +12 +12 +1\.0000 +1\.0000$/m,
    /^ +gopherQuality +10 +13 +10 +0\.7692 +1\.0000$/m,
    /^ +language +14 +14 +14 +1\.0000 +1\.0000$/m,
    /^ +dedupNear +17 +15 +15 +1\.0000 +0\.8824$/m,
    /^ +any step +53 +54 +51 +0\.9444 +0\.9623$/m,
    /^ {2}stray truths, which no step of the source can make true: 1, such as "dedupNeer"$/m,
  ];
  for (const row of told) expect(made.stdout).toMatch(row);
  expect(made.stdout).toContain("dedupNear: 15 clusters, the largest of 2 documents");

  const stats = await cria("data", "stats", inside("out"));
  expect(stats.stdout).toBe(made.stdout);
  expect(stats.stdout).toMatch(/^what went and why: .*cleaning\.html$/m);
  const [source] = JSON.parse((await cria("data", "stats", inside("out"), "--json")).stdout).cleaning;
  expect(source.truths["dedupNear.nearCopy"]).toEqual({ "dedupNear.nearCopy": 15 });
  expect(source.steps[2].reasons).toEqual({ fewWords: 13 });
  expect(source.tokens.bytes / source.tokens.tokens).toBeGreaterThan(1);

  const page = await readFile(join(inside("out"), "cleaning.html"), "utf8");
  for (const part of [
    '<td>dedupNear</td><td class="number">17</td><td class="number">15</td><td class="number">15</td><td class="number">1</td><td class="number">0.8824</td>',
    "Stray truths, which no step of the source can make true: 1, such as “dedupNeer”.",
    "documents by languageScore",
    "a cluster of 2 documents",
    "the first, which stays",
    "those nearest to the limit",
    "almost dropped: has fewer words than prose",
    "Throughput",
    "tokens, estimated",
  ])
    expect(page).toContain(part);
  expect(page.match(/<figure><svg/g)).toHaveLength(2);
  expect(page).not.toMatch(/src=|href=|url\(|<script/);
  const report = JSON.parse(await readFile(join(inside("out"), "cleaning.json"), "utf8"));
  const [, language, quality, near] = report.sources[0].steps;
  expect(quality.reasons.fewWords.nearest[0]).toMatchObject({ measured: 36, limit: 50 });
  expect(quality.barely.fewWords).toMatchObject([{ measured: 54, limit: 50, text: barelyGood }]);
  expect(language.values.greatest[0].measured).toBeGreaterThanOrEqual(language.values.least[0].measured);
  expect(near.clusters.largest[0].texts).toHaveLength(2);
});

test("a report that an earlier version wrote, without what came since, is told as far as it goes", async () => {
  const path = join(inside("out"), "cleaning.json");
  const { sources } = JSON.parse(await readFile(path, "utf8"));
  const amount = { documents: 3, bytes: 10 };
  const example = { id: "a#1", text: "x", measured: 1, limit: 2 };
  const step = {
    name: "length",
    in: amount,
    out: amount,
    rewritten: 0,
    changes: [],
    reasons: { short: { documents: 1, examples: [example] } },
  };
  const old = {
    name: sources[0].name,
    read: amount,
    kept: amount,
    steps: [step],
    lengths: { read: [1], kept: [1] },
    languages: {},
    examples: [],
  };
  await writeFile(path, JSON.stringify({ version: 1, sources: [old] }));
  await rm(join(inside("out"), "cleaning-times.json"));
  const told = await cria("data", "stats", inside("out"));
  expect(told.stdout).toMatch(/^text: 3 of 3 documents stay, 100\.0 % of the text\n.*\n {2}read +3 +10 +100\.0 %\n/);
  expect(told.stdout).toContain("1 dropped by length: short");
});
