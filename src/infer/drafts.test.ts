// Guessing ahead, several texts from one prompt, log-probabilities of a prompt and beam search, on a model whose logits are a hash of all it has read.
import { expect, test } from "vitest";
import { beamSearch } from "./beam-search.ts";
import { CountingModel, logitsAfter, vocabSize } from "./counting-model.test.helper.ts";
import { repeatedAfter } from "./drafts.ts";
import {
  type GenerateTokensOptions,
  generateTokens,
  type LanguageModel,
  lookupDraft,
  modelDraft,
  promptLogProbabilities,
} from "./index.ts";
import { logProbabilities } from "./log-probabilities.ts";
import { firstBits, type Scores } from "./scores.ts";
import { SharedPrompt } from "./shared-prompt.ts";

async function tokens(model: LanguageModel, prompt: readonly number[], options: GenerateTokensOptions): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of generateTokens(model, prompt, options)) ids.push(id);
  return ids;
}

test.each([{ temperature: 0 }, { temperature: 1, seed: 4 }, { temperature: 0.7, topK: 5, frequencyPenalty: 0.5, seed: 5 }])(
  "a text with %o is the same with any draft, in fewer passes where guesses are right",
  async (options) => {
    for (const stopIds of [[], [3, 17]]) {
      const plain = new CountingModel();
      const expected = await tokens(plain, [1, 2, 3], { ...options, stopIds });
      for (const noise of [0, 0.3, 3])
        for (const most of [1, 2, 16]) {
          const [large, small] = [new CountingModel(), new CountingModel(noise)];
          const draft = modelDraft(small, most);
          expect(await tokens(large, [1, 2, 3], { ...options, stopIds, draft })).toEqual(expected);
          expect([large.open, small.open]).toEqual([0, 0]);
          expect(draft.proposed).toBeGreaterThanOrEqual(draft.accepted);
          expect(large.passes + draft.accepted).toBe(expected.length);
          if (noise === 0) expect(large.passes).toBeLessThanOrEqual(Math.ceil(expected.length / 1.8) + 2);
        }
      expect(await tokens(new CountingModel(), [1, 2, 3], { ...options, stopIds, draft: lookupDraft() })).toEqual(expected);
    }
  },
);

/** The first tokens of another model. */
function firstTokens(model: LanguageModel, count: number): LanguageModel {
  return {
    ...{ vocabSize: count, contextLength: model.contextLength },
    sequence() {
      const { next, truncate, ...others } = model.sequence();
      const read = async (ids: ArrayLike<number>) => {
        expect(Math.max(...Array.from(ids))).toBeLessThan(count);
        return (await next(ids)).subarray(0, count);
      };
      return { next: read, truncate: (length) => truncate?.(length), [Symbol.dispose]: () => others[Symbol.dispose]() };
    },
  };
}

test("a small model with fewer tokens guesses as long as it knows those of the text", async () => {
  const late = Array.from({ length: 5 }, (_, i) => i + 35);
  const isLate = (ids: readonly number[]) => ids.length % 9 === 8;
  const clear = (ids: readonly number[], bits: Uint32Array) => {
    for (let id = 0; id < vocabSize; id++) if (isLate(ids) !== late.includes(id)) bits[id >>> 5]! &= ~(1 << (id & 31));
  };
  const step = {
    name: "late",
    apply: (scores: Scores, { ids }: { readonly ids: readonly number[] }) => {
      const bits = firstBits(vocabSize, vocabSize);
      clear(ids, bits);
      scores.allow(bits);
    },
    restrict: (bits: Uint32Array, { ids }: { readonly ids: readonly number[] }) => clear(ids, bits),
    isComplete: () => false,
  };
  for (const seed of [1, 2, 3]) {
    const options = { seed, maxTokens: 20, steps: [step] };
    const expected = await tokens(new CountingModel(), [1, 2, 3], options);
    const draft = modelDraft(firstTokens(new CountingModel(), 35), 4);
    expect(await tokens(new CountingModel(), [1, 2, 3], { ...options, draft })).toEqual(expected);
    expect(draft.accepted).toBeGreaterThan(2);
    expect(expected[5]).toBeGreaterThanOrEqual(35);
  }
});

