// Every sampler against a judge in float64 that is written from its paper or its author's text, over full lists and without a thought of speed.
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { Mirostat } from "./mirostat.ts";
import { createSampler, draw, samplingSteps } from "./sampling.ts";
import { type SamplerName, type SamplingOptions, samplerNames, samplingOf } from "./sampling-options.ts";
import { Scores } from "./scores.ts";
import { GrowingText, type TextSoFar } from "./text-so-far.ts";

const rng = new Rng(11);
const randomLogits = (size: number, scale = 3) => Float32Array.from({ length: size }, () => Math.fround(rng.normal() * scale));

function textOf(prompt: readonly number[], written: readonly number[] = []): GrowingText {
  const text = new GrowingText(prompt);
  for (const id of written) text.push(id);
  return text;
}

/** Probabilities by id that the steps leave. */
function left(logits: Float32Array, options: SamplingOptions, text: TextSoFar = textOf([]), draws = new Rng(5)): Map<number, number> {
  const scores = new Scores().begin(logits);
  for (const step of samplingSteps(samplingOf(options), () => draws)) step.apply(scores, text);
  if (scores.isGreedy) return new Map([[scores.best(), 1]]);
  const { ids, probabilities } = scores.candidates();
  return new Map(Array.from(ids, (id, i) => [id, probabilities[i]!]));
}

/** A candidate of the judge. */
interface Row {
  readonly id: number;
  readonly logit: number;
}

type Judge = (rows: readonly Row[], options: Required<SamplingOptions>, text: TextSoFar) => readonly Row[];

