import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type GenerateTokensOptions, generateTokens, type LanguageModel } from "./index.ts";
import { type RuleOptions, ruleSteps } from "./rule-out.ts";
import { Scores } from "./scores.ts";

interface GoldenRule {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly text: readonly number[];
  readonly promptLength: number;
  readonly ruledOut: readonly number[];
}

const { rules } = JSON.parse(readFileSync(new URL("../../test/goldens/hugging-face.golden.json", import.meta.url), "utf8")) as {
  readonly rules: readonly GoldenRule[];
};
const names: Readonly<Record<string, keyof RuleOptions>> = {
  min_new_tokens: "minTokens",
  min_length: "minLength",
  no_repeat_ngram_size: "noRepeatNgramSize",
  suppress_tokens: "suppressTokens",
  begin_suppress_tokens: "beginSuppressTokens",
  bad_words_ids: "badWords",
};

const ramp = Float32Array.from({ length: 12 }, (_, i) => i - 6);

/** What the rules leave of the ramp. */
function left(options: RuleOptions, stops: ReadonlySet<number>, promptLength: number, ids: readonly number[]): Float32Array {
  const scores = new Scores().begin(ramp);
  for (const step of ruleSteps(options, stops)) step.apply(scores, { ids, promptLength, counts: new Map(), written: new Map() });
  return scores.logits;
}
const infiniteIn = (logits: Float32Array) => [...logits.keys()].filter((id) => logits[id] === Number.NEGATIVE_INFINITY);

test("rules out what transformers' processors rule out, and leaves the other logits and the given array as they are", () => {
  expect(rules.length).toBeGreaterThan(100);
  for (const { settings, text, promptLength, ruledOut } of rules) {
    const options = Object.fromEntries(Object.entries(settings).flatMap(([key, value]) => (names[key] ? [[names[key], value]] : [])));
    const stops = new Set([settings.eos_token_id ?? []].flat() as number[]);
    const rest = left(options, stops, promptLength, text);
    expect({ settings, text, promptLength, ruledOut: infiniteIn(rest) }).toEqual({ settings, text, promptLength, ruledOut });
    rest.forEach((logit, id) => expect([ramp[id], Number.NEGATIVE_INFINITY]).toContain(logit));
    expect(rest === ramp).toBe(ruledOut.length === 0);
    expect(infiniteIn(ramp)).toEqual([]);
  }
});

test("tokens outside the vocabulary rule out nothing", () => {
  const rest = left({ suppressTokens: [12, 1e9], badWords: [[99]], minTokens: 3 }, new Set([50]), 1, [1, 77]);
  expect(infiniteIn(rest)).toEqual([]);
  expect(rest).toHaveLength(12);
});

/** A model of 10 tokens that always prefers the highest ids. */
const rising: LanguageModel = {
  ...{ vocabSize: 10, contextLength: 50 },
  sequence: () => ({ next: async () => Float32Array.from({ length: 10 }, (_, id) => id), [Symbol.dispose]() {} }),
};

async function tokens(prompt: readonly number[], options: GenerateTokensOptions): Promise<number[]> {
  const found: number[] = [];
  for await (const { id } of generateTokens(rising, prompt, { temperature: 0, ...options })) found.push(id);
  return found;
}

test("a text may not stop before its least length, by tokens or with the prompt", async () => {
  expect(await tokens([1, 1], { stopIds: [9] })).toEqual([9]);
  expect(await tokens([1, 1], { stopIds: [9], minTokens: 2 })).toEqual([8, 8, 9]);
  expect(await tokens([1, 1], { stopIds: [9, 8], minLength: 3 })).toEqual([7, 9]);
  expect(await tokens([1, 1], { stopIds: [9], minLength: 40, minTokens: 1 })).toEqual([8, 9]);
  expect(await tokens([1, 1], { stopIds: [9], minTokens: 5, maxTokens: 2 })).toEqual([8, 8]);
});

test("the greatest length counts the prompt, and gives way to maxTokens", async () => {
  expect(await tokens([1, 1], { maxLength: 5 })).toEqual([9, 9, 9]);
  expect(await tokens([1, 1], { maxLength: 5, maxTokens: 1 })).toEqual([9]);
  expect(await tokens([1, 1], { maxLength: 2, maxTokens: 4 })).toHaveLength(4);
  await expect(tokens([1, 1], { maxLength: 2 })).rejects.toThrow(
    "[infer] the prompt has 2 tokens but maxLength allows 2 with the text: shorten the prompt",
  );
});

test("when nothing may come, that is said", async () => {
  await expect(tokens([1], { noRepeatNgramSize: 1 })).rejects.toThrow("[sampling] all 10 tokens are ruled out");
});

test.each([
  [{ minTokens: -1 }, "minTokens is -1 but must be an integer, at least 0"],
  [{ minLength: 1.5 }, "minLength is 1.5 but must be an integer, at least 0"],
  [{ maxLength: 0 }, "maxLength is 0 but must be an integer, at least 1"],
  [{ noRepeatNgramSize: Number.NaN }, "noRepeatNgramSize is NaN but must be an integer, at least 0"],
  [{ suppressTokens: [1, -2] }, "suppressTokens has -2 but a token is an integer, at least 0"],
  [{ beginSuppressTokens: [0.5] }, "beginSuppressTokens has 0.5 but a token is an integer, at least 0"],
  [{ badWords: [[]] }, "a row of badWords is empty but must have a token"],
  [{ badWords: [[1, -1]] }, "a row of badWords has -1 but a token is an integer, at least 0"],
] satisfies [GenerateTokensOptions, string][])("%j is refused", async (options, message) => {
  await expect(tokens([1], options)).rejects.toThrow(`[infer] ${message}`);
});
