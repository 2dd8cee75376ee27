// A run's metrics as few points as a chart can show: means of neighbouring steps with the range of each.
import { check } from "../base/index.ts";
import type { EvaluationRow } from "../runs/index.ts";
import type { RunMetrics } from "./run-metrics.ts";

const where = "watch";
/** Points of a chart at most: more than a wide screen has columns. */
export const mostPoints = 2000;

/** Which steps are wanted, and in how many points. */
export interface SeriesQuery {
  /** Points of a curve at most, from 2 to {@link mostPoints}. */
  readonly points: number;
  /** The first and last step; all steps by default. */
  readonly from?: number;
  readonly to?: number;
}

/** A number over time: the mean of every point's steps, and their least and largest. Steps whose number is none are left out; null where all are such. */
export interface Curve {
  readonly mean: readonly (number | null)[];
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
}

/** A run's curves. All lists about steps have one entry per point. */
export interface Series {
  /** The last step of each point. */
  readonly step: readonly number[];
  /** Tokens trained on behind it. */
  readonly tokens: readonly number[];
  /** Seconds of training behind it, what lies between steps left out. */
  readonly seconds: readonly number[];
  readonly learningRate: readonly (number | null)[];
  readonly loss: Curve;
  readonly gradientNorm: Curve;
  readonly tokensPerSecond: Curve;
  readonly evaluations: readonly EvaluationRow[];
  /** Steps of the whole run that these were made of. */
  readonly steps: number;
}

/** @throws CriaError when the query is out of its range */
export function seriesOf(metrics: RunMetrics, { points, from = 0, to = Number.MAX_SAFE_INTEGER }: SeriesQuery): Series {
  check(
    Number.isSafeInteger(points) && points >= 2 && points <= mostPoints,
    where,
    () => `points is ${points} but must be an integer from 2 to ${mostPoints}`,
  );
  check(from <= to, where, () => `from is step ${from} but to is step ${to}: give the earlier one first`);
  const { steps, evaluations } = metrics;
  const all = steps.column("step");
  const [first, end] = [lowerBound(all, from), lowerBound(all, to + 1)];
  const borders = bordersOf(first, end, points);
  const lastOf = (values: ArrayLike<number>) => borders.slice(1).map((border) => values[border - 1] ?? 0);
  return {
    step: lastOf(all),
    tokens: lastOf(steps.column("tokens")),
    seconds: secondsAt(steps.column("seconds"), borders),
    learningRate: lastOf(steps.column("learningRate")),
    loss: curveOf(steps.column("loss"), borders),
    gradientNorm: curveOf(steps.column("gradientNorm"), borders),
    tokensPerSecond: curveOf(steps.column("tokensPerSecond"), borders),
    evaluations: evaluations.filter(({ step }) => step >= from && step <= to),
    steps: steps.length,
  };
}

/** The number of the first value that is at least `least`, of values that rise. */
function lowerBound(values: ArrayLike<number>, least: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? 0) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where points begin and end, of equal numbers of rows, or a row each where there are few. */
function bordersOf(first: number, end: number, points: number): number[] {
  const count = Math.min(points, end - first);
  return Array.from({ length: count + 1 }, (_, i) => (count === 0 ? first : first + Math.floor((i * (end - first)) / count)));
}

function curveOf(values: ArrayLike<number>, borders: readonly number[]): Curve {
  const parts = borders.slice(1).map((end, i) => partOf(values, borders[i] ?? 0, end));
  return { mean: parts.map(({ mean }) => mean), low: parts.map(({ low }) => low), high: parts.map(({ high }) => high) };
}

function partOf(values: ArrayLike<number>, from: number, end: number) {
  let [sum, count, low, high] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = from; i < end; i++) {
    const value = values[i] ?? Number.NaN;
    if (!Number.isFinite(value)) continue;
    sum += value;
    count++;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return count === 0 ? { mean: null, low: null, high: null } : { mean: sum / count, low, high };
}

function secondsAt(values: ArrayLike<number>, borders: readonly number[]): number[] {
  const found: number[] = [];
  let [sum, next] = [0, 0];
  for (const end of borders.slice(1)) {
    for (; next < end; next++) sum += values[next] ?? 0;
    found.push(sum);
  }
  return found;
}
