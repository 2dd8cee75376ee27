import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { largest, largestFirst } from "./largest-first.ts";
import { createSampler, draw, samplingSteps } from "./sampling.ts";
import { type SamplingOptions, samplingOf } from "./sampling-options.ts";
import { type LogitsStep, mostProbable, Scores } from "./scores.ts";
import { GrowingText } from "./text-so-far.ts";

const rng = new Rng(1);
const nothingSeen = new GrowingText([]);

/** A text at whose place i the next token comes. */
const place = (i: number) => ({ ...nothingSeen, ids: { length: i } as number[], promptLength: 0, counts: new Map(), written: new Map() });

/** What the steps of a sampling leave of logits. */
function scored(logits: Float32Array, options: SamplingOptions, seen: readonly number[] = []): Scores {
  const scores = new Scores().begin(logits);
  for (const step of samplingSteps(samplingOf(options))) step.apply(scores, new GrowingText(seen));
  return scores;
}

const candidates = (...args: Parameters<typeof scored>) => scored(...args).candidates();

const randomLogits = (size: number, scale = 3) => Float32Array.from({ length: size }, () => rng.normal() * scale);

/** The definitions, step by step over a full sort: probabilities by id. */
function naive(logits: Float32Array, options: SamplingOptions): Map<number, number> {
  const { temperature, topK, topP, minP } = samplingOf(options);
  const scaled = [...logits].map((logit) => logit / temperature);
  const largest = Math.max(...scaled);
  const normalised = (rows: [number, number][]): [number, number][] => {
    const total = rows.reduce((sum, [, p]) => sum + p, 0);
    return rows.map(([id, p]) => [id, p / total]);
  };
  let rows = normalised(scaled.map((logit, id) => [id, Math.exp(logit - largest)]));
  rows.sort(([a, p], [b, q]) => q - p || a - b);
  if (topK > 0) rows = normalised(rows.slice(0, topK));
  let mass = 0;
  const reached = rows.findIndex(([, p]) => {
    mass += p;
    return mass >= topP;
  });
  if (topP < 1) rows = normalised(rows.slice(0, reached + 1));
  return new Map(normalised(rows.filter(([, p]) => p > 0 && p >= minP * rows[0]![1])));
}

test("the cuts keep what a full sort keeps", () => {
  for (const size of [1, 2, 17, 300])
    for (const temperature of [0.3, 1, 2.5])
      for (const topK of [0, 1, 5, 16, 1000])
        for (const topP of [0.01, 0.5, 0.9, 1])
          for (const minP of [0, 0.05, 1]) {
            const logits = randomLogits(size);
            const options = { temperature, topK, topP, minP };
            const { ids, probabilities } = candidates(logits, options);
            const expected = naive(logits, options);
            expect([...ids].sort(), JSON.stringify(options)).toEqual([...expected.keys()].sort());
            ids.forEach((id, i) => expect(probabilities[i]).toBeCloseTo(expected.get(id)!, 12));
          }
});

/** Random logits and what transformers' logits processors leave of them (test/goldens/hugging_face.py). */
interface GoldenSampling {
  readonly settings: Readonly<Record<string, number>>;
  readonly text: readonly number[];
  readonly logits: readonly number[];
  readonly probabilities: readonly number[];
}

test("settings mean what they mean in transformers", () => {
  const file = new URL("../../test/goldens/hugging-face.golden.json", import.meta.url);
  const { sampling } = JSON.parse(readFileSync(file, "utf8")) as { readonly sampling: readonly GoldenSampling[] };
  expect(sampling.length).toBeGreaterThan(5);
  for (const { settings, text, logits, probabilities } of sampling) {
    const {
      temperature = 1,
      top_k: topK = 50,
      top_p: topP = 1,
      min_p: minP = 0,
      typical_p: typicalP = 1,
      repetition_penalty: repetitionPenalty = 1,
    } = settings;
    const found = candidates(Float32Array.from(logits), { temperature, topK, topP, minP, typicalP, repetitionPenalty }, text);
    const byId = new Float64Array(logits.length);
    found.ids.forEach((id, i) => {
      byId[id] = found.probabilities[i]!;
    });
    byId.forEach((probability, id) => expect(probability, JSON.stringify(settings)).toBeCloseTo(probabilities[id]!, 6));
    expect([...byId].filter((p) => p > 0).length).toBe(probabilities.filter((p) => p > 0).length);
  }
});

