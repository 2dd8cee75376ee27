// The law fitted to runs: Huber loss on the logarithm of the loss, minimised by L-BFGS from a grid of starts (Hoffmann et al. 2022,
// appendix D.3). What a set of runs cannot tell apart is held fixed, and the fit says so.
import { check, fail, Rng } from "../base/index.ts";
import { type Allocation, laws, lossOf, type ScalingLaw } from "./law.ts";
import { type Minimum, minimise, type Objective } from "./lbfgs.ts";

const where = "plan";

/** A finished run: its size, what it was trained on, and its last loss in nats per token. */
export interface RunPoint extends Allocation {
  readonly loss: number;
}

/** A range of values, its ends included. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Which numbers the runs decide; the others stay at the Besiroglu refit's. */
export type Freedom = "all" | "levels" | "scale";

/** A law that was fitted to runs, and how sure it is. */
export interface LawFit {
  readonly law: ScalingLaw;
  readonly freedom: Freedom;
  /** Sentences on what was held fixed, and which runs would change that. Empty when all five numbers are the runs'. */
  readonly notes: readonly string[];
  /** 95 % of the resampled fits; those of numbers held fixed are absent. */
  readonly intervals: { readonly [Name in "E" | "A" | "B" | "alpha" | "beta"]?: Interval };
  /** ln(fitted / measured), a run each, in their order. */
  readonly residuals: readonly number[];
  /** The fits to resampled runs, from which intervals are taken. */
  readonly resampled: readonly ScalingLaw[];
}

/** The resampling that a fit's intervals come from. */
export interface FitOptions {
  readonly seed?: number;
  /** Fits to resampled runs; 0 for no intervals. */
  readonly resamples?: number;
}

/**
 * Fits E, A, B, α and β, or as many of them as the runs can tell.
 * Intervals are from resampled residuals, because runs resampled whole (Besiroglu et al. 2024) leave, of few, too few to fit.
 * @throws CriaError for runs that are none, or with which not even the scale is decided
 */
export function fitLaw(runs: readonly RunPoint[], { seed = 0, resamples = 200 }: FitOptions = {}): LawFit {
  runs.forEach(checkRun);
  const found = fitFreest(runs);
  const residuals = runs.map((run) => Math.log(lossOf(found.law, run) / run.loss));
  const resampled = resample(runs, found, residuals, new Rng(seed), resamples);
  return { ...found, residuals, resampled, intervals: intervalsOf(resampled, found.freedom) };
}

/** The loss to expect of another run, and where 95 % of such runs should end: the fit's uncertainty and the runs' scatter. */
export function predictLoss(fit: LawFit, run: Allocation, seed = 0): { readonly loss: number } & Partial<Interval> {
  const loss = lossOf(fit.law, run);
  const rng = new Rng(seed);
  const spread = widened(fit.residuals, fit.freedom);
  const draws = fit.resampled.flatMap((law) =>
    Array.from({ length: 8 }, () => lossOf(law, run) * Math.exp(spread[rng.below(spread.length)]!)),
  );
  return { loss, ...(draws.length > 0 && central(draws)) };
}

/** θ = (ln A, ln B, ln E, α, β) as the sum of a fixed part and the free numbers. */
interface Model {
  /** A run more than there are numbers to decide, so that something is left to judge the fit by. */
  readonly leastRuns: number;
  readonly free: number;
  readonly decided: readonly ("E" | "A" | "B" | "alpha" | "beta")[];
  expand(free: Float64Array): Theta;
  /** The gradient by θ gathered into that by the free numbers. */
  gather(theta: Theta, free: Float64Array): void;
  /** Where searches begin. */
  starts(): Iterable<readonly number[]>;
}

type Theta = readonly [a: number, b: number, e: number, alpha: number, beta: number];

const { A, B, E, alpha: alpha0, beta: beta0 } = laws.besiroglu;
const steps = (from: number, to: number, step: number) =>
  Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step);

function* product(...ranges: readonly (readonly number[])[]): Iterable<number[]> {
  const [first, ...rest] = ranges;
  if (first === undefined) yield [];
  else for (const value of first) for (const others of product(...rest)) yield [value, ...others];
}

