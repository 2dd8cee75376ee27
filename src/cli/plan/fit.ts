// The law fitted to one's own runs, shown.
import { amount, exponent, fitLaw, type LawFit, lossOf, predictLoss, type RunsFit, type Solution, short } from "../../plan/index.ts";
import { type FinishedRun, readFinishedRuns, type UnfinishedRun } from "../../runs/index.ts";
import { type Printer, printer, type Row } from "./text.ts";

/** The law of runs in folders. */
export interface FoldersFit extends RunsFit<FinishedRun> {
  /** Found in a folder and left out. */
  readonly unfinished: readonly UnfinishedRun[];
}

/** @throws CriaError when the folders hold no finished runs, or too few */
export async function fitRuns(folders: readonly string[]): Promise<FoldersFit> {
  const { runs, unfinished } = await readFinishedRuns(folders);
  return { runs, unfinished, fit: fitLaw(runs) };
}

/** @param warnings what the runs say against the law; @param plan what the law then says of it, where there is one */
export function showFit(fitted: FoldersFit, warnings: readonly string[], width: number, plan?: Solution): string {
  const print = printer(width);
  return [showRuns(fitted, warnings, print), showLaw(fitted, print), ...(plan ? [showPrediction(fitted.fit, plan, print)] : [])].join("\n");
}

function showRuns({ runs, unfinished, fit }: FoldersFit, warnings: readonly string[], print: Printer): string {
  const rows = runs.map(
    (run, i): Row => [
      ...[run.name, amount(run.parameters), amount(run.tokens), run.loss.toFixed(4), lossOf(fit.law, run).toFixed(4)],
      `${(100 * Math.expm1(fit.residuals[i]!)).toFixed(2)} %`,
    ],
  );
  const doubts = warnings.length === 0 ? "" : `${warnings.map(print.title).join("")}\n`;
  const notes = unfinished.map(
    ({ name, step, steps }) => `${name} is left out: it is at step ${step} of ${steps}, and an unfinished run says too little`,
  );
  const heads = ["run", "N", "D", "loss", "fitted", "off by"];
  return doubts + print.table(`your runs, by their final loss on ${runs[0]!.lossOf}`, [heads, ...rows]) + notes.map(print.note).join("");
}

function showLaw({ fit }: RunsFit, print: Printer): string {
  const numbers = (["E", "A", "B", "alpha", "beta"] as const).map((name): Row => {
    const interval = fit.intervals[name];
    const range = interval ? `95 %: ${short(interval.low)} to ${short(interval.high)}` : fit.resampled.length > 0 ? "held fixed" : "";
    return [name, short(fit.law[name]), range];
  });
  const title = "their law, L(N, D) = E + A/N^alpha + B/D^beta (Huber loss on logarithms by L-BFGS: Hoffmann et al. 2022, appendix D.3)";
  const meaning = `95 %: of ${fit.resampled.length} fits to these runs with their distances from the fit dealt out anew, the middle 95 % lie there`;
  const notes = [...(fit.resampled.length > 0 ? [meaning] : []), ...fit.notes];
  return print.table(title, numbers) + notes.map(print.note).join("");
}

function showPrediction(fit: LawFit, next: Solution, print: Printer): string {
  const { loss, low, high } = predictLoss(fit, next);
  const title = `prediction: ${amount(next.parameters)} parameters on ${amount(next.tokens)} tokens (${exponent(next.flops)} operations) end at loss ${loss.toFixed(3)}`;
  if (low === undefined) return print.title(title);
  const range = `95 % of such runs should end between ${low.toFixed(3)} and ${high!.toFixed(3)}: by the spread of those fits and the runs' own scatter`;
  return print.title(title) + print.note(range);
}
