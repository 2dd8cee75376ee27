// Draws the next token from logits. Steps, order and definitions are those of Hugging Face's transformers (generation/logits_process.py), so that
// the numbers in a model's generation_config.json mean here what they mean there.
import { check, Rng } from "../base/index.ts";
import { mostTopK } from "../graph/index.ts";
import { largest } from "./largest-first.ts";
import { type Candidates, firstBits, idsFrom, type LogitsStep, Scores } from "./scores.ts";
import type { TopLogits, TopWanted } from "./sequence.ts";
import type { TextSoFar } from "./text-so-far.ts";

/** What each number does when it is absent: nothing. */
export interface SamplingOptions {
  /** Logits are divided by it; 0 takes the most probable token, among equals the lowest id. At least 0, 1 by default. */
  readonly temperature?: number;
  /** Only the k most probable tokens stay, among equals the lowest ids; 0 keeps all. 0 by default. */
  readonly topK?: number;
  /**
   * The fewest and most probable tokens stay, of those that top-k left, that together reach this share. It is above 0 and at most 1;
   * 1 by default (Holtzman et al. 2020, arXiv 1904.09751).
   */
  readonly topP?: number;
  /**
   * Tokens stay whose probability is at least this share of the most probable one's.
   * In [0, 1], 0 by default (Nguyen et al. 2024, arXiv 2407.01082).
   */
  readonly minP?: number;
  /**
   * Logits of tokens that the text holds already, the prompt included, are divided by it where positive and multiplied where negative.
   * Above 0, 1 by default (Keskar et al. 2019, arXiv 1909.05858, section 4.1).
   */
  readonly repetitionPenalty?: number;
  /** An integer; the same seed draws the same tokens. Random by default. */
  readonly seed?: number;
}

/** Sampling options, all of them given, without the seed. */
export type Sampling = Required<Omit<SamplingOptions, "seed">>;

/** A sampler keeps nothing but its random numbers. */
export interface Sampler {
  readonly seed: number;
  /**
   * The next token.
   * @param logits [V], not changed; −Infinity rules a token out
   * @param text tokens so far, which `logits` follow
   * @throws CriaError when a logit is NaN or infinite, or all are ruled out
   */
  next(logits: Float32Array, text: TextSoFar): number;
  /**
   * How many of the largest logits {@link nextOf} needs in place of all of them, and of which tokens; undefined where it needs all.
   * @param vocabSize tokens from here on are left out @param size V: logits that the model has
   */
  topNeeded(text: TextSoFar, vocabSize: number, size: number): TopWanted | undefined;
  /** Draws the same token as {@link next}, from as many of the largest logits as `topNeeded` says. */
  nextOf(top: TopLogits, text: TextSoFar): number;
}

/**
 * The steps that are numbers, in their order, each with the value that does nothing and its range. Whatever rules tokens out stands in front of them.
 */
const rows = [
  {
    name: "repetitionPenalty",
    off: 1,
    rule: "above 0 (1 changes nothing)",
    holds: (value: number) => value > 0 && value < Number.POSITIVE_INFINITY,
    apply: (scores: Scores, penalty: number, { counts }: TextSoFar) => penaliseRepetition(scores, counts.keys(), penalty),
  },
  {
    name: "temperature",
    off: 1,
    rule: "at least 0",
    holds: (value: number) => value >= 0 && value < Number.POSITIVE_INFINITY,
    apply: (scores: Scores, temperature: number) => scores.divide(temperature),
  },
  {
    name: "topK",
    off: 0,
    rule: "an integer, at least 0 (0 keeps all)",
    holds: (value: number) => Number.isSafeInteger(value) && value >= 0,
    apply: keepFirst,
  },
  {
    name: "topP",
    off: 1,
    rule: "above 0 and at most 1 (1 keeps all)",
    holds: (value: number) => value > 0 && value <= 1,
    apply: keepShare,
  },
  {
    name: "minP",
    off: 0,
    rule: "from 0 (keeps all) to 1",
    holds: (value: number) => value >= 0 && value <= 1,
    apply: keepProbable,
  },
] as const;

/** The steps of a sampling, those that do nothing left out; what is greedy needs no candidates. */
export function samplingSteps(sampling: Sampling): LogitsStep[] {
  return rows
    .filter(
      ({ name, off }) => sampling[name] !== off && !(sampling.temperature === 0 && name !== "repetitionPenalty" && name !== "temperature"),
    )
    .map(({ name, apply }) => ({ name, apply: (scores, text) => apply(scores, sampling[name], text) }));
}