test("a text that repeats itself is guessed from itself", async () => {
  expect(repeatedAfter([5, 1, 2, 3, 9, 4, 1, 2, 3], 3)).toEqual([9, 4, 1]);
  expect(repeatedAfter([1, 2, 8, 1, 2, 9, 1, 2], 2)).toEqual([9, 1]); // the latest place
  expect(repeatedAfter([1, 2, 3, 4], 3)).toEqual([]);
  expect(repeatedAfter([1], 3)).toEqual([]);
  const cycle: LanguageModel = {
    ...{ vocabSize, contextLength: 200 },
    sequence() {
      let passes = 0;
      const row = (id: number) => Float32Array.from({ length: vocabSize }, (_, next) => (next === (id + 1) % 6 ? 9 : 0));
      const nextAll = async (ids: ArrayLike<number>) => {
        passes++;
        return Array.from(ids, row);
      };
      return {
        nextAll,
        next: async (ids) => (await nextAll(ids)).at(-1)!,
        truncate() {},
        [Symbol.dispose]: () => expect(passes).toBeLessThan(25),
      };
    },
  };
  expect((await tokens(cycle, [0], { temperature: 0, maxTokens: 100, draft: lookupDraft(8) })).slice(-3)).toEqual([2, 3, 4]);
});

test("draws behind a draft follow the model's probabilities", async () => {
  const counts = new Float64Array(vocabSize);
  const draws = 3000;
  for (let seed = 0; seed < draws; seed++) {
    const [, second] = await tokens(new CountingModel(), [8, 9], {
      seed,
      maxTokens: 2,
      beginSuppressTokens: suppressAllBut(11),
      draft: modelDraft(new CountingModel(0.5), 2),
    });
    counts[second!]!++;
  }
  const logits = logitsAfter([8, 9, 11]);
  let chiSquare = 0;
  for (let id = 0; id < vocabSize; id++) {
    const expected = draws * Math.exp(logProbabilities(logits, id).logProbability);
    chiSquare += (counts[id]! - expected) ** 2 / expected;
  }
  expect(chiSquare).toBeLessThan(85); // 39 degrees of freedom: once in 30,000 sets of seeds, and this is one set
});

const suppressAllBut = (id: number) => Array.from({ length: vocabSize }, (_, other) => other).filter((other) => other !== id);

test("texts from one prompt are those that are written alone, and the prompt is read once", async () => {
  const model = new CountingModel();
  const prompt = [4, 5, 6, 7];
  const alone = await Promise.all([0, 1, 2].map((choice) => tokens(new CountingModel(), prompt, { seed: 3, choice, maxTokens: 9 })));
  {
    using shared = await SharedPrompt.read(model, prompt);
    const together = await Promise.all([0, 1, 2].map((choice) => tokens(shared, prompt, { seed: 3, choice, maxTokens: 9 })));
    expect(together).toEqual(alone);
    expect(model.passes).toBe(1 + 3 * 8);
  }
  expect(model.open).toBe(0);
  expect(new Set(alone.map(String)).size).toBe(3);
});

test("log-probabilities of a prompt are those of its tokens one after another", async () => {
  const prompt = Array.from({ length: 50 }, (_, i) => (i * 7) % vocabSize);
  const told = await promptLogProbabilities(new CountingModel(), prompt, 3);
  expect(told).toEqual([undefined, ...prompt.slice(1).map((id, i) => logProbabilities(logitsAfter(prompt.slice(0, i + 1)), id, 3))]);
  await expect(promptLogProbabilities(new CountingModel(), [])).rejects.toThrow("a text without tokens");
});

/** All texts of a few tokens, by their scores. */
function likeliest(prompt: readonly number[], most: number, stop: number, penalty: number): { ids: number[]; score: number }[] {
  const found: { ids: number[]; score: number }[] = [];
  const visit = (ids: number[], sum: number) => {
    const logits = logitsAfter([...prompt, ...ids]);
    for (let id = 0; id < vocabSize; id++) {
      const text = [...ids, id];
      const logProbability = sum + logProbabilities(logits, id).logProbability;
      if (id === stop || text.length === most) found.push({ ids: text, score: logProbability / text.length ** penalty });
      else visit(text, logProbability);
    }
  };
  visit([], 0);
  return found.sort((a, b) => b.score - a.score);
}

test("with as many beams as half the tokens, a search of two tokens finds the best texts of all", async () => {
  for (const lengthPenalty of [0, 1, 2]) {
    const model = new CountingModel();
    const found = await beamSearch(model, [3, 1], { beams: vocabSize / 2, maxTokens: 2, stopIds: [7], lengthPenalty });
    const best = likeliest([3, 1], 2, 7, lengthPenalty);
    expect(found[0]!.ids).toEqual(best[0]!.ids);
    expect(found[0]!.score).toBeCloseTo(best[0]!.score, 5);
    expect(model.open).toBe(0);
  }
  const [greedy] = await beamSearch(new CountingModel(), [3, 1], { beams: 1, maxTokens: 12 });
  expect(greedy!.ids).toEqual(await tokens(new CountingModel(), [3, 1], { temperature: 0, maxTokens: 12 }));
  await expect(beamSearch(new CountingModel(), [1], { beams: 30 })).rejects.toThrow("beams are 30, but of 40 tokens");
});
