import { expect, test } from "vitest";
import { Rng } from "../../base/index.ts";
import { randomText, variedTexts } from "../conformance.ts";
import { eachSpan } from "../split-bytes.ts";
import { splitsOf } from "../split-pattern.ts";
import { eachSentencePart } from "../split-sentence.ts";
import { type WordRules, wordCutter } from "./cut-words.ts";
import { mergeCounts } from "./merge-counts.ts";
import type { WordCounts } from "./word-counts.ts";
import { WordTable } from "./word-table.ts";

async function listed(counts: WordCounts): Promise<[word: string, count: number][]> {
  const found: [string, number][] = [];
  for await (const { bytes, ends, counts: each } of counts.blocks())
    each.forEach((count, i) => found.push([Buffer.from(bytes.subarray(i === 0 ? 0 : ends[i - 1]!, ends[i]!)).toString(), count]));
  return found;
}

/** The slow meaning: a map of strings, sorted by their UTF-8. */
function naive(words: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const word of words.map((text) => Buffer.from(text).toString())) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function tableOf(words: readonly string[]): WordTable {
  const table = new WordTable();
  for (const word of words) table.add(`<${word}>`, 1, word.length + 1);
  return table;
}

function randomWords(rng: Rng, size: number): string[] {
  return Array.from({ length: size }, () => randomText(rng, 1 + rng.below(1 + rng.below(12))) + (rng.below(50) === 0 ? "\ud800" : ""));
}

test.each([1, 2, 3])("a table counts as a map of strings does, and sorts by bytes, seed %i", async (seed) => {
  const rng = new Rng(seed);
  const long = ["a".repeat(100_000), "a".repeat(99_999), `${"a".repeat(99_999)}b`];
  const words = [...randomWords(rng, 10_000), ...variedTexts.filter((text) => text !== ""), ...long, "a".repeat(100_000)];
  const table = tableOf(words);
  const expected = naive(words);
  expect(await listed(table)).toEqual(expected);
  expect(table.size).toBe(expected.length);
});

test.each([0, 1, 5, 4096, 20_000])("a table with room for %i words grows as it must", async (room) => {
  const words = Array.from({ length: 20_000 }, (_, i) => ((i * 7919) % 17_000).toString(36));
  const table = new WordTable({ words: room, bytes: 3 * room });
  for (const word of words) table.add(word);
  expect(await listed(table)).toEqual(naive(words));
});

test.each([1, 2, 5])("merged, %i tables are one", async (parts) => {
  const rng = new Rng(parts);
  const words = randomWords(rng, 5000);
  const tables = Array.from({ length: parts }, (_, part) => tableOf(words.filter((_word, i) => i % parts === part)));
  const merged = mergeCounts([new WordTable(), ...tables]);
  expect(await listed(merged)).toEqual(naive(words));
  expect(await listed(merged)).toEqual(naive(words)); // again
  const together = new WordTable();
  for await (const block of merged.blocks()) together.addBlock(block);
  expect(await listed(together)).toEqual(naive(words));
});

test.each<[WordRules]>([
  [{ kind: "bytes", pattern: "gpt2", splitDigits: false }],
  [{ kind: "bytes", pattern: "llama3", splitDigits: false }],
  [{ kind: "bytes", pattern: "o200k", splitDigits: false }],
  [{ kind: "sentencepiece", splitDigits: true, splitByUnicodeScript: true, reserved: ["<s>", "<0x0A>", "éa"], boundary: "\u001f" }],
  [{ kind: "sentencepiece", splitDigits: false, splitByUnicodeScript: false, reserved: [], boundary: "\t" }],
  [{ kind: "sentencepiece", splitDigits: true, splitByUnicodeScript: true, reserved: ["<s>", "a\nb"], boundary: "\u001f" }],
  [{ kind: "sentencepiece", splitDigits: true, splitByUnicodeScript: true, reserved: ["<s>"], boundary: "\u001f", maxSentenceBytes: 12 }],
])("words of UTF-8 are those of strings: %j", async (rules) => {
  const rng = new Rng(9);
  const parts = [...variedTexts, "▁", "▁▁a", "▅", "<s>", "<0x0A>", "\n", "\n\n", "\ud800", "x\udc00y", "\u001f", "\t", "\r\n", "e\u0301"];
  const cut = wordCutter(rules);
  for (let i = 0; i < 200; i++) {
    const text = Array.from({ length: rng.below(6) }, () =>
      rng.below(3) === 0 ? randomText(rng, 20) : parts[rng.below(parts.length)]!,
    ).join("");
    const [table, judge] = [new WordTable(), new WordTable()];
    cut(text, table);
    if (rules.kind === "sentencepiece") eachSentencePart(text, rules, (line, start, end) => judge.add(line, start, end));
    else if (rules.kind === "bytes") eachSpan(text, splitsOf(rules.pattern, false), (start, end) => judge.add(text, start, end));
    expect(await listed(table)).toEqual(await listed(judge));
  }
});

test("counts beyond 2^32 are exact", async () => {
  const block = { bytes: new TextEncoder().encode("ab"), ends: Uint32Array.of(1, 2), counts: Float64Array.of(2 ** 32 + 1, 2 ** 52) };
  const table = new WordTable();
  table.add("a");
  table.addBlock(block);
  expect(await listed(mergeCounts([table, { blocks: () => [block] }]))).toEqual([
    ["a", 2 ** 33 + 3],
    ["b", 2 ** 53],
  ]);
});

test("nothing counted is nothing", async () => {
  expect(await listed(new WordTable())).toEqual([]);
  expect(await listed(mergeCounts([]))).toEqual([]);
});
