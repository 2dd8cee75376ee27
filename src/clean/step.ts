// A step of cleaning: a row with its name, its parameters and their sources, and what it does with one document. A person writes one in ten lines.
import { z } from "zod";
import type { StatisticStep } from "./corpus-step.ts";
import type { CleanDocument } from "./document.ts";

/** Why a document goes, with what was measured and the parameter's value that it was held against. */
export interface Dropped {
  /** One of the row's `reasons`. */
  readonly reason: string;
  readonly measured?: number | string;
  readonly limit?: number | string;
  /** What of a list was found in the document, such as items of a test: reports tell how many documents each was found in. */
  readonly found?: readonly string[];
}

/** What a step makes of a document: the document itself, another one in its place, or a reason why it goes. */
export type Outcome = CleanDocument | Dropped;

/** A step with its parameters set, which looks at one document after another. */
export interface Step {
  /** Sentences for people about what its files hold, such as what is passed over of them. */
  readonly notes?: readonly string[];
  apply(document: CleanDocument): Outcome;
}

/** Files that steps read, such as models, by the paths that a recipe has. */
export interface StepFiles {
  /** All of a file. @throws CriaError when it cannot be read */
  read(path: string): Promise<Uint8Array>;
  /**
   * What a file becomes, once for all threads of a run: plain data, whose large arrays lie in shared memory. What makes it may write over the bytes.
   * Where a run has no threads that share files, it is absent.
   * @param kind what the file becomes, which is made once per file and kind
   */
  made?<T>(path: string, kind: string, make: (bytes: Uint8Array) => T): Promise<T>;
  /** What a module exports by default, where modules can be loaded. @throws CriaError when it cannot be loaded */
  module?(path: string): Promise<unknown>;
}

/** What a step may do with a document: drop it, change its text, find out a fact about it, or make several of it. */
export type Deed = "drops" | "rewrites" | "finds" | "cuts";

/** A kind of step. @template Parameters what a recipe may set, with defaults */
export interface StepRow<Parameters extends z.ZodType = z.ZodType> {
  /** What recipes call it. */
  readonly name: string;
  /** A sentence for help and reports. */
  readonly summary: string;
  /** Where the rule and the defaults of its parameters stand: paper and section, or a program and its version. */
  readonly source: string;
  readonly deeds: readonly Deed[];
  /** Every reason with the sentence that reports tell. */
  readonly reasons: Readonly<Record<string, string>>;
  /** The parameter, called min… or max…, that each reason holds its measure against: where a document stands near one, people are shown it. */
  readonly limits?: Readonly<Record<string, string>>;
  /** The parameters; each key has a description. */
  readonly parameters: Parameters;
  /** The files that parameters name; none when absent. */
  files?(parameters: z.output<Parameters>): readonly string[];
  /** Makes the step ready for documents. @throws CriaError where parameters contradict each other, or a file cannot be read */
  open(parameters: z.output<Parameters>, files: StepFiles): Step | Promise<Step>;
  /** Makes it a step over all documents where the parameters ask for one, instead of `open`. @throws CriaError as `open` does */
  openStatistic?(parameters: z.output<Parameters>, files: StepFiles): Promise<StatisticStep> | undefined;
}

/** A row whose parameters are typed by its schema. */
export function stepRow<Parameters extends z.ZodType>(row: StepRow<Parameters>): StepRow<Parameters> {
  return row;
}

/** A step without parameters, as people write their own. */
export interface DocumentStep extends Step {
  readonly name: string;
  readonly summary: string;
  /** Every reason with the sentence that reports tell; none where the step drops nothing. */
  readonly reasons?: Readonly<Record<string, string>>;
}

/** The row of a step without parameters: what a module of a recipe exports by default. */
export function documentStep({ name, summary, reasons = {}, apply }: DocumentStep): StepRow {
  return {
    ...{ name, summary, reasons, source: "the recipe's own", deeds: Object.keys(reasons).length > 0 ? ["drops"] : ["rewrites"] },
    parameters: z.strictObject({}),
    open: () => ({ apply }),
  };
}

/** Whether a step dropped the document. */
export function isDropped(outcome: Outcome): outcome is Dropped {
  return "reason" in outcome;
}