/** @param before steps in front of the sampling's own. @throws CriaError naming the option that is out of its range. */
export function createSampler(options: SamplingOptions = {}, before: readonly LogitsStep[] = []): Sampler {
  const sampling = samplingOf(options);
  const steps = samplingSteps(sampling);
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  check(Number.isSafeInteger(seed), "sampling", () => `seed is ${seed} but must be an integer`);
  const rng = new Rng(seed);
  const scores = new Scores();
  const choose = (logits: Float32Array, text: TextSoFar, steps: readonly LogitsStep[]) => {
    scores.begin(logits);
    for (const step of steps) step.apply(scores, text);
    return scores.isGreedy ? scores.best() : draw(scores.candidates(), rng.uniform());
  };
  return {
    seed,
    next: (logits, text) => choose(logits, text, [...before, ...steps]),
    topNeeded: (text, vocabSize, size) => topNeeded(sampling, before, text, vocabSize, size),
    nextOf({ ids, logits, logSumExp }, text) {
      check(
        Number.isFinite(logSumExp),
        "sampling",
        () => `the logits sum to ${logSumExp} but must be finite: the weights are damaged or too large for float32`,
      );
      check(logits[0] !== Number.NEGATIVE_INFINITY, "sampling", () => "all tokens are ruled out: at least one must be possible");
      return ids[choose(logits, text, steps)]!;
    },
  };
}

/** The largest logits suffice where nothing but rules stands before them and only they stay: tokens behind them have no part in the draw. */
function topNeeded(
  { temperature, topK, repetitionPenalty }: Sampling,
  before: readonly LogitsStep[],
  text: TextSoFar,
  vocabSize: number,
  size: number,
): TopWanted | undefined {
  const top = temperature === 0 ? 1 : topK;
  const count = Math.min(vocabSize, size);
  if (top === 0 || top > Math.min(mostTopK, count) || repetitionPenalty !== 1) return undefined;
  if (before.length === 0 && count === size) return { top };
  const allowed = firstBits(count, size);
  for (const step of before) {
    if (step.restrict === undefined) return undefined;
    step.restrict(allowed, text);
  }
  return { top, allowed };
}

/** The options with their defaults. @throws CriaError naming the one that is out of its range. */
export function samplingOf(options: SamplingOptions): Sampling {
  const { temperature = 1, topK = 0, topP = 1, minP = 0, repetitionPenalty = 1 } = options;
  const sampling = { temperature, topK, topP, minP, repetitionPenalty };
  for (const { name, rule, holds } of rows)
    check(holds(sampling[name]), "sampling", () => `${name} is ${sampling[name]} but must be ${rule}`);
  return sampling;
}

/** @param uniform in [0, 1) */
export function draw({ ids, probabilities }: Candidates, uniform: number): number {
  let below = 0;
  for (let i = 0; i < ids.length; i++) {
    below += probabilities[i]!;
    if (uniform < below) return ids[i]!;
  }
  return ids[ids.length - 1]!; // rounding left the sum below 1
}

function penaliseRepetition(scores: Scores, seen: Iterable<number>, penalty: number): void {
  const logits = scores.change();
  for (const id of seen) {
    const logit = logits[id];
    if (logit !== undefined) logits[id] = logit > 0 ? logit / penalty : logit * penalty;
  }
}

function keepFirst(scores: Scores, count: number): void {
  if (count < scores.logits.length) scores.keep(scores.kept?.subarray(0, count) ?? largest(scores.weights, count));
}

function keepProbable(scores: Scores, share: number): void {
  scores.keep(idsFrom(scores.weights, share, scores.kept)); // the largest weight is 1
}

/**
 * Keeps candidates until their weights together reach this share. Tokens that weigh less than half of (1 − share) · total / V weigh less than what is
 * left out even together, so that they are never needed and only the others are put in order.
 */
function keepShare(scores: Scores, share: number): void {
  const { weights, total } = scores;
  const kept: number[] = [];
  let sum = 0;
  for (const id of scores.inOrder(((1 - share) * total) / (2 * weights.length))) {
    kept.push(id);
    sum += weights[id]!;
    if (sum >= share * total) break;
  }
  scores.keep(Int32Array.from(kept));
}
