// Whether a fitted law may be believed: what its own runs say against it.
import { amount, digits, exponent, short } from "./amount.ts";
import { predictLoss } from "./fit-law.ts";
import { lossOf, optimumForCompute, trainingFlops } from "./law.ts";
import { type NamedRun, type RunsFit, stepUp } from "./next-run.ts";
import type { Solution } from "./solve.ts";

/** What runs say against a law that was fitted to them. */
export interface Judgement {
  /** A sentence each, without a full stop. */
  readonly warnings: readonly string[];
  /** The runs show that the law does not hold: nothing can be planned by it. */
  readonly isRefuted: boolean;
}

/** What is said of a law that its own runs refute. */
export const refuted = "this law does not hold for these runs: add longer ones";

/** Judges a fit by the runs and the fit alone. */
export function judgeFit(fitted: RunsFit): Judgement {
  const refutations = [...idleTerms(fitted), lossBelowE(fitted), noBetterFor(fitted)].filter((one) => one !== undefined);
  const missed = missesLargest(fitted);
  return { warnings: [...refutations, ...(missed ? [missed] : [])], isRefuted: refutations.length > 0 };
}

/** What is doubtful in the prediction of this plan. */
export function judgePrediction({ runs, fit }: RunsFit, plan: Solution): string[] {
  const best = bestOf(runs);
  const { loss, low, high } = predictLoss(fit, plan);
  const isMore = plan.flops > Math.max(...runs.map(trainingFlops));
  return [
    ...(isMore && loss >= best.loss
      ? [
          `a loss of ${digits(loss)} is predicted for more operations than any run's, but ${best.name} reached ${digits(best.loss)} with fewer: the plan is no step forward, or the law does not hold that far`,
        ]
      : []),
    ...(low !== undefined && high! - low > widest * loss
      ? [
          `the prediction is loose: its 95 % reach from ${low.toFixed(3)} to ${high!.toFixed(3)}, ${percentOf((high! - low) / loss)} of the loss: add runs, longer and of more sizes`,
        ]
      : []),
  ];
}

/** The widest interval as a share of the loss; a prediction with a wider interval says little. */
const widest = 0.1;

/** A share of the loss: a term that moves it by less over all runs was not seen to do anything. */
const idle = 1e-3;

/** A law without one of its terms calls for no size or no tokens at all. */
function idleTerms({ runs, fit: { law } }: RunsFit): string[] {
  const does = (name: string, term: (run: NamedRun) => number) => {
    const values = runs.map(term);
    const moved = Math.max(...values) - Math.min(...values);
    return moved < idle * bestOf(runs).loss
      ? [`these runs do not show that ${name}: over all of them it moves the fitted loss by ${digits(moved)}`]
      : [];
  };
  return [
    ...does("size matters", ({ parameters }) => law.A / parameters ** law.alpha),
    ...does("tokens matter", ({ tokens }) => law.B / tokens ** law.beta),
  ];
}

function lossBelowE({ runs, fit }: RunsFit): string | undefined {
  const best = bestOf(runs);
  if (best.loss >= fit.law.E) return undefined;
  return `by the law no model of this text gets below E = ${digits(fit.law.E)}, but ${best.name} ended at ${digits(best.loss)}`;
}

function noBetterFor({ runs, fit: { law } }: RunsFit): string | undefined {
  const best = bestOf(runs);
  const flops = stepUp * Math.max(...runs.map(trainingFlops));
  const next = optimumForCompute(law, flops);
  const loss = lossOf(law, next);
  if (loss < best.loss) return undefined;
  return `for ${stepUp} times the operations of the largest run, ${exponent(flops)}, the law predicts ${digits(loss)} at best (with ${amount(next.parameters)} parameters), but ${best.name} has reached ${digits(best.loss)} already`;
}

/** So many times the others' distance from the fit is no scatter any more. */
const far = 3;
/** The fit's own threshold, in units of ln: what is nearer counts in full. */
const nearest = 1e-3;

/** The fit counts a run that lies far off but little, which is right for one gone wrong and misleading for the one that matters most. */
function missesLargest({ runs, fit: { residuals } }: RunsFit): string | undefined {
  const flops = runs.map(trainingFlops);
  const largest = flops.indexOf(Math.max(...flops));
  // Its repetitions with other seeds are no judges of it.
  const others = residuals.filter((_, i) => runs[i]!.parameters !== runs[largest]!.parameters || runs[i]!.tokens !== runs[largest]!.tokens);
  const scatter = Math.sqrt(others.reduce((sum, one) => sum + one ** 2, 0) / others.length);
  const miss = Math.abs(residuals[largest]!);
  if (miss <= far * Math.max(scatter, nearest)) return undefined;
  return `the largest run, ${runs[largest]!.name}, misses the law by ${percentOf(Math.expm1(miss))}, the others by ${percentOf(scatter)}: the fit has set it aside as an outlier, but it is the nearest to any larger one`;
}

function bestOf(runs: readonly NamedRun[]): NamedRun {
  return runs.reduce((best, run) => (run.loss < best.loss ? run : best));
}

function percentOf(share: number): string {
  return `${short(100 * share)} %`;
}