const models: Record<Freedom, Model> = {
  all: {
    leastRuns: 6,
    free: 5,
    decided: ["E", "A", "B", "alpha", "beta"],
    expand: ([a, b, e, alpha, beta]) => [a!, b!, e!, alpha!, beta!],
    gather: (theta, free) => free.set(theta),
    // The paper's own grid.
    starts: () => product(steps(0, 25, 5), steps(0, 25, 5), steps(-1, 1, 0.5), steps(0, 2, 0.5), steps(0, 2, 0.5)),
  },
  levels: {
    leastRuns: 4,
    free: 3,
    decided: ["E", "A", "B"],
    expand: ([a, b, e]) => [a!, b!, e!, alpha0, beta0],
    gather: (theta, free) => free.set(theta.slice(0, 3)),
    starts: () => product(steps(0, 15, 2.5), steps(0, 15, 2.5), steps(-1, 2, 0.5)),
  },
  scale: {
    leastRuns: 3,
    free: 2,
    decided: ["E", "A", "B"],
    expand: ([scale, e]) => [Math.log(A) + scale!, Math.log(B) + scale!, e!, alpha0, beta0],
    gather: ([a, b, e], free) => free.set([a + b, e]),
    starts: () => product(steps(-8, 4, 1), steps(Math.log(E) - 2, Math.log(E) + 1, 0.5)),
  },
};

interface Found {
  readonly law: ScalingLaw;
  readonly freedom: Freedom;
  readonly notes: readonly string[];
  readonly free: Float64Array;
}

/** The first of the models, from the freest on, that the runs decide. */
function fitFreest(runs: readonly RunPoint[]): Found {
  const notes: string[] = [];
  for (const freedom of ["all", "levels", "scale"] as const) {
    const lacking = whatLacks(runs, freedom);
    const free = lacking === undefined ? search(runs, models[freedom]) : undefined;
    if (free !== undefined && isSensible(models[freedom].expand(free)))
      return { law: lawOf(runs, models[freedom], free), freedom, notes, free };
    notes.push(
      `${heldFixed[freedom]}: ${lacking ?? "left free, the runs fit best where it makes no sense (E near 0, or an exponent far out): they are too short or too much alike"}`,
    );
  }
  return fail(where, `the law cannot be fitted: ${notes.at(-1)}; add finished runs of other sizes and lengths`);
}

const heldFixed: Record<Freedom, string> = {
  all: `α = ${alpha0} and β = ${beta0} are the Besiroglu refit's`,
  levels: "A / B is the Besiroglu refit's too, so predictions hold for about the runs' own tokens per parameter",
  scale: "not even the scale is decided",
};

/** A sentence on what lacks; undefined when the runs suffice. */
function whatLacks(runs: readonly RunPoint[], freedom: Freedom): string | undefined {
  const { leastRuns } = models[freedom];
  if (runs.length < leastRuns) return `${count(runs.length, "run")} where it takes ${leastRuns}`;
  const sizes = new Set(runs.map((run) => run.parameters)).size;
  const lengths = new Set(runs.map((run) => run.tokens)).size;
  if (freedom === "scale") return sizes * lengths > 1 ? undefined : "all runs have the same parameters and tokens";
  const least = freedom === "all" ? 3 : 2;
  if (sizes < least) return `${count(sizes, "size")} where it takes ${least}: add runs of another size`;
  if (lengths < least) return `${count(lengths, "number")} of tokens where it takes ${least}: add runs of another length`;
  if (Math.abs(correlation(runs)) > 0.98)
    return "larger models had more tokens in one proportion, so the two effects cannot be told apart: add runs of another proportion";
  return undefined;
}

/** Not what no text and no model could have: text that can be predicted to the last token, or size and data that do nothing. */
function isSensible([a, b, e, alpha, beta]: Theta): boolean {
  return [a, b].every(Number.isFinite) && Math.exp(e) > leastE && [alpha, beta].every((exponent) => exponent > 0.01 && exponent < 3);
}

/** The least E in nats per token; a fit that wants less has not seen the loss level off. */
const leastE = 0.01;

/** A short search from every start, then a long one from the few that came lowest: the same minimum in a fifth of the time. */
function search(runs: readonly RunPoint[], model: Model): Float64Array {
  const objective = objectiveOf(runs, model);
  const lowest = (found: readonly Minimum[]) => found.toSorted((p, q) => p.value - q.value);
  const begun = Array.from(model.starts(), (start) => minimise(objective, Float64Array.from(start), 20));
  return lowest(
    lowest(begun)
      .slice(0, 20)
      .map(({ x }) => minimise(objective, x, 1000)),
  )[0]!.x;
}

