// What follows from the norm study's measurements, as numbers and a verdict.
import type { NormName, NormPlacement } from "../../model/index.ts";
import { type DivergedRun, divergedRuns, hasLearnt, lossOf } from "../outcomes.ts";
import { type Verdict, verdictOf } from "../report.ts";
import { type Band, band, groupBy, mean, type PairedDifference, pairedDifference, powerLaw } from "../statistics.ts";
import type { Outcome } from "../trial.ts";
import { called, type DepthGradients, kinds, learningRates, type NormTimes, warmups } from "./measure.ts";

type ByPlacement<T> = Readonly<Record<NormPlacement, T>>;

function byPlacement<T>(of: (placement: NormPlacement) => T): ByPlacement<T> {
  return { post: of("post"), pre: of("pre") };
}

// ── gradients at initialisation ──

/** Gradients at initialisation; every list of numbers is one per seed. */
export interface InitialFindings {
  readonly verdict: Verdict;
  readonly seeds: number;
  /** The fewest layers that exponents are fitted from, and the most that were measured. */
  readonly fittedFrom: number;
  readonly deepest: number;
  /** p of |gradient of the last layer's W_2| ∝ L^p. */
  readonly exponents: ByPlacement<readonly number[]>;
  /** The last layer's gradient norm over the first layer's, in the deepest model. */
  readonly growth: ByPlacement<readonly number[]>;
  /** Post-LN's norm over Pre-LN's in the last layer of the deepest model. */
  readonly apart: readonly number[];
  /** Gradient norm of the last layer's W_2 by the number of layers. */
  readonly lastLayer: ByPlacement<readonly Band[]>;
  /** Gradient norm of all parameters of each layer, for each number of layers. */
  readonly byLayer: ByPlacement<readonly { readonly depth: number; readonly norms: readonly Band[] }[]>;
}

/** Exponents p of |gradient of the last layer's W_2| ∝ L^p, one per seed, from four layers on: the 1 in 1 + L/2 weighs less there. */
export function lastLayerExponents(found: readonly DepthGradients[], placement: NormPlacement): number[] {
  const deep = found.filter((one) => one.placement === placement && one.depth >= fittedFrom);
  return deep[0]!.feedForward.map(
    (_, seed) => powerLaw(deep.map(({ depth, feedForward }) => ({ x: depth, y: feedForward[seed]!.at(-1)! }))).exponent,
  );
}

/** The 1 in 1 + L/2 weighs too much in models of fewer layers. */
const fittedFrom = 4;

/** What gradients at initialisation show. @param found both placements with the same numbers of layers */
export function judgeInitial(found: readonly DepthGradients[]): InitialFindings {
  const deepest = Math.max(...found.map(({ depth }) => depth));
  const at = (placement: NormPlacement) => found.find((one) => one.placement === placement && one.depth === deepest)!.feedForward;
  const exponents = byPlacement((placement) => lastLayerExponents(found, placement));
  const apart = at("post").map((norms, seed) => norms.at(-1)! / at("pre")[seed]!.at(-1)!);
  const seen = [Math.abs(mean(exponents.post)) < 0.15, Math.abs(mean(exponents.pre) + 0.5) < 0.15, mean(apart) > 1];
  return {
    verdict: verdictOf(seen, false),
    seeds: found[0]!.feedForward.length,
    ...{ fittedFrom, deepest, exponents, apart },
    growth: byPlacement((placement) => at(placement).map((norms) => norms.at(-1)! / norms[0]!)),
    lastLayer: byPlacement((placement) => lastLayer(found, placement)),
    byLayer: byPlacement((placement) => found.filter((one) => one.placement === placement).map(layerNorms)),
  };
}

function lastLayer(found: readonly DepthGradients[], placement: NormPlacement): Band[] {
  const chosen = found.filter((one) => one.placement === placement);
  return chosen.map(({ depth, feedForward }) => bandOf(depth, feedForward, depth - 1));
}

