// Texts at the end of a context, on a model whose logits are a hash of all that it sees.
import { describe, expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { byteLevelPiece, createTokenizer, mergeList } from "../tokenizer/index.ts";
import { beamSearch } from "./beam-search.ts";
import { slid } from "./context-end.ts";
import { CountingModel, logitsAfter, vocabSize } from "./counting-model.test.helper.ts";
import {
  type GeneratedToken,
  type GenerateTokensOptions,
  generateChoices,
  generateTokens,
  type LanguageModel,
  lookupDraft,
  modelDraft,
} from "./index.ts";
import { mostProbable } from "./scores.ts";

/** A piece for each token, and more. */
const tokenizer = createTokenizer({
  kind: "bytes",
  pieces: Array.from({ length: 256 }, (_, byte) => byteLevelPiece([byte])),
  merges: mergeList([]),
  ...{ specials: [], splitDigits: false, ignoreMerges: false },
});

const S = new CountingModel().contextLength;
const idsOf = (length: number) => Array.from({ length }, (_, i) => (i * i * 7 + 3 * i) % vocabSize);

async function written(model: LanguageModel, prompt: readonly number[], options: GenerateTokensOptions): Promise<GeneratedToken[]> {
  const tokens: GeneratedToken[] = [];
  for await (const token of generateTokens(model, prompt, { temperature: 0, ...options })) tokens.push(token);
  return tokens;
}

/** What sliding means, step by step: greedy tokens, and how many the model has dropped before each. */
function judge(prompt: readonly number[], keep: number, count: number): { id: number; dropped: number }[] {
  let seen = [...prompt];
  return Array.from({ length: count }, () => {
    const before = seen.length;
    while (seen.length > S) {
      const others = seen.splice(keep);
      seen.push(...others.slice(Math.ceil(others.length / 2)));
    }
    const dropped = before - seen.length;
    const id = mostProbable(logitsAfter(seen));
    seen = [...seen, id];
    return { id, dropped };
  });
}

describe("a context that ends", () => {
  test("stops the text, and the reason says so, where nothing else is asked for", async () => {
    for (const options of [{}, { contextEnd: "stop" }, { maxTokens: 100 }] as const) {
      const tokens = await written(new CountingModel(), idsOf(50), options);
      expect(tokens.length).toBe(S - 50 + 1);
      expect(tokens.at(-1)?.finishReason).toBe("context");
      expect(tokens.every(({ dropped }) => dropped === undefined)).toBe(true);
    }
    expect((await written(new CountingModel(), idsOf(50), { maxTokens: S - 50 + 1 })).at(-1)?.finishReason).toBe("length");
  });

  test.each([0, 1, 7, S - 1])("slides over the text but for its first %i tokens, as the definition has it", async (contextKeep) => {
    const draws = contextKeep === S - 1 ? 90 : 200;
    for (const length of [1, 10, S, S + 1, 5 * S]) {
      const model = new CountingModel();
      const expected = judge(idsOf(length), contextKeep, draws);
      const tokens = await written(model, idsOf(length), { contextEnd: "slide", contextKeep, maxTokens: draws });
      expect(tokens.map(({ id, dropped = 0 }) => ({ id, dropped }))).toEqual(expected);
      expect(expected.some(({ dropped }) => dropped > 0)).toBe(true);
      expect(tokens.at(-1)?.finishReason).toBe("length");
      expect(model.open).toBe(0);
    }
  });

  test("slides over random texts as the definition has it: what stays is the beginning and the end, and fits", () => {
    const rng = new Rng(3);
    for (let round = 0; round < 300; round++) {
      const contextLength = 1 + rng.below(40);
      const keep = rng.below(contextLength);
      const ids = idsOf(rng.below(200) + keep);
      const left = slid(ids, keep, contextLength);
      expect(left.length).toBeLessThanOrEqual(contextLength);
      expect(left.slice(0, keep)).toEqual(ids.slice(0, keep));
      expect(left.slice(keep)).toEqual(ids.slice(ids.length - left.length + keep));
      if (ids.length <= contextLength) expect(left).toEqual(ids);
      else expect(keep + 2 * (left.length - keep) + 1).toBeGreaterThan(contextLength); // one halving fewer would not do
    }
  });

  test("slides the same with guesses ahead, and in texts that share their prompt", async () => {
    const options = { contextEnd: "slide", maxTokens: 150, temperature: 0.7, seed: 5 } as const;
    for (const length of [20, 3 * S]) {
      const idsBy = async (model: LanguageModel, more: GenerateTokensOptions = {}) =>
        (await written(model, idsOf(length), { ...options, ...more })).map(({ id }) => id);
      const plain = await idsBy(new CountingModel());
      for (const draft of [lookupDraft(4), modelDraft(new CountingModel(), 4)])
        expect(await idsBy(new CountingModel(), { draft })).toEqual(plain);
      const model = new CountingModel();
      const choices: number[][] = [[], []];
      for await (const { choice, id } of generateChoices(model, tokenizer, idsOf(length), 2, options)) choices[choice]!.push(id);
      expect(choices[0]).toEqual(plain);
      expect(choices[1]).toEqual(await idsBy(new CountingModel(), { choice: 1 }));
      expect(model.open).toBe(0);
    }
  });

  test("refuses what might not fit before anything is computed, with both counts", async () => {
    const refuse = { contextEnd: "refuse" } as const;
    expect((await written(new CountingModel(), idsOf(50), { ...refuse, maxTokens: 11 })).length).toBe(11);
    expect((await written(new CountingModel(), idsOf(50), { ...refuse, maxLength: S })).length).toBe(10);
    const model = new CountingModel();
    const refused = (length: number, options: GenerateTokensOptions) => expect(written(model, idsOf(length), { ...refuse, ...options }));
    const text = "[infer] the prompt has 50 tokens, and with 12 more the model reads 61, but the context holds 60: shorten the prompt";
    await refused(50, { maxTokens: 12 }).rejects.toThrow(text);
    await refused(61, { maxTokens: 1 }).rejects.toThrow("the prompt has 61 tokens, and with 1 more the model reads 61");
    await refused(5, {}).rejects.toThrow("no limit says whether the text fits the context of 60 tokens: set maxTokens or maxLength");
    const choices = generateChoices(model, tokenizer, idsOf(50), 2, { ...refuse, maxTokens: 12 });
    await expect(choices.next()).rejects.toThrow(text);
    expect([model.passes, model.open]).toEqual([0, 0]);
  });

  test("is told what is possible", async () => {
    const wrong = (options: object) => expect(written(new CountingModel(), [1], options));
    await wrong({ contextEnd: "shift" }).rejects.toThrow('contextEnd is "shift" but must be "stop", "slide", "refuse"');
    await wrong({ contextKeep: 3 }).rejects.toThrow('contextKeep is 3, but with contextEnd "stop" nothing is dropped: omit it');
    for (const contextKeep of [-1, S, 0.5])
      await wrong({ contextEnd: "slide", contextKeep }).rejects.toThrow(
        `contextKeep is ${contextKeep} but must be an integer from 0 to 59`,
      );
    await expect(written(new CountingModel(), idsOf(S + 1), {})).rejects.toThrow(); // nothing of a prompt is dropped unasked
  });

  test("ends the texts of a beam search, and the reason says so", async () => {
    const reasons = async (maxTokens?: number) =>
      (await beamSearch(new CountingModel(), idsOf(55), { beams: 2, ...(maxTokens !== undefined && { maxTokens }) })).map(
        ({ finishReason }) => finishReason,
      );
    expect(await reasons()).toEqual(["context", "context"]);
    expect(await reasons(100)).toEqual(["context", "context"]);
    expect(await reasons(3)).toEqual(["length", "length"]);
  });
});