/** The residual below which the Huber loss is a square and above which it is a line, so that a run gone wrong counts little (Hoffmann et al. 2022: 10⁻³). */
const huberDelta = 1e-3;

/** Σ Huber(LSE(a − α·ln N, b − β·ln D, e) − ln L) and its gradient. */
function objectiveOf(runs: readonly RunPoint[], model: Model): Objective {
  const rows = runs.map(({ parameters, tokens, loss }) => [Math.log(parameters), Math.log(tokens), Math.log(loss)] as const);
  return (free, gradient) => {
    const [a, b, e, alpha, beta] = model.expand(free);
    const sums: [number, number, number, number, number] = [0, 0, 0, 0, 0];
    let total = 0;
    for (const [logN, logD, logL] of rows) {
      const [size, data] = [a - alpha * logN, b - beta * logD];
      const top = Math.max(size, data, e);
      const [p, q, r] = [Math.exp(size - top), Math.exp(data - top), Math.exp(e - top)];
      const sum = p + q + r;
      const residual = top + Math.log(sum) - logL;
      const slope = Math.max(-huberDelta, Math.min(huberDelta, residual));
      total += slope * (residual - slope / 2);
      const [dSize, dData] = [(slope * p) / sum, (slope * q) / sum];
      sums[0] += dSize;
      sums[1] += dData;
      sums[2] += (slope * r) / sum;
      sums[3] -= dSize * logN;
      sums[4] -= dData * logD;
    }
    model.gather(sums, gradient);
    return total;
  };
}

function lawOf(runs: readonly RunPoint[], model: Model, free: Float64Array): ScalingLaw {
  const [a, b, e, alpha, beta] = model.expand(free);
  const range = (values: readonly number[]) => [Math.min(...values), Math.max(...values)] as const;
  const [parameters, tokens] = [range(runs.map((run) => run.parameters)), range(runs.map((run) => run.tokens))];
  return {
    ...{ name: "your runs", source: "fitted here", parameters, tokens },
    ...{ E: Math.exp(e), A: Math.exp(a), B: Math.exp(b), alpha, beta },
  };
}

/** Fits to the fitted losses with residuals drawn anew, begun at the fit. */
function resample(runs: readonly RunPoint[], found: Found, residuals: readonly number[], rng: Rng, times: number): ScalingLaw[] {
  const model = models[found.freedom];
  const pool = widened(residuals, found.freedom);
  return Array.from({ length: times }, () => {
    const drawn = runs.map((run) => ({ ...run, loss: lossOf(found.law, run) * Math.exp(pool[rng.below(pool.length)]!) }));
    return lawOf(runs, model, minimise(objectiveOf(drawn, model), found.free, 300).x);
  });
}

/** Residuals of a fit are smaller than the scatter by sqrt(runs / (runs − numbers fitted)); both signs, because few are lopsided by chance. */
function widened(residuals: readonly number[], freedom: Freedom): number[] {
  const factor = Math.sqrt(residuals.length / (residuals.length - models[freedom].free));
  return residuals.flatMap((residual) => [residual * factor, -residual * factor]);
}

function intervalsOf(resampled: readonly ScalingLaw[], freedom: Freedom): LawFit["intervals"] {
  if (resampled.length === 0) return {};
  return Object.fromEntries(models[freedom].decided.map((name) => [name, central(resampled.map((law) => law[name]))]));
}

/** The middle 95 %. */
function central(values: readonly number[]): Interval {
  const sorted = values.toSorted((x, y) => x - y);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return { low: at(0.025), high: at(0.975) };
}

function correlation(runs: readonly RunPoint[]): number {
  const [x, y] = [runs.map((run) => Math.log(run.parameters)), runs.map((run) => Math.log(run.tokens))];
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(x), mean(y)];
  const covariance = (u: readonly number[], meanU: number, v: readonly number[], meanV: number) =>
    mean(u.map((value, i) => (value - meanU) * (v[i]! - meanV)));
  return covariance(x, meanX, y, meanY) / Math.sqrt(covariance(x, meanX, x, meanX) * covariance(y, meanY, y, meanY));
}

function checkRun({ parameters, tokens, loss }: RunPoint, i: number): void {
  for (const [name, value] of Object.entries({ parameters, tokens, loss }))
    check(
      Number.isFinite(value) && value > 0,
      where,
      () => `run ${i + 1} has ${name} ${value}, which must be above 0: leave it out, it has not ended well`,
    );
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}