test("among equals the lowest ids stay", () => {
  const flat = new Float32Array(10);
  expect(mostProbable(flat)).toBe(0);
  expect([...candidates(flat, { topK: 3 }).ids]).toEqual([0, 1, 2]);
  expect([...candidates(flat, { topP: 0.35 }).ids]).toEqual([0, 1, 2, 3]);
});

test("top-p counts what top-k left", () => {
  const logits = Float32Array.of(0.4, 0.3, 0.2, 0.1).map(Math.log);
  expect([...candidates(logits, { topK: 2, topP: 0.55 }).ids]).toEqual([0]);
  expect([...candidates(logits, { topP: 0.55 }).ids]).toEqual([0, 1]);
});

test("the largest come in order, few and many, in random and in worst orders", () => {
  for (const values of [[], [3], [1, 1, 1], [1, 2, 3, 4, 5], [5, 4, 3, 2, 1], Array.from({ length: 257 }, () => rng.below(40))]) {
    const sorted = values.map((_, i) => i).sort((a, b) => values[b]! - values[a]! || a - b);
    expect([...largestFirst(Float64Array.from(values))]).toEqual(sorted);
    const odd = Int32Array.from(values, (_, i) => i).filter((i) => i % 2 === 1);
    expect([...largestFirst(Float64Array.from(values), odd)]).toEqual(sorted.filter((i) => i % 2 === 1));
    for (const count of [0, 1, 2, 100, 127, 128, 256, 300])
      expect([...largest(Float32Array.from(values), count)]).toEqual(sorted.slice(0, count));
  }
});

