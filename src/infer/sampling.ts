// Draws the next token from logits: penalties change them, steps choose candidates, and one of these is drawn. What transformers has too means what it means
// there (generation/logits_process.py), so that the numbers in a model's generation_config.json do.
import { check, finalised, Rng } from "../base/index.ts";
import { mostTopK } from "../graph/index.ts";
import { applyTemperature, excludeTop, keepFirst, keepProbable, keepShare, keepTypical, keepWithinSigma } from "./candidates.ts";
import { Mirostat } from "./mirostat.ts";
import { biasPenalty, countPenalty, dryPenalty, type Penalty, repetitionPenaltyOf } from "./penalties.ts";
import { type SamplerName, type Sampling, type SamplingOptions, samplingOf } from "./sampling-options.ts";
import { type Candidates, firstBits, type LogitsStep, Scores } from "./scores.ts";
import type { TopLogits, TopWanted } from "./sequence.ts";
import type { TextSoFar } from "./text-so-far.ts";

/** A sampler of one text. It keeps nothing but what mirostat has learnt: random numbers follow from the seed, the choice and the place in the text. */
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

/** A step that changes logits, or one that chooses candidates. */
type Row = { readonly isOn: (sampling: Sampling) => boolean } & (
  | { readonly penalty: (sampling: Sampling, text: TextSoFar, breakers: ReadonlySet<number>) => Penalty }
  | { readonly choose: (scores: Scores, sampling: Sampling, draws: Rng) => void }
);

const rows: Readonly<Record<SamplerName, Row>> = {
  logitBias: { isOn: ({ logitBias }) => logitBias.size > 0, penalty: biasPenalty },
  repetitionPenalty: { isOn: ({ repetitionPenalty }) => repetitionPenalty !== 1, penalty: repetitionPenaltyOf },
  countPenalties: {
    isOn: ({ frequencyPenalty, presencePenalty }) => frequencyPenalty !== 0 || presencePenalty !== 0,
    penalty: countPenalty,
  },
  dry: { isOn: ({ dryMultiplier }) => dryMultiplier > 0, penalty: dryPenalty },
  temperature: { isOn: ({ temperature, temperatureRange }) => temperature !== 1 || temperatureRange > 0, choose: applyTemperature },
  topNSigma: { isOn: ({ topNSigma }) => topNSigma > 0, choose: keepWithinSigma },
  topK: { isOn: ({ topK }) => topK > 0, choose: keepFirst },
  typicalP: { isOn: ({ typicalP }) => typicalP < 1, choose: keepTypical },
  topP: { isOn: ({ topP }) => topP < 1, choose: keepShare },
  minP: { isOn: ({ minP }) => minP > 0, choose: keepProbable },
  xtc: { isOn: ({ xtcProbability }) => xtcProbability > 0, choose: excludeTop },
};

/**
 * The steps of a sampling, those that do nothing left out. Where the temperature is 0, what stands in front of it holds and nothing behind it does: one token
 * is left.
 */
export function samplingSteps(sampling: Sampling, draws: (text: TextSoFar) => Rng = () => new Rng(0)): LogitsStep[] {
  const breakers = new Set(sampling.dryBreakers);
  return activeRows(sampling).map(({ name, row }): LogitsStep => {
    const act = (scores: Scores, text: TextSoFar) => {
      if ("choose" in row) return row.choose(scores, sampling, draws(text));
      const { values, change } = row.penalty(sampling, text, breakers);
      scores.adjust(name, values, change);
    };
    // A range may take the temperature down to 0, too.
    return { name, apply: (scores, text) => (scores.isGreedy ? undefined : act(scores, text)) };
  });
}

/** The rows that are on, in their order, up to a temperature of 0. */
function activeRows(sampling: Sampling): readonly { readonly name: SamplerName; readonly row: Row }[] {
  const { temperature, order } = sampling;
  const names = temperature === 0 && order.includes("temperature") ? order.slice(0, order.indexOf("temperature") + 1) : order;
  return names.map((name) => ({ name, row: rows[name] })).filter(({ row }) => row.isOn(sampling));
}

