import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { complement, intersection } from "./code-points.ts";
import { compare, linear } from "./compare.test.helper.ts";
import { PatternError, parse } from "./parse.ts";
import { Regex } from "./regex.ts";

interface Row {
  readonly pattern: string;
  readonly error?: string;
  readonly texts: readonly string[];
  /** Lengths in code points of what lies between cuts, empty matches cut too, and of what no match has. */
  readonly pieces: readonly (readonly number[])[];
  readonly gaps: readonly (readonly number[])[];
}

const { rows }: { readonly rows: readonly Row[] } = JSON.parse(
  readFileSync(new URL("../../test/goldens/split-patterns.golden.json", import.meta.url), "utf8"),
);

/** The golden's lengths from our matches. */
function cut(pattern: string, text: string) {
  const pieces: string[] = [];
  const gaps: string[] = [];
  let done = 0;
  for (const { start, end } of new Regex(pattern).matches(text)) {
    if (start > done) gaps.push(text.slice(done, start));
    pieces.push(text.slice(done, start), text.slice(start, end));
    done = end;
  }
  gaps.push(text.slice(done));
  pieces.push(text.slice(done));
  const lengths = (parts: readonly string[]) => parts.map((part) => Array.from(part).length).filter((length) => length > 0);
  return { pieces: lengths(pieces), gaps: lengths(gaps) };
}

test("patterns find in texts of all scripts what tokenizers finds, or are refused", () => {
  const refused: string[] = [];
  for (const row of rows) {
    if (row.error !== undefined) continue;
    try {
      new Regex(row.pattern);
    } catch (error) {
      expect(error).toBeInstanceOf(PatternError);
      refused.push(row.pattern);
      continue;
    }
    row.texts.forEach((text, i) => {
      expect({ pattern: row.pattern, text, ...cut(row.pattern, text) }).toEqual({
        pattern: row.pattern,
        text,
        pieces: row.pieces[i],
        gaps: row.gaps[i],
      });
    });
  }
  expect(refused.length).toBeLessThan(rows.length / 8);
});

test("classes have the characters that they have in tokenizers, of all of Unicode", () => {
  const classes: Readonly<Record<string, readonly number[]>> = JSON.parse(
    readFileSync(new URL("../../test/goldens/unicode-classes.golden.json", import.meta.url), "utf8"),
  );
  for (const [pattern, expected] of Object.entries(classes)) expect([pattern, ...summary(pattern)]).toEqual([pattern, ...expected]);
});

/** Ranges, characters and the hash of ranges without surrogates that the golden has. */
function summary(pattern: string): [number, number, number] {
  const node = parse(pattern);
  if (node.type !== "set") throw new Error(`${pattern} is no class`);
  const characters = intersection(node.set, complement([[0xd800, 0xdfff]]));
  let hash = 0x811c9dc5;
  for (const char of characters.map(([first, last]) => `${first}-${last}`).join(","))
    hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  return [characters.length, characters.reduce((sum, [first, last]) => sum + last - first + 1, 0), hash >>> 0];
}

test.each([
  ["references to groups", 3, "(a)\\1"],
  ["\\K is not supported", 1, "a\\K"],
  ["\\q is not supported", 2, "ab\\q"],
  ["conditions", 0, "(?(1)a|b)"],
  ["absent groups", 1, "a(?~b)"],
  ["calls of groups", 0, "\\g<0>"],
  ["a repetition without limit in a look-behind", 1, "x(?<=a+)"],
  ["another look in a look-behind", 1, "x(?<=(?=a))"],
  ["more than 1000 repetitions", 1, "a{1,100000}"],
  ["more than 4000 states", 0, "(?:a{1000}){1000}"],
  ["repetitions of repetitions", 0, "(?:(?:(?:){1000}){1000}){1000}"],
  ["at most 5000", 5_000, "(".repeat(100_000)],
  ["groups more than 200 deep", 200, "(".repeat(1_000)],
  ["classes more than 200 deep", 200, "[".repeat(1_000)],
  ["a ( without its )", 1, "a("],
  ["a ) without its (", 2, "ab)"],
  ["a [ without its ]", 0, "[a"],
  ["ends before it begins", 0, "[z-a]"],
  ["\\p{Klingon} is not known", 0, "\\p{Klingon}"],
  ["nothing stands in front", 2, "a|*"],
  ["ß, which without case is ss", 8, "(?i:straße)"],
  ["ss, which without case is ß", 4, "(?i:ss)"],
  ["so many ways to match", 0, "(?>(?:a|b|c){0,20})"],
  ["in an atomic group", 0, "(?>(?:a|ab)*c)"],
])("refused with its place: %s", (reason, at, pattern) => {
  let refused: unknown;
  try {
    new Regex(pattern);
  } catch (error) {
    refused = error;
  }
  expect(refused).toBeInstanceOf(PatternError);
  expect(refused).toMatchObject({ at, message: expect.stringContaining(reason) });
});

test.each(linear)("%s takes time in proportion to the text, and keeps little of it", (pattern, unit) => {
  const text = unit.repeat(30_000);
  let last = 0;
  let isOrdered = true;
  for (const { start, end } of new Regex(pattern).matches(text)) {
    isOrdered &&= start >= last && end > start;
    last = end;
  }
  expect(isOrdered).toBe(true);
});

test("a text in which every position has another state is matched in bounded memory", () => {
  const rng = new Rng(5);
  const text = Array.from({ length: 60_000 }, () => "ab"[rng.below(2)]).join("");
  const pattern = "a(?=.{16}a)";
  const expected = [...text].flatMap((char, at) => (char === "a" && text[at + 17] === "a" ? [at] : []));
  expect([...new Regex(pattern).matches(text)].map(({ start }) => start)).toEqual(expected);
});

test("random patterns find what backtracking finds", () => {
  const { compared, refused } = compare(1, 300);
  expect(compared).toBeGreaterThan(2 * refused);
});
