// What a sweep allows to say: rounds in which every contestant ran are compared; of a first round that was stopped, the runs are kept, and nothing
// is concluded from them.

import type { Section } from "./report.ts";
import type { Outcome } from "./trial.ts";

export type Head = Pick<Section, "title" | "claim" | "source">;

/** @param trials runs of a round, a seed each. No section at all where nothing was done. */
export function concluded<T>(
  head: Head,
  outcomes: readonly Outcome<T>[],
  trials: number,
  describe: (wholeRounds: readonly Outcome<T>[]) => Section,
): Section[] {
  const whole = outcomes.slice(0, outcomes.length - (outcomes.length % trials));
  if (whole.length > 0) return [describe(whole)];
  return outcomes.length === 0 ? [] : [unfinished(head, outcomes, trials)];
}

function unfinished(head: Head, outcomes: readonly Outcome[], wanted: number): Section {
  const rows = outcomes.map(({ trial, seed, steps, heldOut }) => [
    ...[trial.variant.name, trial.learningRate, trial.warmupShare, seed, steps],
    heldOut?.loss ?? "no number",
  ]);
  return {
    ...head,
    verdict: "too short to say",
    conclusion: `Stopped after ${outcomes.length} of the ${wanted} runs that a comparison takes.`,
    remarks: [],
    tables: [{ title: "runs", columns: ["", "peak learning rate", "warm-up, of the steps", "seed", "steps", "held-out loss"], rows }],
    charts: [],
  };
}
