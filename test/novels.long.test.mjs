// ELTeC's 99 English novels with planted near-duplicates: those are found as often as the theory says, and all others stay. Skipped where the novels are
// absent (test/public-texts.helper.mjs).
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Rng } from "../dist/base/index.js";
import { cleanedTexts, openJob, runPhases } from "../dist/pipeline/index.js";
import { novels, piecesOf, publicData } from "./public-texts.helper.mjs";

const isSkipped = publicData("text/eltec-eng") === undefined;
const folder = mkdtempSync(join(tmpdir(), "cria-novels-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The documents that the steps keep, in their order. */
async function kept(name, texts, steps) {
  const path = join(folder, `${name}.jsonl`);
  writeFileSync(path, texts.map((text) => `${JSON.stringify({ text })}\n`).join(""));
  const { job } = await openJob([{ name, weight: 1, paths: path, steps }], { work: join(folder, name), stretchBytes: 8 << 20 });
  await runPhases(job);
  const [{ files }] = await cleanedTexts(job);
  const lines = files.flatMap((file) => readFileSync(file, "utf8").split("\n").filter(Boolean));
  return lines.map((line) => JSON.parse(line).text);
}

/** The text with so many of its words changed, each for one that stands nowhere else. */
function withChanges(text, count, rng) {
  const words = text.split(" ");
  for (let i = 0; i < count; i++) words[rng.below(words.length)] = `x${rng.uint32().toString(36)}`;
  return words.join(" ");
}

/** Runs of five words in small letters without punctuation, which near-duplicates are told by. */
function grams(text) {
  const words = text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s]/gu, "")
    .split(/\s+/)
    .filter(Boolean);
  return new Set(words.map((_, i) => words.slice(i, i + 5).join(" ")).slice(0, -4));
}

function similarity(a, b) {
  const [one, other] = [grams(a), grams(b)];
  const common = [...one].filter((gram) => other.has(gram)).length;
  return common / (one.size + other.size - common);
}

test.skipIf(isSkipped)("chapters: copies with changed words are found as often as their similarity says, all others stay", async () => {
  const rng = new Rng(41);
  const chapters = [...new Set((await novels()).flatMap((novel) => piecesOf(novel)))].filter((text) => text.length > 2000);
  expect(chapters.length).toBeGreaterThan(10_000);
  const planted = Array.from({ length: 2400 }, (_, i) => {
    const original = chapters[4 * i];
    const text = withChanges(original, [1, 2, 5, 10, 20, 40, 60, 80][i % 8], rng);
    const s = similarity(original, text);
    return { text, similarity: s, chance: 1 - (1 - s ** 8) ** 14 };
  });
  const left = new Set(await kept("chapters", [...chapters, ...planted.map(({ text }) => text)], ["dedupNear"]));
  for (let changes = 0; changes < 8; changes++) {
    const group = planted.filter((_, i) => i % 8 === changes);
    const expected = group.reduce((sum, { chance }) => sum + chance, 0);
    const variance = group.reduce((sum, { chance }) => sum + chance * (1 - chance), 0);
    const found = group.filter(({ text }) => !left.has(text)).length;
    const mean = group.reduce((sum, one) => sum + one.similarity, 0) / group.length;
    console.log(`similarity ${mean.toFixed(3)}: ${found} of ${group.length} found, ${expected.toFixed(1)} expected`);
    // Bernstein's inequality for an error of e^-8.
    expect(Math.abs(found - expected)).toBeLessThanOrEqual(Math.sqrt(16 * variance) + 8 / 3);
  }
  const gone = chapters.filter((text) => !left.has(text));
  console.log(`${gone.length} of ${chapters.length} chapters went that were not planted`);
  expect(gone).toEqual([]);
});

test.skipIf(isSkipped)("books: editions with other first pages and some words changed go, all 99 novels stay", async () => {
  const rng = new Rng(42);
  const books = await novels();
  expect(books.length).toBe(99);
  const editions = books.map((text, i) => {
    const words = text.split(" ").length;
    return `Edition ${i}, revised and printed anew.\n\n${withChanges(text, Math.floor(words / 2000), rng)}`;
  });
  for (const step of ["dedupSimhash", "dedupNear"]) {
    const left = new Set(await kept(step, [...books, ...editions], [step]));
    const numbers = (texts) => texts.flatMap((text, i) => (left.has(text) ? [i] : []));
    expect(numbers(books), `${step}: novels that stay`).toEqual([...books.keys()]);
    expect(numbers(editions), `${step}: editions that stay`).toEqual([]);
  }
});
