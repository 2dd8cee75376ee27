// Steps in a row, as a recipe lists them: a document goes through until one drops it.
import { z } from "zod";
import { didYouMean, fail } from "../base/index.ts";
import { parseWith } from "../schema/index.ts";
import type { CleanDocument } from "./document.ts";
import { isDropped, type Outcome, type Step, type StepRow } from "./step.ts";
import { stepRows } from "./steps.ts";

/** A step as recipes name it: by its name alone, or with parameters. */
export const stepEntry = z.union([z.string().min(1), z.record(z.string(), z.unknown())]);
/** A list of steps as recipes hold it. */
export const stepEntries = z.array(stepEntry);

/** A step of a chain: its row, the parameters with their defaults, and the step itself. */
export interface ChainStep {
  readonly row: StepRow;
  readonly parameters: unknown;
  readonly step: Step;
}

/** What became of a document: the last outcome, and those of all steps that it went through. */
export interface Passage {
  readonly outcome: Outcome;
  readonly outcomes: readonly Outcome[];
}

/** Steps that are ready for documents, in their order. */
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

/**
 * The chain of a recipe's entries.
 * @param name what the entries came from, for messages
 * @param rows the steps that entries may name; those of this room by default
 * @throws CriaError naming the entry that is no step, or whose parameters are wrong
 */
export function openChain(entries: unknown, name = "the recipe", rows: readonly StepRow[] = stepRows): Chain {
  return new Chain(parseWith(stepEntries, entries, "data", name).map((entry, i) => openStep(entry, `${name}: steps[${i}]`, rows)));
}

function openStep(entry: z.output<typeof stepEntry>, name: string, rows: readonly StepRow[]): ChainStep {
  const [called = "", given = {}] = typeof entry === "string" ? [entry] : onlyPair(entry, name);
  const names = rows.map((row) => row.name);
  const row = rows.find((one) => one.name === called);
  if (row === undefined)
    return fail("data", `${name}: "${called}" is no step${didYouMean(called, names) || `: steps are ${names.join(", ")}`}`);
  const parameters = parseWith(row.parameters, given ?? {}, "data", `${name}.${called}`);
  return { row, parameters, step: row.open(parameters) };
}

function onlyPair(entry: Readonly<Record<string, unknown>>, name: string): [string, unknown] {
  const [pair, ...others] = Object.entries(entry);
  if (pair === undefined || others.length > 0)
    return fail("data", `${name} has ${Object.keys(entry).length} keys: an entry is one step's name, with its parameters behind the colon`);
  return pair;
}
