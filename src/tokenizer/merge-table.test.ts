import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { MergeTable, PairRules } from "./merge-table.ts";

/** Symbols are lengths of runs; two of one length become one of twice the length, the short ones first. */
function doubling(): PairRules {
  const rules = new PairRules(20);
  for (let power = 0; power < 20; power++) rules.add(2 ** power, 2 ** power, 2 ** (power + 1), power);
  return rules;
}

test("pairs are rated in proportion to the length of a word, also where all of it merges", () => {
  for (const length of [1 << 12, 1 << 16]) {
    let rated = 0;
    const symbols = new Int32Array(length).fill(1);
    expect(new MergeTable(doubling(), () => rated++).merge(symbols, length)).toBe(1);
    expect(symbols[0]).toBe(length);
    expect(rated).toBeLessThan(4 * length);
  }
});

test("pairs that share a place in the table of known ones are told apart", () => {
  const rng = new Rng(5);
  const rules = new PairRules(60_000);
  for (let i = 0; i < 60_000; i++) rules.add(rng.below(250), rng.below(250), rng.below(250), rng.below(1000));
  const table = new MergeTable(rules);
  for (let round = 0; round < 2000; round++) {
    const word = Int32Array.from({ length: 2 + rng.below(12) }, () => rng.below(260) - 10);
    const merged = word.slice();
    const length = table.merge(merged, word.length);
    expect([...merged.subarray(0, length)]).toEqual(naive([...word], rules));
  }
});

test("long words and short ones merge alike, equal ranks from left to right", () => {
  const rng = new Rng(3);
  const rules = new PairRules(40);
  for (let i = 0; i < 40; i++) rules.add(rng.below(8), rng.below(8), rng.below(8), rng.below(5));
  const table = new MergeTable(rules);
  for (let round = 0; round < 300; round++) {
    const word = Int32Array.from({ length: 161 + rng.below(40) }, () => rng.below(10) - 1);
    const merged = word.slice();
    const length = table.merge(merged, word.length);
    expect([...merged.subarray(0, length)]).toEqual(naive([...word], rules));
  }
});

/** The pair of the lowest rank, leftmost first, until none is left. */
function naive(word: number[], rules: PairRules): number[] {
  for (;;) {
    let [best, at] = [Number.POSITIVE_INFINITY, -1];
    for (let i = 0; i + 1 < word.length; i++) {
      const rule = word[i]! < 0 || word[i + 1]! < 0 ? -1 : rules.find(word[i]!, word[i + 1]!);
      if (rule >= 0 && rules.ranks[rule]! < best) [best, at] = [rules.ranks[rule]!, i];
    }
    if (at < 0) return word;
    word.splice(at, 2, rules.results[rules.find(word[at]!, word[at + 1]!)]!);
  }
}
