// The law fitted to one's own runs, and the size to go on with.
import { amount, exponent, fitLaw, type LawFit, lossOf, predictLoss, type Solution, short, trainingFlops } from "../../plan/index.ts";
import type { Asked } from "./ask.ts";
import { type Run, readRuns } from "./read-run.ts";
import { type Row, table } from "./text.ts";

export interface RunsFit {
  readonly runs: readonly Run[];
  readonly fit: LawFit;
}

/** How much more than the largest run the next one takes where nothing is asked for. */
const stepUp = 10;

/** @throws CriaError when the folders hold no finished runs, or too few */
export async function fitRuns(folders: readonly string[]): Promise<RunsFit> {
  const runs = await readRuns(folders);
  return { runs, fit: fitLaw(runs) };
}

/** By the fitted law; where nothing is asked for, ten times the operations of the largest run. */
export function askNext(asked: Asked, { runs, fit }: RunsFit): Asked {
  const isAsked = asked.budget !== undefined || Object.keys(asked.given).length > 0;
  const most = Math.max(...runs.map(trainingFlops));
  return {
    ...asked,
    law: fit.law,
    vocabSize: runs[0]!.vocabSize,
    ...(!isAsked && { budget: { kind: "operations", value: stepUp * most, timesLargest: stepUp } }),
  };
}

/** @param plan what the law then says of it */
export function showFit({ runs, fit }: RunsFit, plan: Solution): string {
  const rows = runs.map(
    (run, i): Row => [
      ...[run.name, amount(run.parameters), amount(run.tokens), run.loss.toFixed(4), lossOf(fit.law, run).toFixed(4)],
      `${(100 * Math.expm1(fit.residuals[i]!)).toFixed(2)} %`,
    ],
  );
  const read = table(`your runs, by their final loss on ${runs[0]!.lossOf}`, [["run", "N", "D", "loss", "fitted", "off by"], ...rows]);
  const numbers = (["E", "A", "B", "alpha", "beta"] as const).map((name): Row => {
    const interval = fit.intervals[name];
    const range = interval ? `95 %: ${short(interval.low)} to ${short(interval.high)}` : fit.resampled.length > 0 ? "held fixed" : "";
    return [name, short(fit.law[name]), range];
  });
  const title = "their law, L(N, D) = E + A/N^alpha + B/D^beta (Huber loss on logarithms by L-BFGS: Hoffmann et al. 2022, appendix D.3)";
  const meaning =
    fit.resampled.length === 0
      ? ""
      : `  95 %: of ${fit.resampled.length} fits to these runs with their distances from the fit dealt out anew, the middle 95 % lie there\n`;
  const notes = fit.notes.map((note) => `  ${note}\n`).join("");
  return `${read}\n${table(title, numbers)}${meaning}${notes}\n${showPrediction(fit, plan)}`;
}

function showPrediction(fit: LawFit, next: Solution): string {
  const { loss, low, high } = predictLoss(fit, next);
  const range =
    low === undefined
      ? ""
      : `\n  95 % of such runs should end between ${low.toFixed(3)} and ${high!.toFixed(3)}: by the spread of those fits and the runs' own scatter`;
  return `prediction: ${amount(next.parameters)} parameters on ${amount(next.tokens)} tokens (${exponent(next.flops)} operations) end at loss ${loss.toFixed(3)}${range}\n`;
}
