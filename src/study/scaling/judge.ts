// What follows from the scaling study's runs: a law through the small ones, as numbers, and a verdict on its prediction.
import { CriaError } from "../../base/index.ts";
import { parameterCount } from "../../model/index.ts";
import { fitLaw, type LawFit, predictLoss, type RunPoint } from "../../plan/index.ts";
import { type DivergedRun, divergedRuns } from "../outcomes.ts";
import type { Verdict } from "../report.ts";
import { groupBy, mean } from "../statistics.ts";
import type { Outcome, Trial } from "../trial.ts";

/** The runs of a trial, one per seed, and their mean loss in nats per token. */
export interface Point extends RunPoint {
  readonly name: string;
  /** Held-out losses, one per seed. */
  readonly losses: readonly number[];
}

function pointOf([trial, outcomes]: readonly [Trial, readonly Outcome[]]): Point {
  const { config, size, name } = trial.variant;
  const losses = outcomes.flatMap(({ heldOut }) => heldOut?.loss ?? []); // the mean of none is NaN
  return { name, parameters: parameterCount(config), tokens: outcomes[0]!.steps * size.batch * size.length, loss: mean(losses), losses };
}

/** Why no law is compared with the larger run. */
export type TooShort =
  | { readonly because: "the larger run diverged" }
  | { readonly because: "small runs have learnt nothing"; readonly idle: number; readonly of: number }
  | { readonly because: "a small run is as good"; readonly best: number }
  | { readonly because: "no law can be fitted"; readonly message: string };

/** The law through the small runs, and how near its prediction is. */
export interface Prediction {
  readonly fit: LawFit;
  /** Small runs that did not diverge, which the law is fitted to. */
  readonly runs: readonly Point[];
  /** Loss of the larger run by the law, with its 95 % interval; NaN where that is unknown. */
  readonly predicted: { readonly loss: number; readonly low: number; readonly high: number };
  /** Relative error of the prediction. */
  readonly error: number;
  /** Loss of the best small run, and the fall from there to the larger run: measured, and by the law. */
  readonly best: number;
  readonly fall: number;
  readonly predictedFall: number;
  /** Operations of the larger run over those of the largest small one. */
  readonly further: number;
}

/** What the runs show; `tooShort` says why nothing is predicted, where nothing is. */
export interface LawFindings {
  readonly verdict: Verdict;
  /** The name of the larger run's model. */
  readonly held: string;
  readonly unigramLoss: number;
  readonly points: readonly Point[];
  readonly target: Point;
  readonly diverged: readonly DivergedRun[];
  readonly outcome: Prediction | TooShort;
}

/** Nats below the unigram baseline from which on a run has learnt something of the text's order. */
export const learnt = 0.3;

/** What the runs show. @param held the trial that the law has not seen, the last one of a round */
export function judgeLaw(outcomes: readonly Outcome[], held: Trial): LawFindings {
  const points = [...groupBy(outcomes, ({ trial }) => trial)].map(pointOf);
  const target = points.at(-1)!;
  const { unigramLoss } = held.variant.text;
  const outcome = predictTarget(points, unigramLoss);
  return {
    verdict: "because" in outcome ? "too short to say" : verdictOn(outcome, target),
    held: held.variant.name,
    ...{ unigramLoss, points, target, outcome },
    diverged: divergedRuns(outcomes),
  };
}

function predictTarget(points: readonly Point[], unigramLoss: number): Prediction | TooShort {
  const [runs, target] = [points.slice(0, -1).filter(({ loss }) => Number.isFinite(loss)), points.at(-1)!];
  const idle = runs.filter(({ loss }) => !(loss < unigramLoss - learnt)).length;
  const best = Math.min(...runs.map(({ loss }) => loss));
  if (!Number.isFinite(target.loss)) return { because: "the larger run diverged" };
  if (idle > 0) return { because: "small runs have learnt nothing", idle, of: runs.length };
  if (target.loss >= best) return { because: "a small run is as good", best };
  try {
    return predictBy(fitLaw(runs, { seed: 1 }), runs, target, best);
  } catch (error) {
    if (!(error instanceof CriaError)) throw error;
    return { because: "no law can be fitted", message: error.message };
  }
}

function predictBy(fit: LawFit, runs: readonly Point[], target: Point, best: number): Prediction {
  const { loss, low = Number.NaN, high = Number.NaN } = predictLoss(fit, target, 1);
  const budget = (point: Point) => point.parameters * point.tokens;
  return {
    ...{ fit, runs, best },
    predicted: { loss, low, high },
    error: loss / target.loss - 1,
    fall: best - target.loss,
    predictedFall: best - loss,
    further: budget(target) / Math.max(...runs.map(budget)),
  };
}

function verdictOn({ predicted: { loss, low, high }, error, fall }: Prediction, target: Point): Verdict {
  const isMet = Math.abs(error) < 0.02 && target.loss >= low && target.loss <= high;
  // Who says that the larger run will be no better than the best small one is off by the whole fall.
  const isFallPredicted = Math.abs(loss - target.loss) < fall / 2;
  if (isMet && isFallPredicted) return "shown";
  return isMet || isFallPredicted ? "partly shown" : "not shown";
}
