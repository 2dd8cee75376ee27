// Planted truths: documents whose fact `truth` says what should become of them are counted by what did. The fact is "kept", or the name of the step that should
// drop the document, with or without the reason: "dedupNear", "gopherQuality.fewWords".
import type { Stage } from "../clean/index.ts";
import type { SourceReport } from "./report.ts";

/** How well a step finds what was planted for it, of documents that have a truth. */
export interface StepTruth {
  /** The step; "any step" for what goes at all against what stays. */
  readonly step: string;
  /** Documents that it should drop. */
  readonly planted: number;
  /** Documents that it dropped. */
  readonly dropped: number;
  /** Documents that it should drop and did. */
  readonly right: number;
  /** The share of what it dropped that it should drop; NaN where it dropped none. */
  readonly precision: number;
  /** The share of what it should drop that it did, of which an earlier step may have taken some; NaN where nothing was planted. */
  readonly recall: number;
}

const kept = "kept";

/** A row per step that truths name or that dropped a document with a truth, in the order of the steps, and one for all. */
export function judgeTruths({ truths, steps }: Pick<SourceReport, "truths" | "steps">): readonly StepTruth[] {
  const cells = Object.entries(truths).flatMap(([truth, became]) =>
    Object.entries(became).map(([what, documents]) => ({ truth, what, documents })),
  );
  if (cells.length === 0) return [];
  const names = [...new Set(steps.map(({ name }) => name))];
  const rows = names.map((step) =>
    judged(
      step,
      cells,
      (said) => stepOf(said) === step,
      (truth, what) => isOf(what, truth),
    ),
  );
  const all = judged(
    "any step",
    cells,
    (said) => said !== kept,
    (_, what) => what !== kept,
  );
  return [...rows.filter(({ planted, dropped }) => planted + dropped > 0), all];
}

/** All that a truth may be in a source: "kept", a step, and a step with one of its reasons. Others are counted as stray, since their number has no bound. */
export function truthsOf(stages: readonly Pick<Stage, "before" | "chain">[]): ReadonlySet<string> {
  const rows = stages.flatMap(({ before, chain }) => [before, ...chain.steps].flatMap((step) => step?.row ?? []));
  return new Set([kept, ...rows.flatMap(({ name, reasons }) => [name, ...Object.keys(reasons).map((reason) => `${name}.${reason}`)])]);
}

interface Cell {
  readonly truth: string;
  /** What became of the documents. */
  readonly what: string;
  readonly documents: number;
}

/** @param isIts whether a truth, or what became of a document, is the row's @param isRight whether what became of a document is what a truth of the row says */
function judged(
  step: string,
  cells: readonly Cell[],
  isIts: (said: string) => boolean,
  isRight: (truth: string, what: string) => boolean,
): StepTruth {
  const sum = (holds: (cell: Cell) => boolean) => cells.reduce((total, cell) => total + (holds(cell) ? cell.documents : 0), 0);
  const planted = sum(({ truth }) => isIts(truth));
  const dropped = sum(({ what }) => isIts(what));
  const right = sum(({ truth, what }) => isIts(truth) && isIts(what) && isRight(truth, what));
  return { step, planted, dropped, right, precision: right / dropped, recall: right / planted };
}

function stepOf(said: string): string {
  return said.split(".", 1)[0] ?? said;
}

function isOf(what: string, truth: string): boolean {
  return what === truth || what.startsWith(`${truth}.`);
}
