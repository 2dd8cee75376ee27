// From logits to the next token. Steps, order and definitions are those of Hugging Face's transformers (generation/logits_process.py), so that
// the numbers in a model's generation_config.json mean here what they mean there: repetition penalty, temperature, top-k, top-p, min-p, draw.
import { check, fail, Rng } from "../base/index.ts";
import { largestFirst } from "./largest-first.ts";

/** What each number does when it is absent: nothing. */
export interface SamplingOptions {
  /** Logits are divided by it; 0 takes the most probable token, among equals the lowest id. At least 0, 1 by default. */
  readonly temperature?: number;
  /** Only the k most probable tokens stay, among equals the lowest ids; 0 keeps all. 0 by default. */
  readonly topK?: number;
  /**
   * Of what top-k left, the fewest and most probable tokens stay that together reach this share.
   * In (0, 1], 1 by default (Holtzman et al. 2020, arXiv 1904.09751).
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

export type Sampling = Required<Omit<SamplingOptions, "seed">>;

/** Tokens that may come next with their probabilities, which sum to 1. */
export interface Candidates {
  readonly ids: Int32Array;
  readonly probabilities: Float64Array;
}

/** A sampler keeps nothing but its random numbers. */
export interface Sampler {
  readonly seed: number;
  /**
   * The next token.
   * @param logits [V], not changed; −Infinity rules a token out
   * @param seen tokens of the text so far, for the repetition penalty
   * @throws CriaError when a logit is NaN or infinite, or all are ruled out
   */
  next(logits: Float32Array, seen: ReadonlySet<number>): number;
}

/** @throws CriaError naming the option that is out of its range. */
export function createSampler(options: SamplingOptions = {}): Sampler {
  const sampling = samplingOf(options);
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  check(Number.isSafeInteger(seed), "sampling", () => `seed is ${seed} but must be an integer`);
  const rng = new Rng(seed);
  return {
    seed,
    next(logits, seen) {
      const penalised = penaliseRepetition(logits, seen, sampling.repetitionPenalty);
      return sampling.temperature === 0 ? mostProbable(penalised) : draw(candidates(penalised, sampling), rng.uniform());
    },
  };
}

const ranges = [
  ["temperature", "at least 0", (value: number) => value >= 0 && value < Number.POSITIVE_INFINITY],
  ["topK", "an integer, at least 0 (0 keeps all)", (value: number) => Number.isSafeInteger(value) && value >= 0],
  ["topP", "above 0 and at most 1 (1 keeps all)", (value: number) => value > 0 && value <= 1],
  ["minP", "from 0 (keeps all) to 1", (value: number) => value >= 0 && value <= 1],
  ["repetitionPenalty", "above 0 (1 changes nothing)", (value: number) => value > 0 && value < Number.POSITIVE_INFINITY],
] as const;

/** The options with their defaults. @throws CriaError naming the one that is out of its range. */
export function samplingOf(options: SamplingOptions): Sampling {
  const { temperature = 1, topK = 0, topP = 1, minP = 0, repetitionPenalty = 1 } = options;
  const sampling = { temperature, topK, topP, minP, repetitionPenalty };
  for (const [name, rule, holds] of ranges)
    check(holds(sampling[name]), "sampling", () => `${name} is ${sampling[name]} but must be ${rule}`);
  return sampling;
}

/** The logits, copied where a penalty changes them. */
export function penaliseRepetition(logits: Float32Array, seen: ReadonlySet<number>, penalty: number): Float32Array {
  if (penalty === 1) return logits;
  const penalised = logits.slice();
  for (const id of seen) {
    const logit = penalised[id];
    if (logit !== undefined) penalised[id] = logit > 0 ? logit / penalty : logit * penalty;
  }
  return penalised;
}

/** The id of the largest logit, the lowest among equals. @throws CriaError when a logit is NaN or infinite, or all are ruled out. */
export function mostProbable(logits: Float32Array): number {
  let best = -1;
  let largest = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!;
    if (logit > largest) {
      best = id;
      largest = logit;
    }
    if (!(logit < Number.POSITIVE_INFINITY))
      fail("sampling", `the logit of token ${id} is ${logit} but must be finite: the weights are damaged or too large for float32`);
  }
  check(best >= 0, "sampling", () => `all ${logits.length} tokens are ruled out: at least one must be possible`);
  return best;
}

/**
 * What may come next after temperature, top-k, top-p and min-p; most probable first where top-k or top-p cut, by id otherwise.
 * O(V), and O(log V) for each token that top-k or top-p keep.
 */
export function candidates(logits: Float32Array, { temperature, topK, topP, minP }: Omit<Sampling, "repetitionPenalty">): Candidates {
  const weights = softmaxWeights(logits, temperature);
  const isCut = topP < 1 || (topK > 0 && topK < weights.length);
  const ids = isCut ? cutTail(weights, topK, topP) : Int32Array.from(weights, (_, id) => id);
  const kept = ids.filter((id) => weights[id]! > 0 && weights[id]! >= minP); // the largest weight is 1
  const total = sum(kept, (id) => weights[id]!);
  return { ids: kept, probabilities: Float64Array.from(kept, (id) => weights[id]! / total) };
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

/** exp((logit − largest) / temperature): probabilities up to a factor, the largest 1. */
function softmaxWeights(logits: Float32Array, temperature: number): Float64Array {
  const largest = logits[mostProbable(logits)]!;
  const weights = new Float64Array(logits.length);
  for (let id = 0; id < weights.length; id++) weights[id] = Math.exp((logits[id]! - largest) / temperature);
  return weights;
}

/** The first tokens by probability: at most topK (all when 0), and of those no more than it takes to reach the share topP. */
function cutTail(weights: Float64Array, topK: number, topP: number): Int32Array {
  const order = largestFirst(weights);
  if (topK === 0) return Int32Array.from(upToShare(order, weights, topP * sum(weights)));
  const first = Int32Array.from(take(order, topK));
  return topP === 1 ? first : Int32Array.from(upToShare(first, weights, topP * sum(first, (id) => weights[id]!)));
}

/** Ids until their weights together reach `share`. */
function* upToShare(ids: Iterable<number>, weights: Float64Array, share: number): Generator<number, void> {
  let total = 0;
  for (const id of ids) {
    yield id;
    total += weights[id]!;
    if (total >= share) return;
  }
}

function* take(ids: Iterable<number>, count: number): Generator<number, void> {
  let taken = 0;
  for (const id of ids) {
    yield id;
    if (++taken === count) return;
  }
}

function sum(values: Int32Array | Float64Array, of: (value: number) => number = (value) => value): number {
  let total = 0;
  for (const value of values) total += of(value);
  return total;
}
