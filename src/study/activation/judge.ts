// What follows from the activation study's measurements, as numbers and a verdict.
import { activationFunctions } from "../../graph/index.ts";
import { isGated } from "../../model/index.ts";
import { type DivergedRun, divergedRuns, hasLearnt, lossOf } from "../outcomes.ts";
import { type Verdict, verdictOf } from "../report.ts";
import { groupBy, mean, type PairedDifference, pairedDifference } from "../statistics.ts";
import type { Outcome } from "../trial.ts";
import {
  type Contestant,
  contestants,
  curves,
  type FeedForward,
  feedForwardOf,
  flatSwish,
  gelu,
  largestDifference,
  lowest,
  relu,
  slopeError,
  steepSwish,
  swish,
  value,
} from "./measure.ts";

/** A place on a curve. */
interface Place {
  readonly x: number;
  readonly y: number;
}

/** The functions in numbers. */
export interface CurveFindings {
  readonly verdict: Verdict;
  /** Where GELU and Swish (β = 1) are least. */
  readonly lowest: Readonly<Record<"gelu" | "swish", Place>>;
  /** Largest difference of Swish to ReLU with β = 10, and to x/2 with a small β; of GELU's tanh form to the exact one. */
  readonly toRelu: number;
  readonly toLine: number;
  readonly toTanh: number;
  /** Largest difference between slopes and difference quotients. */
  readonly slopeError: number;
}

/** What the functions themselves show. */
export function judgeCurves(): CurveFindings {
  const toRelu = largestDifference(
    (x) => value(steepSwish, x),
    (x) => value(relu, x),
  );
  const toTanh = largestDifference(
    (x) => value(gelu, x),
    (x) => activationFunctions.geluTanh.value(x, 1),
  );
  const toLine = largestDifference(
    (x) => value(flatSwish, x),
    (x) => x / 2,
  );
  const worst = Math.max(...curves.map(slopeError));
  return {
    verdict: worst < 1e-6 && toRelu < 0.03 && toLine < 0.07 ? "shown" : "not shown",
    lowest: { gelu: lowest(gelu), swish: lowest(swish) },
    ...{ toRelu, toLine, toTanh, slopeError: worst },
  };
}

/** The feed-forward layers in numbers, one per contestant. */
export interface ParameterFindings {
  readonly verdict: Verdict;
  readonly layers: readonly FeedForward[];
}

/** Whether all contestants have equally many parameters. */
export function judgeParameters(): ParameterFindings {
  const layers = contestants.map(feedForwardOf);
  const isEqual = new Set(layers.map(({ ofModel }) => ofModel)).size === 1;
  return { verdict: isEqual ? "shown" : "not shown", layers };
}

/** A contestant's held-out losses in nats per token, one per seed. */
export interface Ranked extends Contestant {
  readonly losses: readonly number[];
}

/** What training at equal parameters shows; every list of numbers is one per seed. */
export interface LossFindings {
  readonly verdict: Verdict;
  readonly steps: number;
  readonly seeds: readonly number[];
  /** Mean loss of the plain and of the gated layers. */
  readonly plain: readonly number[];
  readonly gated: readonly number[];
  /** Nats that the gates gain. */
  readonly gain: PairedDifference;
  /** The contestants, best first. */
  readonly ranked: readonly Ranked[];
  /** The best plain layer, the gated ones behind it, and whether the best layer of all is GEGLU or SwiGLU. */
  readonly bestPlain: string;
  readonly behind: readonly string[];
  readonly isBestAsClaimed: boolean;
  readonly diverged: readonly DivergedRun[];
}

/** What the runs of all contestants show. @param outcomes of whole rounds */
export function judgeLosses(outcomes: readonly Outcome[]): LossFindings {
  const rounds = [...groupBy(outcomes, ({ seed }) => seed).values()];
  const lossesOf = (name: string) => rounds.map((round) => lossOf(round.find(({ trial }) => trial.variant.name === name)!));
  const entries = contestants.map((one): Ranked => ({ ...one, losses: lossesOf(one.name) }));
  const family = (isGatedOne: boolean) => {
    const members = entries.filter(({ activation }) => isGated(activation) === isGatedOne);
    return rounds.map((_, i) => mean(members.map(({ losses }) => losses[i]!)));
  };
  const [plain, gated] = [family(false), family(true)];
  const gain = pairedDifference(plain, gated);
  const ranked = entries.toSorted((a, b) => mean(a.losses) - mean(b.losses));
  const bestPlain = ranked.findIndex(({ activation }) => !isGated(activation));
  const behind = ranked.slice(bestPlain).filter(({ activation }) => isGated(activation));
  const isBestAsClaimed = ["geglu", "swiglu"].includes(ranked[0]!.activation);
  const isShort = !hasLearnt(outcomes) || rounds.length < 2;
  return {
    // What may be chance is not shown, and one seed does not tell chance.
    verdict: gain.low > 0 ? verdictOf([true, behind.length === 0 && isBestAsClaimed], isShort) : verdictOf([false], isShort),
    steps: outcomes[0]!.steps,
    seeds: rounds.map((round) => round[0]!.seed),
    ...{ plain, gated, gain, ranked, isBestAsClaimed },
    bestPlain: ranked[bestPlain]!.name,
    behind: behind.map(({ name }) => name),
    diverged: divergedRuns(outcomes),
  };
}
