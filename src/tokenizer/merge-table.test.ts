import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { type MergeRules, MergeTable, PairRules } from "./merge-table.ts";

/** Symbols are lengths of runs; two of one length become one of twice the length, the short ones first. */
function doubling(): PairRules {
  const lengths = Array.from({ length: 20 }, (_, power) => 2 ** power);
  return new PairRules(
    Int32Array.from(lengths.flatMap((length) => [length, length])),
    Int32Array.from(lengths, (length) => 2 * length),
  );
}

/** So many merges of symbols below a bound, some of them of one pair. */
function randomRules(rng: Rng, count: number, symbols: number): PairRules {
  const draw = (length: number) => Int32Array.from({ length }, () => rng.below(symbols));
  return new PairRules(draw(2 * count), draw(count));
}

/** The same rules with so many ranks, which some of them share. */
function sharingRanks(rules: MergeRules, ranks: number): MergeRules {
  return {
    find: (left, right) => rules.find(left, right),
    rankOf: (rule) => rules.rankOf(rule) % ranks,
    resultOf: (rule) => rules.resultOf(rule),
  };
}

test("of two merges of one pair the first counts", () => {
  const rules = new PairRules(Int32Array.of(1, 2, 3, 4, 1, 2), Int32Array.of(10, 11, 12));
  expect([rules.find(1, 2), rules.find(3, 4), rules.find(2, 1)]).toEqual([0, 1, -1]);
  expect(rules.resultOf(rules.find(1, 2))).toBe(10);
});

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
  const rules = sharingRanks(randomRules(rng, 60_000, 250), 1000);
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
  const rules = sharingRanks(randomRules(rng, 40, 8), 5);
  const table = new MergeTable(rules);
  for (let round = 0; round < 300; round++) {
    const word = Int32Array.from({ length: 150 + rng.below(100) }, () => rng.below(10) - 1);
    const merged = word.slice();
    const length = table.merge(merged, word.length);
    expect([...merged.subarray(0, length)]).toEqual(naive([...word], rules));
  }
});

/** The pair of the lowest rank, leftmost first, until none is left. */
function naive(word: number[], rules: MergeRules): number[] {
  for (;;) {
    let [best, at] = [Number.POSITIVE_INFINITY, -1];
    for (let i = 0; i + 1 < word.length; i++) {
      const rule = word[i]! < 0 || word[i + 1]! < 0 ? -1 : rules.find(word[i]!, word[i + 1]!);
      if (rule >= 0 && rules.rankOf(rule) < best) [best, at] = [rules.rankOf(rule), i];
    }
    if (at < 0) return word;
    word.splice(at, 2, rules.resultOf(rules.find(word[at]!, word[at + 1]!)));
  }
}

test("a rank that no key has room for is refused", () => {
  const rules = { find: () => 0, rankOf: () => 2 ** 23, resultOf: () => 7 };
  expect(() => new MergeTable(rules).merge(Int32Array.of(1, 2), 2)).toThrow("a pair has rank 8388608, and ranks are below 8388607");
});