function layerNorms({ depth, wholeLayer }: DepthGradients) {
  return { depth, norms: Array.from({ length: depth }, (_, i) => bandOf(i + 1, wholeLayer, i)) };
}

/** The band at x of a layer's norms over seeds. */
function bandOf(x: number, norms: readonly (readonly number[])[], layer: number): Band {
  return band(
    x,
    norms.map((ofSeed) => ofSeed[layer]!),
  );
}

// ── training with and without warm-up ──

/** The runs of a placement and warm-up at one learning rate. */
export interface Cell {
  readonly name: string;
  readonly warmup: number;
  readonly learningRate: number;
  /** Held-out losses, one per seed; NaN where a run diverged. */
  readonly losses: readonly number[];
  /** The same with the unigram baseline in place of what diverged or lies above it. */
  readonly counted: readonly number[];
  /** The number of seeds that hardly ended better than the unigram baseline. */
  readonly failed: number;
}

/** Nats that a warm-up must gain to be needed; what is less is left out of account. */
const worthIt = 0.05;
/** Nats below the unigram baseline from which on a run has learnt something. */
export const stalled = 0.1;

/** Losses of one run, smoothed. */
export interface Course {
  readonly name: string;
  readonly warmup: number;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** How many runs of a placement failed, without the warm-up and with it. */
export interface Failures {
  readonly none: number;
  readonly warm: number;
}

/** What training with and without warm-up shows. */
export interface WarmupFindings {
  readonly verdict: Verdict;
  /** Whether nothing can be said yet. */
  readonly isShort: boolean;
  readonly steps: number;
  readonly unigramLoss: number;
  /** Runs of a placement with one warm-up, over all learning rates; and seeds. */
  readonly runs: number;
  readonly seeds: number;
  readonly cells: readonly Cell[];
  readonly failures: ByPlacement<Failures>;
  /** Nats that the warm-up gained, by learning rate and seed. */
  readonly gained: ByPlacement<readonly (readonly number[])[]>;
  /** Whether Post-LN gains by the warm-up beyond chance at one rate at least: half of the claim. */
  readonly postNeedsIt: boolean;
  /** Whether no run of Pre-LN fails without the warm-up, and it gains nothing by it: the other half. */
  readonly preDoesWithout: boolean;
  /** Whether runs of a placement fail with the warm-up too. */
  readonly postFailsAnyway: boolean;
  readonly preFailsAnyway: boolean;
  /** Whether Pre-LN's mean loss is lower with the warm-up at one rate at least. */
  readonly preGains: boolean;
  /** The first seed's losses at the highest learning rate. */
  readonly courses: readonly Course[];
}

/** What the runs with and without warm-up show. @param outcomes of whole rounds */
export function judgeWarmup(outcomes: readonly Outcome[], unigramLoss: number): WarmupFindings {
  const cells = cellsOf(outcomes, unigramLoss);
  const [, share] = warmups as [number, number];
  const pick = (placement: NormPlacement, warmup: number) =>
    cells.filter((cell) => cell.name === called[placement] && cell.warmup === warmup);
  const failed = (placement: NormPlacement, warmup: number) => pick(placement, warmup).reduce((sum, cell) => sum + cell.failed, 0);
  const failures = byPlacement((placement): Failures => ({ none: failed(placement, 0), warm: failed(placement, share) }));
  const pairs = byPlacement((placement) =>
    learningRates.map((_, i) => ({ none: pick(placement, 0)[i]!.counted, warm: pick(placement, share)[i]!.counted })),
  );
  const gains = byPlacement((placement) => pairs[placement].map(({ none, warm }) => pairedDifference(none, warm)));
  const postNeedsIt = gains.post.some(({ low }) => low > worthIt);
  const preDoesWithout = failures.pre.none === 0 && gains.pre.every(({ high }) => high < worthIt);
  const runs = (learningRates.length * outcomes.length) / cells.length;
  const isShort = !hasLearnt(outcomes) || runs <= learningRates.length;
  return {
    verdict: verdictOf([postNeedsIt, preDoesWithout], isShort),
    steps: outcomes[0]!.steps,
    seeds: runs / learningRates.length,
    ...{ isShort, unigramLoss, runs, cells, failures, postNeedsIt, preDoesWithout },
    gained: byPlacement((placement) => pairs[placement].map(({ none, warm }) => none.map((loss, seed) => loss - warm[seed]!))),
    postFailsAnyway: failures.post.warm > 0,
    preFailsAnyway: failures.pre.warm > 0,
    preGains: gains.pre.some(({ mean: gain }) => gain > worthIt),
    courses: coursesOf(outcomes),
  };
}

function cellsOf(outcomes: readonly Outcome[], unigramLoss: number): Cell[] {
  const groups = groupBy(outcomes, ({ trial }) => trial);
  return [...groups].map(([{ variant, warmupShare, learningRate }, group]) => {
    const losses = group.map(({ heldOut }) => heldOut?.loss ?? Number.NaN);
    return {
      ...{ name: variant.name, warmup: warmupShare, learningRate, losses },
      counted: losses.map((loss) => (loss < unigramLoss ? loss : unigramLoss)),
      failed: losses.filter((loss) => !(loss < unigramLoss - stalled)).length,
    };
  });
}

/** The losses of the first seed at the highest learning rate: whoever fails, fails there. */
function coursesOf(outcomes: readonly Outcome[]): Course[] {
  const chosen = outcomes.filter(({ trial, seed }) => trial.learningRate === learningRates.at(-1)! && seed === outcomes[0]!.seed);
  return chosen.map(({ trial, losses }) => ({ name: trial.variant.name, warmup: trial.warmupShare, points: smoothed(losses) }));
}

/** Means of at most 100 equal parts. */
function smoothed(losses: readonly number[]): { x: number; y: number }[] {
  const cells = Math.min(100, losses.length);
  return Array.from({ length: cells }, (_, i) => {
    const [from, to] = [Math.floor((i * losses.length) / cells), Math.floor(((i + 1) * losses.length) / cells)];
    return { x: (from + to + 1) / 2, y: mean(losses.slice(from, to)) };
  });
}

// ── RMSNorm or LayerNorm ──

/** Nats that count as nothing: a hundredth of the loss, more or less. */
export const noCost = 0.03;

/** What RMSNorm costs and saves. */
export interface KindFindings {
  readonly verdict: Verdict;
  readonly steps: number;
  /** Seeds of the runs, and the held-out losses of each norm, one per seed. */
  readonly seeds: readonly number[];
  readonly losses: Readonly<Record<NormName, readonly number[]>>;
  /** Nats by which RMSNorm is worse. */
  readonly cost: PairedDifference;
  readonly times: NormTimes;
  /** RMSNorm's time over LayerNorm's. */
  readonly ratio: number;
  readonly diverged: readonly DivergedRun[];
}

/** What the runs with either norm, and the norms' times, show. */
export function judgeKinds(outcomes: readonly Outcome[], times: NormTimes): KindFindings {
  const runsOf = (kind: NormName) => outcomes.filter(({ trial }) => trial.variant.name === kinds[kind].name);
  const losses = { rms: runsOf("rms").map(lossOf), layer: runsOf("layer").map(lossOf) };
  const cost = pairedDifference(losses.rms, losses.layer);
  const ratio = times.rms / times.layer;
  return {
    verdict: verdictOf([cost.high < noCost, ratio < 0.98], !hasLearnt(outcomes) || losses.rms.length < 2),
    steps: outcomes[0]!.steps,
    seeds: runsOf("rms").map(({ seed }) => seed),
    ...{ losses, cost, times, ratio },
    diverged: divergedRuns(outcomes),
  };
}
