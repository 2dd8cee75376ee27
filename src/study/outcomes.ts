// What every judge asks of the outcomes of a sweep.
import type { Outcome } from "./trial.ts";

/** Whether any run has learnt more than how frequent each token is: before that, differences mean nothing. */
export function hasLearnt(outcomes: readonly Outcome[]): boolean {
  return outcomes.some(({ heldOut, trial }) => heldOut !== undefined && heldOut.loss < trial.variant.text.unigramLoss - 0.5);
}

/** Held-out loss in nats per token; for a run that diverged, the unigram baseline. */
export function lossOf({ heldOut, trial }: Outcome): number {
  return heldOut?.loss ?? trial.variant.text.unigramLoss;
}

/** A run that diverged (NaN): the name of its variant, and its seed. */
export interface DivergedRun {
  readonly name: string;
  readonly seed: number;
}

/** The runs whose loss diverged (NaN). */
export function divergedRuns(outcomes: readonly Outcome[]): DivergedRun[] {
  return outcomes.filter(({ heldOut }) => heldOut === undefined).map(({ trial, seed }) => ({ name: trial.variant.name, seed }));
}
