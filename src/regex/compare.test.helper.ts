import { expect } from "vitest";
import { backtrack } from "./backtrack.test.helper.ts";
import { PatternError } from "./parse.ts";
import { randomPattern, randomText } from "./random-pattern.test.helper.ts";
import { Regex } from "./regex.ts";

/** Patterns for which walking on from every position would take time that grows with the square of the text. */
export const linear = [
  ["a+b|a", "a"],
  ["\\s*[\\r\\n]|\\s", " "],
  ["(?=.*b)a|c", "a"],
  ["(?:a*)*b|a", "a"],
  ["(?<=a{3})a++b|a", "a"],
  ["[A-Za-z0-9+/]+=|.", "Qk3+"],
] as const;

/** How many random patterns find what backtracking finds, and how many are refused; one that finds something else throws. */
export function compare(seed: number, count: number) {
  let compared = 0;
  let refused = 0;
  for (let i = 0; i < count; i++) {
    const pattern = randomPattern(seed * 1e6 + i);
    const text = randomText(seed * 1e6 + i);
    const expected = judged(pattern, text);
    if (expected === undefined) continue;
    const found = matchesOf(pattern, text);
    if (found === undefined) refused++;
    else {
      expect({ pattern, text, found }).toEqual({ pattern, text, found: expected });
      compared++;
    }
  }
  return { compared, refused };
}

/** Undefined where the pattern is refused, or takes too many steps. */
function judged(pattern: string, text: string) {
  try {
    return backtrack(pattern, text);
  } catch (error) {
    if (error instanceof PatternError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Undefined where the pattern is refused. */
function matchesOf(pattern: string, text: string) {
  try {
    return [...new Regex(pattern).matches(text)];
  } catch (error) {
    if (error instanceof PatternError) return undefined;
    throw error;
  }
}
