// What follows from the rope study's measurements, as numbers and a verdict.
import { Rng } from "../../base/index.ts";
import { type DivergedRun, divergedRuns, hasLearnt } from "../outcomes.ts";
import { type Verdict, verdictOf } from "../report.ts";
import { type Band, band, groupBy, mean, pairedDifference } from "../statistics.ts";
import type { Outcome } from "../trial.ts";
import {
  type ByReading,
  bins,
  called,
  decayBound,
  farthest,
  type Invariance,
  independentScore,
  reach,
  selfScore,
  trained,
} from "./measure.ts";

// ── the score depends on m − n only ──

/** Scores by kind of positions: rotary, sinusoidal, learned and none. */
export interface InvarianceFindings {
  readonly verdict: Verdict;
  readonly found: readonly [rotary: Invariance, sinusoidal: Invariance, learned: Invariance, none: Invariance];
}

/** Whether rotary positions alone make the score a function of the distance. */
export function judgeInvariance(found: InvarianceFindings["found"]): InvarianceFindings {
  const [rotary, sinusoidal, learned] = found;
  return { verdict: rotary.worst < 1e-4 && sinusoidal.within > 0.1 && learned.within > 0.1 ? "shown" : "not shown", found };
}

// ── the matrix form ──

/** Largest differences between the elementwise form and the matrix product, by pairing of channels. */
export interface MatrixFindings {
  readonly verdict: Verdict;
  readonly half: number;
  readonly neighbours: number;
  /** The larger of the two. */
  readonly worst: number;
}

/** Whether both forms of the rotation agree to float32's rounding. */
export function judgeMatrix(half: number, neighbours: number): MatrixFindings {
  const worst = Math.max(half, neighbours);
  return { verdict: worst < 1e-5 ? "shown" : "not shown", half, neighbours, worst };
}

// ── decay with distance ──

/** A point of a chart. */
interface Point {
  readonly x: number;
  readonly y: number;
}

/** Sizes by distance, each relative to its size at distance 0. */
export interface DecayFindings {
  readonly verdict: Verdict;
  readonly bound: readonly Point[];
  readonly same: readonly Point[];
  readonly independent: readonly Point[];
  /** Means of the bound and of a vector's score with itself over the 64 largest distances. */
  readonly boundFar: number;
  readonly sameFar: number;
}

/** Which of the bound, a vector's score with itself and that of independent vectors decay to less than half. */
export function judgeDecay(): DecayFindings {
  const distances = Array.from({ length: farthest + 1 }, (_, i) => i);
  const rng = new Rng(3);
  const most = decayBound(0);
  const bound = distances.map((x) => ({ x, y: decayBound(x) / most }));
  const same = distances.map((x) => ({ x, y: selfScore(x) }));
  const independent = distances.filter((x) => x % 8 === 0).map((x) => ({ x, y: independentScore(x, rng) }));
  const far = (points: readonly Point[], last: number) => mean(points.slice(-last).map(({ y }) => y));
  const [boundFar, sameFar] = [far(bound, 64), far(same, 64)];
  const decays = [boundFar, sameFar, far(independent, 8)].map((size) => size < 0.5);
  return { verdict: verdictOf(decays, false), bound, same, independent, boundFar, sameFar };
}

// ── longer than trained on ──

/** Losses of one reading, in nats per token; every list of numbers is one per seed. */
export interface Reading {
  readonly name: string;
  /** Mean loss of each trained length, from the first on. */
  readonly parts: readonly (readonly number[])[];
  /** Mean loss of the trained length's second half, and of all beyond it. */
  readonly inside: readonly number[];
  readonly beyond: readonly number[];
  /** Loss by position, in bins. */
  readonly course: readonly Band[];
}

