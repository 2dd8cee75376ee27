import { expect, test } from "vitest";
import { CriaError, Rng } from "../../base/index.ts";
import { textbookBpe } from "../textbook-bpe.ts";
import { judgeGrowth } from "./judge.ts";
import { type Growth, measureGrowth, sameMerges, writeTasks } from "./measure.ts";
import { tellGrowth } from "./tell.ts";

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

const growth = (size: number, alone: number, merged: number): Growth => ({
  size,
  perToken: { "digits alone": alone, "digits merged": merged },
});

test("what a larger vocabulary buys is concluded from the sizes that both kinds were measured with", () => {
  const rows = [growth(512, 1.5, 1.6), growth(1024, 2, 2.1), growth(2048, 2.4, 2.5), growth(4096, 2.7, 2.7), growth(8192, 2.9, 3)];
  const whole = judgeGrowth(rows);
  expect(whole.verdict).toBe("shown");
  expect(whole.cost).toBeCloseTo(0.1 / 3, 12);
  expect(judgeGrowth(rows.slice(0, 3)).verdict).toBe("shown");
  for (const few of [1, 2]) expect(judgeGrowth(rows.slice(0, few)).verdict).toBe("too short to say");
  expect(judgeGrowth([growth(512, 2, 2), growth(1024, 1.9, 2), growth(2048, 1.8, 2)]).verdict).toBe("not shown");
  expect(judgeGrowth([growth(512, 1, 2), growth(1024, 1.1, 2), growth(2048, 1.9, 2)]).verdict).toBe("partly shown");
});

test("what a larger vocabulary buys is told of the sizes that were measured", () => {
  const rows = [growth(512, 1.5, 1.6), growth(1024, 2, 2.1), growth(2048, 2.4, 2.5)];
  const part = tellGrowth(judgeGrowth(rows, true));
  expect(part.conclusion).toMatch(
    /^From 512 to 2048 pieces.* Digits alone cost 4\.00 % of that at 2048 pieces\. \(3 sizes of 5: it was stopped\.\)$/,
  );
  expect(part.tables[0]!.rows).toHaveLength(3);
});

test.each([1, 2, 3, 4, 6, 9])("stopped in measurement %i, it has the sizes that both kinds were measured with", async (stopAt) => {
  const stop = new AbortController();
  let begun = 0;
  const perToken = async (size: number) => {
    if (++begun === stopAt) stop.abort(new CriaError("cria", "interrupted")); // Ctrl-C's reason is such an error, too.
    stop.signal.throwIfAborted();
    return size / 100;
  };
  const rows = await measureGrowth(perToken, stop.signal);
  expect(rows.map(({ size }) => size)).toEqual([512, 1024, 2048, 4096].slice(0, Math.floor((stopAt - 1) / 2)));
});

test("a text too small for a size ends the measurement before it, any other fault is thrown", async () => {
  const { signal } = new AbortController();
  const small = async (size: number, digits: string) => (size === 1024 && digits === "digits merged" ? undefined : size / 100);
  expect((await measureGrowth(small, signal)).map(({ size }) => size)).toEqual([512]);
  await expect(measureGrowth(() => Promise.reject(new CriaError("tokenizer", "fault")), signal)).rejects.toThrow("[tokenizer] fault");
});
