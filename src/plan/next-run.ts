// The law fitted to one's own runs, and the size to go on with.
import type { LawFit, RunPoint } from "./fit-law.ts";
import { trainingFlops } from "./law.ts";
import type { Asked } from "./question.ts";

/** How much more than the largest run the next one takes where nothing is asked for. */
export const stepUp = 10;

/** A finished run as a point of a law. */
export interface NamedRun extends RunPoint {
  readonly name: string;
  readonly vocabSize: number;
}

/** A law that was fitted to runs. */
export interface RunsFit<Run extends NamedRun = NamedRun> {
  readonly runs: readonly Run[];
  readonly fit: LawFit;
}

/** Asks by the fitted law; where nothing is asked for, it is ten times the operations of the largest run. */
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