/** @param before steps in front of the sampling's own. @throws CriaError naming the option that is out of its range. */
export function createSampler(options: SamplingOptions = {}, before: readonly LogitsStep[] = []): Sampler {
  const sampling = samplingOf(options);
  const { seed = Math.floor(Math.random() * 2 ** 32), choice = 0 } = options;
  check(Number.isSafeInteger(seed), "sampling", () => `seed is ${seed} but must be an integer, at most 2^53 − 1 on either side of 0`);
  check(Number.isSafeInteger(choice) && choice >= 0, "sampling", () => `choice is ${choice} but must be an integer, at least 0`);
  const draws = (text: TextSoFar) => placeDraws(seed, choice, text.ids.length - text.promptLength);
  const steps = samplingSteps(sampling, (text) => draws(text).fork("steps"));
  const mirostat = sampling.mirostat > 0 && sampling.temperature > 0 ? new Mirostat(sampling) : undefined;
  const scores = new Scores();
  const choose = (text: TextSoFar, steps: readonly LogitsStep[]) => {
    for (const step of steps) step.apply(scores, text);
    if (scores.isGreedy) return scores.best();
    const take = (candidates: Candidates) => draw(candidates, draws(text).uniform());
    return mirostat === undefined ? take(scores.candidates()) : mirostat.next(scores, take);
  };
  return {
    seed,
    next(logits, text) {
      scores.begin(logits);
      return choose(text, [...before, ...steps]);
    },
    topNeeded: (text, vocabSize, size) => topNeeded(sampling, before, text, { vocabSize, size }),
    nextOf(top, text) {
      const { ids, logits } = inOrderOfIds(top);
      scores.begin(logits, ids);
      return ids[choose(text, steps)]!;
    },
  };
}

/** Random numbers for one place of one of several texts, whatever was drawn before. */
function placeDraws(seed: number, choice: number, place: number): Rng {
  const words = [seed, Math.floor(seed / 2 ** 32), choice, place];
  const [first, second] = [0x9e3779b1, 0x7feb352d].map((factor) =>
    words.reduce((hash, word) => finalised(Math.imul(hash ^ word, factor)), factor),
  );
  return new Rng([finalised(first! ^ 1), finalised(second! ^ 2), finalised(first! ^ 3), finalised(second! ^ 4) | 1]);
}

/** Logits by rising id, so that equal ones stand as they do among all. @throws CriaError where they are no numbers, or all are ruled out */
function inOrderOfIds({ ids, logits, logSumExp }: TopLogits): { readonly ids: Int32Array; readonly logits: Float32Array } {
  check(
    Number.isFinite(logSumExp),
    "sampling",
    () => `the logits sum to ${logSumExp} but must be finite: the weights are damaged or too large for float32`,
  );
  check(logits[0] !== Number.NEGATIVE_INFINITY, "sampling", () => "all tokens are ruled out: at least one must be possible");
  const places = Array.from(ids, (_, i) => i).sort((a, b) => ids[a]! - ids[b]!);
  return { ids: Int32Array.from(places, (i) => ids[i]!), logits: Float32Array.from(places, (i) => logits[i]!) };
}

/**
 * The largest logits suffice where nothing but rules stands before the steps, only the first of them stay, and penalties only lower some: as many more are
 * asked for as are lowered. Tokens behind them have no part in the draw.
 */
function topNeeded(
  sampling: Sampling,
  before: readonly LogitsStep[],
  text: TextSoFar,
  { vocabSize, size }: { readonly vocabSize: number; readonly size: number },
): TopWanted | undefined {
  const first = firstKept(sampling);
  const lowered = loweredTokens(sampling, text);
  const count = Math.min(vocabSize, size);
  if (first === undefined || lowered === undefined) return undefined;
  const top = first + lowered;
  if (top > Math.min(mostTopK, count)) return undefined;
  if (before.length === 0 && count === size) return { top };
  const allowed = firstBits(count, size);
  for (const step of before) {
    if (step.restrict === undefined) return undefined;
    step.restrict(allowed, text);
  }
  return { top, allowed };
}

/** How many of the largest logits have a part in the draw; undefined where it may be all of them. */
function firstKept(sampling: Sampling): number | undefined {
  if (sampling.mirostat > 0 && sampling.temperature > 0) return undefined;
  const chosen = activeRows(sampling).filter(
    ({ name, row }) => "choose" in row && !(name === "temperature" && sampling.temperatureRange === 0),
  );
  // The most probable token alone, or the first k; what stands in front of top-k would look at tokens behind these.
  if (chosen.length === 0) return sampling.temperature === 0 && sampling.order.includes("temperature") ? 1 : undefined;
  const [first] = chosen;
  return first?.name === "topK" ? sampling.topK : undefined;
}

/** How many tokens penalties lower; undefined where one raises some. */
function loweredTokens(sampling: Sampling, text: TextSoFar): number | undefined {
  const breakers = new Set(sampling.dryBreakers);
  const tokens = new Set<number>();
  for (const { row } of activeRows(sampling)) {
    if ("choose" in row) continue;
    const { values, onlyLowers } = row.penalty(sampling, text, breakers);
    if (!onlyLowers) return undefined;
    for (const id of values.keys()) tokens.add(id);
  }
  return tokens.size;
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
