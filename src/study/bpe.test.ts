import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { sameMerges, writeTasks } from "./bpe.ts";
import { textbookBpe } from "./textbook-bpe.ts";

test("the textbook's example begins as in the paper: es, est, est</w>, lo, low", () => {
  const text = `${"low ".repeat(5)}${"lower ".repeat(2)}${"newest ".repeat(6)}${"widest ".repeat(3)}`;
  const steps = textbookBpe(text, 5);
  expect(steps.map(({ left, right }) => left + right)).toEqual(["es", "est", "est</w>", "lo", "low"]);
  expect(steps.map(({ count }) => count)).toEqual([9, 9, 9, 7, 7]);
});

test("the trainer makes the textbook's merges, whatever the text", async () => {
  const rng = new Rng(4);
  for (let round = 0; round < 20; round++) {
    const word = () => Array.from({ length: 1 + rng.below(7) }, () => "abcä".charAt(rng.below(4))).join("");
    const text = Array.from({ length: 60 }, word).join(rng.below(2) === 0 ? " " : "\n");
    const steps = textbookBpe(text, 15);
    expect(steps.length).toBe(15);
    expect(await sameMerges(text, steps)).toBe(true);
  }
});

test("a text without pairs has no steps, and empty words are none", () => {
  expect(textbookBpe("", 5)).toEqual([]);
  expect(textbookBpe("  \n", 5)).toEqual([]);
  expect(textbookBpe("a a", 5).map(({ left, right, symbols }) => [left, right, symbols])).toEqual([["a", "</w>", 2]]);
});

test("what is asked was never seen in training", () => {
  const { training, questions } = writeTasks(1);
  const seen = new Set(training.join("").split("\n"));
  expect(seen.size).toBeGreaterThan(10_000);
  for (const [prompt, answer] of [...questions.adding, ...questions.counting]) expect(seen.has(prompt + answer)).toBe(false);
  const [prompt, answer] = questions.adding[0]!;
  const [a, b] = prompt.slice(0, -1).split("+").map(Number);
  expect(Number(answer)).toBe(a! + b!);
});