/** What texts longer than those trained on show. */
export interface ExtrapolationFindings {
  readonly verdict: Verdict;
  readonly steps: number;
  /** The number of seeds; no readings where no seed has all of its runs. */
  readonly seeds: number;
  readonly readings: readonly Reading[];
  /** Whether rotary positions are not yet better than none, so that nothing could carry over. */
  readonly isShort: boolean;
  /** Whether plain RoPE is as good beyond the trained length as inside, or worse beyond chance. */
  readonly carries: boolean;
  readonly fails: boolean;
  /** The scalings that help beyond chance. */
  readonly scaled: readonly string[];
  /** Whether the learned table is better than no positions inside the trained length. */
  readonly tableIsUsed: boolean;
  /** Held-out losses at the trained length by kind of positions. */
  readonly heldOut: readonly { readonly name: string; readonly losses: readonly number[] }[];
  readonly diverged: readonly DivergedRun[];
}

/** Nats by which a text beyond the trained length may be worse and still be said to be read as well. */
const carried = 0.05;

/** The outcomes of those seeds that every trial was finished for, so that what is compared are pairs. */
function ofWholeSeeds(outcomes: readonly Outcome<ByReading>[]): Outcome<ByReading>[] {
  return [...groupBy(outcomes, ({ seed }) => seed).values()].filter((round) => round.every(({ found }) => found !== undefined)).flat();
}

/** What reading beyond the trained length shows. @param outcomes of whole rounds */
export function judgeExtrapolation(outcomes: readonly Outcome<ByReading>[]): ExtrapolationFindings {
  const whole = ofWholeSeeds(outcomes);
  const readings = readingsOf(whole);
  const known = {
    steps: outcomes[0]!.steps,
    seeds: new Set(outcomes.map(({ seed }) => seed)).size,
    readings,
    heldOut: [...groupBy(outcomes, ({ trial }) => trial.variant.name)].map(([name, group]) => ({
      name,
      losses: group.flatMap(({ heldOut }) => heldOut?.loss ?? []),
    })),
    diverged: divergedRuns(outcomes),
  };
  if (whole.length === 0)
    return { ...known, verdict: "too short to say", isShort: true, carries: false, fails: false, scaled: [], tableIsUsed: false };
  return { ...known, ...judgeReadings(new Map(readings.map((reading) => [reading.name, reading])), !hasLearnt(whole)) };
}

type Judged = Pick<ExtrapolationFindings, "verdict" | "isShort" | "carries" | "fails" | "scaled" | "tableIsUsed">;

function judgeReadings(readings: ReadonlyMap<string, Reading>, isIdle: boolean): Judged {
  const inside = (name: string) => readings.get(name)!.inside;
  const beyond = (name: string) => readings.get(name)!.beyond;
  const rotary = called.rope;
  // Nothing could carry over where positions bring no gain.
  const isShort = isIdle || !(pairedDifference(inside(called.none), inside(rotary)).low > 0);
  const worse = pairedDifference(beyond(rotary), inside(rotary));
  const [carries, fails] = [worse.high < carried, worse.low > 0];
  const scaled = ["linear", "NTK"]
    .map((how) => `${rotary}, ${how} scaling`)
    .filter((name) => pairedDifference(beyond(rotary), beyond(name)).low > 0);
  const isOpen = !carries && !fails && scaled.length === 0;
  return {
    verdict: carries && !isShort ? "shown" : verdictOf([false, scaled.length > 0], isShort || isOpen),
    ...{ isShort, carries, fails, scaled },
    tableIsUsed: pairedDifference(inside(called.none), inside(called.learned)).low > 0,
  };
}

function readingsOf(outcomes: readonly Outcome<ByReading>[]): Reading[] {
  const byName = groupBy(
    outcomes.flatMap(({ found }) => [...found!].map(([name, losses]) => ({ name, losses }))),
    ({ name }) => name,
  );
  return [...byName].map(([name, runs]) => {
    const part = (from: number, to: number) => runs.map(({ losses }) => mean([...losses.subarray(from, to)]));
    return {
      name,
      parts: Array.from({ length: reach }, (_, i) => part(i * trained, (i + 1) * trained)),
      inside: part(trained / 2, trained),
      beyond: part(trained, reach * trained),
      course: Array.from({ length: (reach * trained) / bins }, (_, bin) => band((bin + 0.5) * bins, part(bin * bins, (bin + 1) * bins))),
    };
  });
}
