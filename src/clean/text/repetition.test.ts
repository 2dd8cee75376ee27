// N-grams of words by hashes against the same counted from strings.
import { expect, test } from "vitest";
import { Rng } from "../../base/index.ts";
import { WordGrams } from "./repetition.ts";
import { Words } from "./words.ts";

/** Words of few letters repeat, and their n-grams join to equal text with other borders. */
function someText(rng: Rng): string {
  const letters = ["a", "b", "😀"].slice(0, 1 + rng.below(3));
  const word = () => Array.from({ length: 1 + rng.below(rng.below(2) === 0 ? 2 : 9) }, () => letters[rng.below(letters.length)]).join("");
  const words = Array.from({ length: rng.below(80) }, word);
  const from = rng.below(words.length + 1);
  return [...words, ...words.slice(from, from + rng.below(30))].join(rng.below(2) === 0 ? " " : "\n ");
}

const lengthOf = (text: string) => Array.from(text).length;

function topCharacters(words: readonly string[], n: number): number {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= words.length; i++) {
    const gram = words.slice(i, i + n).join(" ");
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  const most = Math.max(0, ...counts.values());
  const [top] = [...counts].find(([, count]) => count === most) ?? [""];
  return most * lengthOf(top);
}

function repeatedCharacters(words: readonly string[], n: number): number {
  const seen = new Set<string>();
  let repeated = 0;
  for (let i = 0; i + n <= words.length; ) {
    const gram = words.slice(i, i + n).join("");
    if (seen.has(gram)) repeated += lengthOf(gram);
    i += seen.has(gram) ? n : 1;
    seen.add(gram);
  }
  return repeated;
}

test("the most frequent n-grams and the repeated ones are those of strings, in any order of n", () => {
  const rng = new Rng(6);
  const grams = new WordGrams();
  let [found, tight] = [0, 0];
  for (let round = 0; round < 600; round++) {
    const text = someText(rng);
    const words = text.split(/\s+/).filter(Boolean);
    grams.read(text, new Words(text));
    for (let i = 0; i < 6; i++) {
      const n = 1 + rng.below(10);
      const [top, repeated] = [topCharacters(words, n), repeatedCharacters(words, n)];
      expect(grams.topCharacters(n), `${n}: ${text}`).toBe(top);
      expect(grams.repeatedCharacters(n), `${n}: ${text}`).toBe(repeated);
      expect(grams.topBound(n), `${n}: ${text}`).toBeGreaterThanOrEqual(top);
      expect(grams.repeatedBound(n), `${n}: ${text}`).toBeGreaterThanOrEqual(repeated);
      if (grams.repeatedBound(n) === repeated) tight++;
      if (repeated > 0) found++;
    }
  }
  expect(found).toBeGreaterThan(1000);
  expect(tight).toBeGreaterThan(1000);
});
