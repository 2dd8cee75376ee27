// How rotary positions are scaled in models that reach beyond the length they were first trained on: records of a config, and their rules.
// What they come to is in rope-frequencies.ts.
//
// D channels of a head make D/2 pairs; L is the length before scaling, s the factor by which the model reaches further.
import { check } from "../base/index.ts";

/** How the frequencies differ from the paper's, by transformers' names of the methods; what may be left out has a default. */
export type RopeScaling =
  | { readonly type: "default" }
  /** Positions are divided by the factor (Chen et al. 2023, arXiv 2306.15595). */
  | { readonly type: "linear"; readonly factor: number }
  | DynamicScaling
  | YarnScaling
  | LongScaling
  | Llama3Scaling;

/**
 * NTK-aware scaling by the current length T > L: theta is multiplied by (s·T/L − (s − 1))^(D/(D − 2)), which slows the slowest pair the most
 * and the fastest not at all (bloc97 and emozilla 2023; Peng et al. 2023, arXiv 2309.00071, sections 3.1 and 3.3).
 */
export interface DynamicScaling {
  readonly type: "dynamic";
  readonly factor: number;
  readonly originalLength: number;
}

/** YaRN (Peng et al. 2023, arXiv 2309.00071): slow pairs are slowed by s, fast ones are not, and attention becomes sharper. */
export interface YarnScaling {
  readonly type: "yarn";
  readonly factor: number;
  readonly originalLength: number;
  /** Pairs that turn more often than this within L keep their frequency; 32 by default. */
  readonly betaFast?: number | undefined;
  /** Pairs that turn less often than this within L are slowed by the whole factor; 1 by default. */
  readonly betaSlow?: number | undefined;
  /** Whether the bounds between these pairs are rounded outwards to whole pairs; true by default. */
  readonly truncate?: boolean | undefined;
  /** 0.1 · ln s + 1 by default, or a quotient of two such terms where both numbers below are there. */
  readonly attentionFactor?: number | undefined;
  readonly mscale?: number | undefined;
  readonly mscaleAllDim?: number | undefined;
}

/** LongRoPE (Ding et al. 2024, arXiv 2402.13753): a divisor per pair, found by a search; one set up to L and one beyond. */
export interface LongScaling {
  readonly type: "longrope";
  readonly originalLength: number;
  /** D/2 divisors for runs of at most L positions. */
  readonly shortFactors: readonly number[];
  /** D/2 divisors for longer runs. */
  readonly longFactors: readonly number[];
  /** The factor s, on which only the attention factor depends; contextLength / originalLength by default. */
  readonly factor?: number | undefined;
  /** √(1 + ln s / ln L) by default. */
  readonly attentionFactor?: number | undefined;
}

/** The scaling of Llama 3.1, by its published config: wavelengths above L / lowFrequencyFactor are stretched by s, those below L / highFrequencyFactor are kept. */
export interface Llama3Scaling {
  readonly type: "llama3";
  readonly factor: number;
  readonly originalLength: number;
  readonly lowFrequencyFactor: number;
  readonly highFrequencyFactor: number;
}

/** Least and most of a scaling's numbers: far beyond any model's, and within what float32 computes with. */
export const scalingRanges = {
  factor: [1e-6, 1e6],
  originalLength: [2, 1 << 30],
  attentionFactor: [1e-6, 1e6],
  betaFast: [1e-6, 1e6],
  betaSlow: [1e-6, 1e6],
  mscale: [0, 1e6],
  mscaleAllDim: [0, 1e6],
  lowFrequencyFactor: [1e-6, 1e6],
  highFrequencyFactor: [1e-6, 1e6],
} as const;

/** @throws CriaError when a number is out of its range, or the scaling does not fit heads of D channels or theta. */
export function checkScaling(scaling: RopeScaling, { D, theta }: { readonly D: number; readonly theta: number }): void {
  checkNumbers(scaling);
  const { type } = scaling;
  if (type === "dynamic")
    check(D > 2, where, () => `ropeScaling "dynamic" takes heads of at least 4 channels, but they have ${D}: choose another scaling`);
  if (type === "yarn") checkYarn(scaling, theta);
  if (type === "longrope") {
    checkFactors("shortFactors", scaling.shortFactors, D / 2);
    checkFactors("longFactors", scaling.longFactors, D / 2);
  }
  if (type === "llama3") {
    const { lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
    check(low < high, where, () => `lowFrequencyFactor is ${low} and highFrequencyFactor ${high}: the first must be the smaller one`);
  }
}

const where = "model";

function checkNumbers(scaling: RopeScaling): void {
  const values: Readonly<Record<string, unknown>> = { ...scaling };
  for (const [name, [least, most]] of Object.entries(scalingRanges)) {
    const value = values[name];
    if (value === undefined) continue;
    const fits = typeof value === "number" && value >= least && value <= most && (name !== "originalLength" || Number.isInteger(value));
    const kind = name === "originalLength" ? "an integer" : "a number";
    check(fits, where, () => `ropeScaling.${name} is ${value}: it must be ${kind} from ${least} to ${most}`);
  }
}

function checkYarn({ betaFast = 32, betaSlow = 1 }: YarnScaling, theta: number): void {
  check(betaFast > betaSlow, where, () => `betaFast is ${betaFast} and betaSlow ${betaSlow}: the first must be the larger one`);
  check(theta > 1, where, () => `ropeTheta is ${theta}, but YaRN takes one above 1, with which pairs turn ever more slowly`);
}

function checkFactors(name: string, factors: readonly number[], pairs: number): void {
  const [least, most] = scalingRanges.factor;
  check(factors.length === pairs, where, () => `${name} has ${factors.length} numbers, but a head has ${pairs} pairs of channels`);
  const odd = factors.find((factor) => !(factor >= least && factor <= most));
  check(odd === undefined, where, () => `${name} has the number ${odd}: all must be from ${least} to ${most}`);
}
