// Steps in a row, as a recipe lists them. Those that look at one document at a time form chains; a step over all documents stands between two.
import { z } from "zod";
import { didYouMean, fail } from "../base/index.ts";
import { parseWith } from "../schema/index.ts";
import { type CorpusStep, type CorpusStepRow, isCorpusRow } from "./corpus-step.ts";
import type { CleanDocument } from "./document.ts";
import { isDropped, type Outcome, type Step, type StepRow } from "./step.ts";
import { corpusStepRows, stepRows } from "./steps.ts";

/** A step as recipes name it: by its name alone, or with parameters. */
const stepEntry = z.union([z.string().min(1), z.record(z.string(), z.unknown())]);
/** A list of steps as recipes hold it. */
export const stepEntries = z.array(stepEntry);
/** A list of steps as recipes hold it. */
export type StepEntries = z.output<typeof stepEntries>;

/** A row of either kind. */
export type AnyStepRow = StepRow | CorpusStepRow;

/** A step of a recipe that is ready for documents. */
export interface OpenedStep<Row extends AnyStepRow, Opened> {
  readonly row: Row;
  /** The parameters with their defaults. */
  readonly parameters: unknown;
  readonly step: Opened;
}

/** A step that looks at one document at a time. */
export type ChainStep = OpenedStep<StepRow, Step>;
/** A step over all documents. */
export type OpenedCorpusStep = OpenedStep<CorpusStepRow, CorpusStep>;

/** What became of a document: the last outcome, and those of all steps that it went through. */
export interface Passage {
  readonly outcome: Outcome;
  readonly outcomes: readonly Outcome[];
}

/** Steps that look at one document at a time, in their order. */
export class Chain {
  readonly steps: readonly ChainStep[];

  constructor(steps: readonly ChainStep[]) {
    this.steps = steps;
  }

  /** The document's way through the steps, as far as it comes. */
  apply(document: CleanDocument): Passage {
    const outcomes: Outcome[] = [];
    let current = document;
    for (const { step } of this.steps) {
      const outcome = step.apply(current);
      outcomes.push(outcome);
      if (isDropped(outcome)) return { outcome, outcomes };
      current = outcome;
    }
    return { outcome: current, outcomes };
  }
}

/** One pass over the documents: what the step before found decides first, then come steps for single documents; what stays gives keys to the step behind. */
export interface Stage {
  readonly before: OpenedCorpusStep | undefined;
  readonly chain: Chain;
  readonly behind: OpenedCorpusStep | undefined;
}

/**
 * The passes that a recipe's entries take, at least one.
 * @param name what the entries came from, for messages
 * @param rows the steps that entries may name; those of this room by default
 * @throws CriaError naming the entry that is no step, or whose parameters are wrong
 */
export function openStages(
  entries: unknown,
  name = "the recipe",
  rows: readonly AnyStepRow[] = [...stepRows, ...corpusStepRows],
): readonly Stage[] {
  const stages: Stage[] = [];
  let steps: ChainStep[] = [];
  let before: OpenedCorpusStep | undefined;
  for (const [i, entry] of parseWith(stepEntries, entries, "data", name).entries()) {
    const opened = openStep(entry, `${name}: steps[${i}]`, rows);
    if (!isCorpusStep(opened)) steps.push(opened);
    else {
      stages.push({ before, chain: new Chain(steps), behind: opened });
      [before, steps] = [opened, []];
    }
  }
  return [...stages, { before, chain: new Chain(steps), behind: undefined }];
}

function openStep(entry: StepEntries[number], name: string, rows: readonly AnyStepRow[]): ChainStep | OpenedCorpusStep {
  const [called = "", given] = typeof entry === "string" ? [entry] : onlyPair(entry, name);
  const names = rows.map((row) => row.name);
  const row = rows.find((one) => one.name === called);
  if (row === undefined)
    return fail("data", `${name}: "${called}" is no step${didYouMean(called, names) || `: steps are ${names.join(", ")}`}`);
  const parameters = parseWith(row.parameters, given ?? {}, "data", `${name}.${called}`);
  return isCorpusRow(row) ? { row, parameters, step: row.openCorpus(parameters) } : { row, parameters, step: row.open(parameters) };
}

function isCorpusStep(opened: ChainStep | OpenedCorpusStep): opened is OpenedCorpusStep {
  return isCorpusRow(opened.row);
}

function onlyPair(entry: Readonly<Record<string, unknown>>, name: string): [string, unknown] {
  const [pair, ...others] = Object.entries(entry);
  if (pair === undefined || others.length > 0)
    return fail("data", `${name} has ${Object.keys(entry).length} keys: an entry is one step's name, with its parameters behind the colon`);
  return pair;
}
