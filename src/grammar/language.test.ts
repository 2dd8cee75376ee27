import { describe, expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import {
  anyOf,
  anyString,
  both,
  has,
  isEmpty,
  isEverything,
  type Language,
  lengthLanguage,
  lengthsOf,
  negated,
  patternLanguage,
  wordsLanguage,
} from "./language.ts";
import { PatternProblem } from "./pattern.ts";

const letters = ["a", "b", "1", " ", "\n", "é", "😀", "_"];

function randomText(rng: Rng): string {
  return Array.from({ length: rng.below(7) }, () => letters[rng.below(letters.length)]).join("");
}

function randomPattern(rng: Rng, depth = 3): string {
  const atoms = [
    "a",
    "b",
    "1",
    ".",
    "\\d",
    "\\w",
    "\\s",
    "\\W",
    "[ab]",
    "[^a\\n]",
    "[a-é]",
    "\\p{L}",
    "\\P{Lu}",
    "é",
    "😀",
    "\\u{1F600}",
    "\\ud83d\\ude00",
    "\\x61",
    "^",
    "$",
  ];
  const below = () => randomPattern(rng, depth - 1);
  switch (depth === 0 ? 0 : rng.below(6)) {
    case 0:
    case 1:
      return atoms[rng.below(atoms.length)]!;
    case 2:
      return below() + below();
    case 3:
      return `${below()}|${below()}`;
    case 4:
      return `(${["", "?:", "?<name>"][rng.below(3)]}${below()})${["*", "+", "?", "{2}", "{1,}", "{0,2}", "*?", ""][rng.below(8)]}`;
    default:
      return `(?:${below()})${below()}`;
  }
}

test("random patterns have the texts in which JavaScript finds them", () => {
  const rng = new Rng(1);
  let matches = 0;
  for (let round = 0; round < 150; round++) {
    const pattern = randomPattern(rng);
    let regex: RegExp;
    try {
      regex = new RegExp(pattern, "u");
    } catch {
      continue; // the same name twice
    }
    const language = patternLanguage(pattern);
    for (let i = 0; i < 12; i++) {
      const text = randomText(rng);
      if (regex.test(text)) matches++;
      expect({ pattern, text, has: has(language, text) }).toEqual({ pattern, text, has: regex.test(text) });
    }
  }
  expect(matches).toBeGreaterThan(200);
});

test("operations of sets are those of their members", () => {
  const rng = new Rng(2);
  const language = (): readonly [Language, (text: string) => boolean] => {
    const pattern = `^(?:${randomPattern(rng, 2).replace("?<name>", "")})$`;
    const words = [randomText(rng), randomText(rng)];
    const [least, most] = [rng.below(3), rng.below(2) === 0 ? Number.POSITIVE_INFINITY : 3 + rng.below(3)];
    const choices = [
      [patternLanguage(pattern), (text: string) => new RegExp(pattern, "u").test(text)],
      [wordsLanguage(words), (text: string) => words.includes(text)],
      [lengthLanguage(least, most), (text: string) => Array.from(text).length >= least && Array.from(text).length <= most],
      [anyString, () => true],
    ] as const;
    return choices[rng.below(choices.length)]!;
  };
  for (let round = 0; round < 50; round++) {
    const [[a, inA], [b, inB]] = [language(), language()];
    const texts = Array.from({ length: 10 }, () => randomText(rng));
    for (const text of texts) {
      expect(has(both(a, b), text)).toBe(inA(text) && inB(text));
      expect(has(anyOf([a, b]), text)).toBe(inA(text) || inB(text));
      expect(has(negated(a), text)).toBe(!inA(text));
    }
    expect(isEmpty(both(a, negated(a)))).toBe(true);
    expect(isEverything(anyOf([a, negated(a)]))).toBe(true);
  }
});

test("lengths of strings", () => {
  const rows = [
    ["^a{2,4}$", [2, 4]],
    ["^(?:abc|a|é😀)$", [1, 3]],
    ["^a*b$", [1, Number.POSITIVE_INFINITY]],
    ["^$", [0, 0]],
    ["x", [1, Number.POSITIVE_INFINITY]],
  ] as const;
  for (const [pattern, lengths] of rows) expect([pattern, lengthsOf(patternLanguage(pattern))]).toEqual([pattern, lengths]);
});

describe("what patterns get wrong or what is not supported is refused with its place", () => {
  test.each([
    ["(?=a)", "at character 1: look-ahead"],
    ["a(?<!b)", "at character 2: look-ahead, look-behind"],
    ["a\\b", "at character 2: word edges"],
    ["(a)\\1", "at character 4: word edges and references"],
    ["a)", "at character 2: a ) without its ("],
    ["(a", "at character 1: a ( without its )"],
    ["[a", "at character 1: a [ without its ]"],
    ["[b-a]", "at character 2: a range that ends before it begins"],
    ["[\\d-z]", "at character 2: a range from or to a class"],
    ["*a", "at character 1: * has nothing to repeat"],
    ["a{3,2}", "at character 2: a repetition from 3 to 2"],
    ["\\q", "at character 1: \\q is no escape"],
    ["\\p{Nope}", "at character 1: \\p{Nope} is not known"],
    ["\\ud800", "at character 1: d800 is no character"],
    ["a\\", "at character 3: the pattern ends too early"],
    [`${"(".repeat(300)}a${")".repeat(300)}`, "groups more than 200 deep"],
    ["(?:a{1000}){1000}", "its repetitions are too large"],
    ["^(?:a|b)*a(?:a|b){16}$", "more than 10000 states"],
  ])("%s", (pattern, problem) => {
    expect(() => patternLanguage(pattern)).toThrow(PatternProblem);
    expect(() => patternLanguage(pattern)).toThrow(problem);
  });
});