test("draws follow the probabilities", () => {
  const logits = randomLogits(8, 1);
  const sampler = createSampler({ temperature: 0.7, topK: 6, minP: 0.02, seed: 7 });
  const expected = naive(logits, { temperature: 0.7, topK: 6, minP: 0.02 });
  const counts = new Map<number, number>();
  const draws = 40_000;
  for (let i = 0; i < draws; i++) {
    const id = sampler.next(logits, place(i));
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  const chiSquare = [...expected].reduce((sum, [id, p]) => sum + ((counts.get(id) ?? 0) - p * draws) ** 2 / (p * draws), 0);
  expect([...counts.keys()].every((id) => expected.has(id))).toBe(true);
  expect(chiSquare).toBeLessThan(25); // 5 degrees of freedom: once in 7000 seeds, and this is one seed
});

test("a draw takes the first token whose share covers the number", () => {
  const two = { ids: Int32Array.of(4, 2), probabilities: Float64Array.of(0.25, 0.75) };
  expect([0, 0.249, 0.25, 0.999].map((uniform) => draw(two, uniform))).toEqual([4, 4, 2, 2]);
  expect(draw({ ids: two.ids, probabilities: Float64Array.of(0.2, 0.7) }, 0.999)).toBe(2);
});

test("temperature 0 is greedy, a temperature near it too, and a ruled-out token never comes", () => {
  const logits = randomLogits(50);
  logits[9] = 40;
  for (const temperature of [0, 1e-320, 1e-9]) expect(createSampler({ temperature }).next(logits, nothingSeen)).toBe(9);
  const ruledOut = Float32Array.of(Number.NEGATIVE_INFINITY, 0, Number.NEGATIVE_INFINITY);
  for (const options of [{}, { temperature: 0 }, { topK: 3 }, { topP: 0.5 }])
    expect(createSampler(options).next(ruledOut, nothingSeen)).toBe(1);
});

test("the same seed draws the same tokens, another seed others", () => {
  const logits = randomLogits(1000, 1);
  const run = (seed: number) => {
    const sampler = createSampler({ seed });
    return Array.from({ length: 20 }, (_, i) => sampler.next(logits, place(i)));
  };
  expect(run(3)).toEqual(run(3));
  expect(run(3)).not.toEqual(run(4));
  const { seed, next } = createSampler();
  expect(Array.from({ length: 20 }, (_, i) => next(logits, place(i)))).toEqual(run(seed));
});

test("steps of others stand in front: masks by bits, and candidates of their own", () => {
  const logits = Float32Array.from({ length: 70 }, (_, id) => id / 10);
  const mask = (...words: number[]): LogitsStep => ({ name: "mask", apply: (scores) => scores.allow(Uint32Array.from(words)) });
  const among = (...ids: number[]): LogitsStep => ({ name: "among", apply: (scores) => scores.keep(Int32Array.from(ids)) });
  const next = (options: SamplingOptions, ...steps: LogitsStep[]) =>
    createSampler({ seed: 1, ...options }, steps).next(logits, nothingSeen);
  expect(next({ temperature: 0 }, mask(0xffffffff, 0, 0))).toBe(31);
  expect(next({ temperature: 0 }, mask(1 << 31, 1 << 5, 1 << 6))).toBe(37);
  expect(next({ temperature: 0 }, mask(0xf0, 0, 0), mask(0x3c, 0xff, 0))).toBe(5);
  expect(next({ topK: 1 }, mask(0, 0x0f, 0))).toBe(35);
  for (const temperature of [0, 1]) expect(next({ temperature }, among(7))).toBe(7);
  expect(next({ topK: 1 }, among(9, 7))).toBe(9);
  expect(() => next({}, among())).toThrow("[sampling] no candidate is left");
  expect(() => next({}, mask(0, 0, 0))).toThrow("all 70 tokens are ruled out");
  expect(() => next({}, mask(1, 1))).toThrow("a mask has 64 bits but the vocabulary 70 tokens");
  expect(logits[69]).toBeCloseTo(6.9, 6);
});

test("the repetition penalty makes seen tokens less probable, whatever their sign", () => {
  const logits = Float32Array.of(2, -2, 2, -2);
  expect([...scored(logits, { repetitionPenalty: 2 }, [0, 1, 99]).logits]).toEqual([1, -4, 2, -2]);
  expect([...logits]).toEqual([2, -2, 2, -2]);
  const sampler = createSampler({ temperature: 0, repetitionPenalty: 2 });
  expect([sampler.next(logits, nothingSeen), sampler.next(logits, new GrowingText([0]))]).toEqual([0, 2]);
});

test.each([
  [{ temperature: -1 }, "[sampling] temperature is -1 but must be at least 0"],
  [{ temperature: Number.NaN }, "[sampling] temperature is NaN but must be at least 0"],
  [{ topK: 2.5 }, "[sampling] topK is 2.5 but must be an integer, at least 0 (0 keeps all)"],
  [{ topP: 0 }, "[sampling] topP is 0 but must be above 0 and at most 1 (1 keeps all)"],
  [{ topP: 1.5 }, "[sampling] topP is 1.5 but must be above 0 and at most 1 (1 keeps all)"],
  [{ minP: -0.1 }, "[sampling] minP is -0.1 but must be from 0 (keeps all) to 1"],
  [{ repetitionPenalty: 0 }, "[sampling] repetitionPenalty is 0 but must be above 0 (1 changes nothing)"],
  [{ seed: 0.5 }, "[sampling] seed is 0.5 but must be an integer"],
] satisfies [SamplingOptions, string][])("%o is refused", (options, message) => {
  expect(() => createSampler(options)).toThrow(message);
});

test("logits that are no numbers are named", () => {
  const next = (...logits: number[]) => createSampler().next(Float32Array.from(logits), nothingSeen);
  expect(() => next(0, Number.NaN)).toThrow("[sampling] the logit of token 1 is NaN but must be finite");
  expect(() => next(Number.POSITIVE_INFINITY, 1)).toThrow("the logit of token 0 is Infinity");
  expect(() => next(Number.NEGATIVE_INFINITY)).toThrow("all 1 tokens are ruled out");
});