const softmax = (rows: readonly Row[]) => {
  const largest = Math.max(...rows.map(({ logit }) => logit));
  const weights = rows.map(({ logit }) => Math.exp(logit - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
};
const falling = (rows: readonly Row[]) => [...rows].sort((a, b) => b.logit - a.logit || a.id - b.id);
const countIn = (ids: readonly number[], id: number) => ids.filter((other) => other === id).length;

/** The fewest of the rows, in their order, that reach a share. */
function until(rows: readonly Row[], probabilities: readonly number[], share: number): readonly Row[] {
  let sum = 0;
  const end = rows.findIndex((_, i) => {
    sum += probabilities[i]!;
    return sum >= share;
  });
  return end < 0 ? rows : rows.slice(0, end + 1);
}

/** How long a repetition of the text's end is that `next` would go on with: the author's definition, tried at every place. */
function longestRepetition(ids: readonly number[], next: number, breakers: ReadonlySet<number>): number {
  let longest = 0;
  if (breakers.has(next)) return 0;
  for (let place = 1; place < ids.length; place++) {
    if (ids[place] !== next) continue;
    let length = 0;
    while (length < place && ids[place - 1 - length] === ids[ids.length - 1 - length] && !breakers.has(ids[ids.length - 1 - length]!))
      length++;
    longest = Math.max(longest, length);
  }
  return longest;
}

const judges: Readonly<Record<Exclude<SamplerName, "xtc">, Judge>> = {
  logitBias: (rows, { logitBias }) => rows.map(({ id, logit }) => ({ id, logit: logit + (logitBias.get(id) ?? 0) })),
  repetitionPenalty: (rows, { repetitionPenalty: penalty, penaltyLast }, { ids }) => {
    const seen = penaltyLast === 0 ? ids : ids.slice(-penaltyLast);
    return rows.map(({ id, logit }) => ({ id, logit: seen.includes(id) ? (logit > 0 ? logit / penalty : logit * penalty) : logit }));
  },
  countPenalties: (rows, { frequencyPenalty, presencePenalty, penaltyLast }, { ids, promptLength }) => {
    const written = ids.slice(promptLength);
    const seen = penaltyLast === 0 ? written : written.slice(-penaltyLast);
    return rows.map(({ id, logit }) => {
      const count = countIn(seen, id);
      return { id, logit: logit - count * frequencyPenalty - (count > 0 ? presencePenalty : 0) };
    });
  },
  dry: (rows, { dryMultiplier, dryBase, dryAllowedLength, dryLast, dryBreakers }, { ids }) => {
    const breakers = new Set(dryBreakers);
    const looked = dryLast === 0 ? ids : ids.slice(-dryLast);
    return rows.map(({ id, logit }) => {
      const length = longestRepetition(looked, id, breakers);
      return { id, logit: length < dryAllowedLength ? logit : logit - dryMultiplier * dryBase ** (length - dryAllowedLength) };
    });
  },
  temperature: (rows, { temperature, temperatureRange: range, temperatureExponent }) => {
    const entropy = softmax(rows).reduce((sum, p) => sum - (p > 0 ? p * Math.log(p) : 0), 0);
    const share = rows.length < 2 ? 0 : entropy / Math.log(rows.length);
    const chosen = range === 0 ? temperature : temperature - range + 2 * range * share ** temperatureExponent;
    return chosen === 0 ? falling(rows).slice(0, 1) : rows.map(({ id, logit }) => ({ id, logit: logit / chosen }));
  },
  topNSigma: (rows, { topNSigma }) => {
    const mean = rows.reduce((sum, { logit }) => sum + logit, 0) / rows.length;
    const sigma = Math.sqrt(rows.reduce((sum, { logit }) => sum + (logit - mean) ** 2, 0) / rows.length);
    const largest = Math.max(...rows.map(({ logit }) => logit));
    return rows.filter(({ logit }) => topNSigma === 0 || logit >= largest - topNSigma * sigma);
  },
  topK: (rows, { topK }) => (topK === 0 ? rows : falling(rows).slice(0, topK)),
  typicalP: (rows, { typicalP }) => {
    if (typicalP === 1) return rows;
    const probabilities = softmax(rows);
    const entropy = probabilities.reduce((sum, p) => sum - p * Math.log(p), 0);
    const order = rows
      .map((_, i) => i)
      .sort((a, b) => Math.abs(Math.log(probabilities[a]!) + entropy) - Math.abs(Math.log(probabilities[b]!) + entropy));
    return until(
      order.map((i) => rows[i]!),
      order.map((i) => probabilities[i]!),
      typicalP,
    );
  },
  topP: (rows, { topP }) => {
    const order = falling(rows);
    return topP === 1 ? rows : until(order, softmax(order), topP);
  },
  minP: (rows, { minP }) => {
    const probabilities = softmax(rows);
    return rows.filter((_, i) => probabilities[i]! >= minP * Math.max(...probabilities));
  },
};

function judged(logits: Float32Array, given: SamplingOptions, text: TextSoFar): Map<number, number> {
  const options = { ...samplingOf(given), seed: 0, choice: 0 };
  let rows: readonly Row[] = Array.from(logits, (logit, id) => ({ id, logit }));
  for (const name of options.order) if (name !== "xtc") rows = judges[name](rows, options, text);
  const probabilities = softmax(rows);
  return new Map(rows.map(({ id }, i) => [id, probabilities[i]!]));
}

/** Penalties round to float32, and what is all but impossible may be so by rounding. */
function same(found: ReadonlyMap<number, number>, expected: ReadonlyMap<number, number>, what: string): void {
  for (const id of found.keys()) expect(expected.has(id), what).toBe(true);
  for (const [id, probability] of expected) {
    expect(found.get(id) ?? 0, what).toBeCloseTo(probability, 6);
    if (probability > 1e-30) expect(found.has(id), what).toBe(true);
  }
}

const choices: readonly SamplingOptions[] = [
  {
    logitBias: new Map([
      [3, 4],
      [5, -2],
      [900, 1],
    ]),
  },
  { repetitionPenalty: 1.3 },
  { repetitionPenalty: 0.7, penaltyLast: 3 },
  { frequencyPenalty: 0.4 },
  { presencePenalty: 1.5, frequencyPenalty: -0.3, penaltyLast: 6 },
  { dryMultiplier: 0.8 },
  { dryMultiplier: 2, dryBase: 1.2, dryAllowedLength: 1, dryBreakers: [2] },
  { dryMultiplier: 0.5, dryLast: 9, dryBreakers: [0, 4] },
  { temperature: 0 },
  { temperature: 0.6 },
  { temperature: 1.2, temperatureRange: 0.7 },
  { temperature: 0.9, temperatureRange: 0.9, temperatureExponent: 2.5 },
  { topNSigma: 1 },
  { topNSigma: 0.3, temperature: 2 },
  { typicalP: 0.3 },
  { typicalP: 0.9 },
  { topK: 4, typicalP: 0.7 },
  { topP: 0.8, minP: 0.1 },
];

test("each sampler, and any of them together in any order, leaves what its definition leaves", () => {
  for (let round = 0; round < 60; round++) {
    const size = [1, 2, 9, 33][round % 4]!;
    const ids = (count: number) => Array.from({ length: count }, () => rng.below(Math.min(size, 6)));
    const text = textOf(ids(rng.below(12)), ids(rng.below(20)));
    const logits = randomLogits(size);
    for (const options of choices) same(left(logits, options, text), judged(logits, options, text), JSON.stringify(options));
    const several = Object.assign({}, ...choices.filter(() => rng.below(4) === 0)) as SamplingOptions;
    const order = [...samplerNames].filter((name) => name !== "xtc").sort(() => rng.below(3) - 1);
    for (const options of [several, { ...several, order }])
      same(left(logits, options, text), judged(logits, options, text), JSON.stringify(options));
  }
});

test("XTC leaves the least probable of the probable ones, as often as it is told", () => {
  const logits = Float32Array.from([0.5, 0.25, 0.15, 0.06, 0.04], Math.log);
  const kept = (options: SamplingOptions, draws: Rng) => [...left(logits, options, textOf([]), draws).keys()].sort();
  expect(kept({ xtcProbability: 1, xtcThreshold: 0.1 }, new Rng(1))).toEqual([2, 3, 4]);
  expect(kept({ xtcProbability: 1, xtcThreshold: 0.3 }, new Rng(1))).toEqual([0, 1, 2, 3, 4]);
  expect(kept({ xtcProbability: 1, xtcThreshold: 0.05, topK: 2 }, new Rng(1))).toEqual([1]);
  const draws = new Rng(2);
  const times = Array.from({ length: 2000 }, () => kept({ xtcProbability: 0.3 }, draws).length).filter((count) => count === 3).length;
  expect(Math.abs(times - 600)).toBeLessThan(100); // 5 standard deviations
});

test("the largest logits and their places are enough where a sampler says so: the same token as from all", () => {
  const parts: readonly SamplingOptions[] = [
    { topK: 5, repetitionPenalty: 1.4 },
    { topK: 3, frequencyPenalty: 0.7, presencePenalty: 0.2, dryMultiplier: 1, topP: 0.9, minP: 0.05, temperature: 0.8 },
    { temperature: 0, repetitionPenalty: 1.5, dryMultiplier: 1 },
    { topK: 8, typicalP: 0.6, logitBias: new Map([[1, -3]]), xtcProbability: 0.5, xtcThreshold: 0.05 },
    { topK: 6, presencePenalty: 4, temperature: 0, order: ["topK", "countPenalties", "temperature"] },
    { topK: 4, frequencyPenalty: 1, repetitionPenalty: 1.2, order: ["repetitionPenalty", "topK", "countPenalties"] },
    { topK: 4, temperature: 1e300 },
  ];
  let asked = 0;
  for (let round = 0; round < 300; round++) {
    const size = 200;
    const logits = Float32Array.from({ length: size }, () => rng.below(20) / 2); // many equal ones
    const ids = Array.from({ length: 30 }, () => rng.below(12));
    const text = textOf(ids.slice(0, 10), ids.slice(10));
    const sampler = createSampler({ ...parts[round % parts.length], seed: round });
    const wanted = sampler.topNeeded(text, size, size);
    if (wanted === undefined) continue;
    asked++;
    const order = Array.from(logits, (_, id) => id)
      .sort((a, b) => logits[b]! - logits[a]! || a - b)
      .slice(0, wanted.top);
    const top = { ids: Int32Array.from(order), logits: Float32Array.from(order, (id) => logits[id]!), logSumExp: 1 };
    expect(sampler.nextOf(top, text)).toBe(sampler.next(logits, text));
  }
  expect(asked).toBe(300);
  const all = (options: SamplingOptions) => createSampler(options).topNeeded(textOf([1, 2], [3]), 100, 100);
  for (const options of [
    {},
    { topK: 5, repetitionPenalty: 0.9 },
    { topK: 5, topNSigma: 1 },
    { topK: 5, mirostat: 0, logitBias: new Map([[1, 2]]) },
  ])
    expect(all(options as SamplingOptions)).toBeUndefined();
  expect(all({ topK: 5, order: ["topP", "topK"], topP: 0.5 })).toBeUndefined();
  expect(all({ typicalP: 0.5, temperature: 0, order: ["typicalP", "temperature"] })).toBeUndefined();
});

test("with temperature 0, steps in front of it hold and those behind it change nothing", () => {
  const text = textOf([9], [0, 1]);
  const next = (options: SamplingOptions) => createSampler(options).next(Float32Array.from([3, 2.9, 2.8, 0]), text);
  const penalty = { presencePenalty: 1, temperature: 0 };
  expect(next(penalty)).toBe(2);
  expect(next({ ...penalty, order: ["temperature", "countPenalties"] })).toBe(0);
  expect(next({ ...penalty, topK: 2, order: ["topK", "countPenalties", "temperature"] })).toBe(0);
});

test.each([
  [{ logitBias: new Map([[1, 1e39]]) }, "logitBias makes the logit of token 1 Infinity, which was 2"],
  [{ frequencyPenalty: -1e300 }, "countPenalties makes the logit of token 0 Infinity"],
  [{ repetitionPenalty: 1e-300 }, "repetitionPenalty makes the logit of token 0 Infinity"],
])("%o is too large for float32", (options, error) => {
  expect(() => createSampler(options).next(Float32Array.from([1, 2]), textOf([], [0]))).toThrow(error);
});

test("draws follow from the seed, the choice and the place, not from what was drawn before", () => {
  const logits = randomLogits(500, 1);
  const texts = Array.from({ length: 30 }, (_, i) =>
    textOf(
      [1, 2],
      Array.from({ length: i }, () => 3),
    ),
  );
  const drawn = (options: SamplingOptions, order: readonly number[]) => {
    const sampler = createSampler(options);
    return new Map(order.map((i) => [i, sampler.next(logits, texts[i]!)]));
  };
  const forth = texts.map((_, i) => i);
  const first = drawn({ seed: 9 }, forth);
  expect(drawn({ seed: 9 }, [...forth].reverse())).toEqual(new Map([...first].reverse()));
  expect(new Set(first.values()).size).toBeGreaterThan(15);
  const second = drawn({ seed: 9, choice: 1 }, forth);
  expect(forth.filter((i) => first.get(i) === second.get(i)).length).toBeLessThan(8);
  expect(drawn({ seed: 9 + 2 ** 40 }, forth)).not.toEqual(first);
});

/** Algorithm 1 of the paper, and its authors' second version, over lists. */
function judgeMirostat(
  version: 1 | 2,
  target: number,
  rate: number,
  uniforms: readonly number[],
  logits: readonly Float32Array[],
): number[] {
  let most = 2 * target;
  return logits.map((row, step) => {
    const rows = falling(Array.from(row, (logit, id) => ({ id, logit })));
    const p = softmax(rows);
    let count: number;
    if (version === 1) {
      const m = Math.min(100, rows.length);
      let [a, b] = [0, 0];
      for (let i = 1; i < m; i++) {
        a += Math.log((i + 1) / i) * Math.log(p[i - 1]! / p[i]!);
        b += Math.log((i + 1) / i) ** 2;
      }
      const s = a / b;
      const e = s - 1;
      count = Math.round(((e * 2 ** most) / (1 - rows.length ** -e)) ** (1 / s));
    } else count = p.filter((value) => -Math.log2(value) <= most).length;
    count = Math.max(1, Math.min(rows.length, count));
    const total = p.slice(0, count).reduce((sum, value) => sum + value, 0);
    const ids = Int32Array.from(rows.slice(0, count), ({ id }) => id);
    const id = draw({ ids, probabilities: Float64Array.from(p.slice(0, count), (value) => value / total) }, uniforms[step]!);
    most -= rate * (-Math.log2(p[rows.findIndex((one) => one.id === id)]!) - target);
    return id;
  });
}

test.each([1, 2] as const)("mirostat %i draws what its algorithm draws, and holds the surprise", (version) => {
  const rows = Array.from({ length: 400 }, () => Float32Array.from({ length: 300 }, (_, i) => -1.3 * Math.log(i + 1) + rng.normal() / 2));
  const uniforms = rows.map(() => rng.uniform());
  const mirostat = new Mirostat(samplingOf({ mirostat: version, mirostatTau: 3, mirostatEta: 0.2 }));
  const scores = new Scores();
  const found = rows.map((row, i) => mirostat.next(scores.begin(row), (candidates) => draw(candidates, uniforms[i]!)));
  expect(found).toEqual(judgeMirostat(version, 3, 0.2, uniforms, rows));
  const surprise = rows.map((row, i) => -Math.log2(softmax(Array.from(row, (logit, id) => ({ id, logit })))[found[i]!]!));
  expect(surprise.slice(50).reduce((sum, bits) => sum + bits, 0) / 350).toBeCloseTo(3, 0);
});

test.each([
  [{ typicalP: 0 }, "typicalP is 0 but must be above 0 and at most 1 (1 keeps all)"],
  [{ topNSigma: -1 }, "topNSigma is -1 but must be at least 0 (0 keeps all)"],
  [{ xtcProbability: 2 }, "xtcProbability is 2 but must be from 0 (off) to 1"],
  [{ presencePenalty: Number.NaN }, "presencePenalty is NaN but must be a finite number"],
  [{ dryAllowedLength: 0 }, "dryAllowedLength is 0 but must be an integer, at least 1"],
  [{ mirostat: 3 as 2 }, "mirostat is 3 but must be 0 (off), 1 or 2"],
  [{ mirostat: 2, topK: 40 }, "mirostat is 2 and topK 40: both choose candidates, omit one of them"],
  [{ temperature: 0.5, temperatureRange: 0.6 }, "temperatureRange is 0.6 but temperature 0.5: the range lies on both sides"],
  [{ logitBias: new Map([[-1, 2]]) }, "logitBias of -1 is 2 but a token is an integer, at least 0"],
  [{ order: ["topK", "topK"] }, "order is topK, topK: a step may stand in it once"],
  [{ order: ["top-k" as "topK"] }, 'order has "top-k", which is none of logitBias, repetitionPenalty'],
  [{ order: ["topK", "temperature"], topP: 0.9 }, "topP is given, but order (topK, temperature) leaves its step out: add it, or omit topP"],
  [{ choice: -1 }, "choice is -1 but must be an integer, at least 0"],
] satisfies [SamplingOptions, string][])("%o is refused", (options, message) => {
  expect(() => createSampler(options)).toThrow(message);
});
