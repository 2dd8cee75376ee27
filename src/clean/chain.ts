// Steps in a row, as a recipe lists them. Those that look at one document at a time form chains; a step over all documents, or one that cuts them, stands
// between two.
import { z } from "zod";
import { CriaError, didYouMean, fail } from "../base/index.ts";
import { parseWith } from "../schema/index.ts";
import { type CorpusStep, type CorpusStepRow, isCorpusRow } from "./corpus-step.ts";
import type { CutStep, CutStepRow } from "./cut-step.ts";
import type { CleanDocument, Facts } from "./document.ts";
import { expandPresets } from "./presets.ts";
import { isDropped, type Outcome, type Step, type StepFiles, type StepRow } from "./step.ts";
import { corpusStepRows, cutStepRows, stepRows } from "./steps.ts";

/** A step as recipes name it: by its name alone, or with parameters; or a preset, with its files beside its name. */
const stepEntry = z.union([z.string().min(1), z.record(z.string(), z.unknown())]);
/** A list of steps as recipes hold it. */
export const stepEntries = z.array(stepEntry);
/** A list of steps as recipes hold it. */
export type StepEntries = z.output<typeof stepEntries>;

/** A row of any kind. */
export type AnyStepRow = StepRow | CutStepRow | CorpusStepRow;

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
export type OpenedCorpusStep = OpenedStep<AnyStepRow, CorpusStep>;
/** A step that makes several documents of one. */
export type OpenedCutStep = OpenedStep<CutStepRow, CutStep>;

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
    for (const one of this.steps) {
      const outcome = applyStep(one, current);
      outcomes.push(outcome);
      if (isDropped(outcome)) return { outcome, outcomes };
      current = outcome;
    }
    return { outcome: current, outcomes };
  }
}

/** What a step makes of a document. @throws CriaError naming the step, where it fails or makes no outcome */
export function applyStep({ row, step }: ChainStep, document: CleanDocument): Outcome {
  return checkedOutcome(row, document, () => step.apply(document));
}

/** The outcome that a step gives for a document. @throws CriaError naming the step, where it fails or gives none */
export function checkedOutcome(row: AnyStepRow, document: CleanDocument, give: () => Outcome): Outcome {
  try {
    const outcome = give();
    checkOutcome(row, outcome, document);
    return outcome;
  } catch (error) {
    if (error instanceof CriaError) throw error;
    return fail("data", `the step ${row.name} fails: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Steps that people write need not be typed: what a report could not hold in the end stops the work at the first document. */
function checkOutcome({ name, reasons }: AnyStepRow, outcome: Outcome, before: CleanDocument): void {
  if (typeof outcome !== "object" || outcome === null || !(isDropped(outcome) || typeof outcome.text === "string"))
    fail(
      "data",
      `the step ${name} gives no outcome but ${String(outcome)}: return the document, document.withText(…), or { reason }, without await`,
    );
  if (!isDropped(outcome)) return outcome.facts === before.facts ? undefined : checkNumbers(name, outcome.facts);
  const { reason, measured, limit } = outcome;
  if (!Object.hasOwn(reasons, reason)) {
    const known = Object.keys(reasons).join(", ") || "none";
    fail("data", `the step ${name} drops a document by the reason "${reason}", but its reasons are ${known}: add a sentence for it`);
  }
  checkNumbers(name, { measured, limit });
}

function checkNumbers(name: string, numbers: Facts): void {
  for (const key in numbers)
    if (typeof numbers[key] === "number" && !Number.isFinite(numbers[key]))
      fail(
        "data",
        `the step ${name} gives ${numbers[key]} for "${key}", but it must be a finite number: ask first whether there is something to divide by`,
      );
}

/**
 * One pass over the documents: each is cut, or what the step before found decides about it, then come steps for single documents; what stays gives keys or
 * measures to the step behind.
 */
export interface Stage {
  readonly cut: OpenedCutStep | undefined;
  readonly before: OpenedCorpusStep | undefined;
  readonly chain: Chain;
  readonly behind: OpenedCorpusStep | undefined;
}

/** What entries came from, and what they may name. */
export interface OpenStagesOptions {
  /** What messages call the recipe. */
  readonly name?: string;
  /** @default the steps of this room */
  readonly rows?: readonly AnyStepRow[];
  /** Files of steps; without it a step that names one is refused. */
  readonly files?: StepFiles;
}

const allRows: readonly AnyStepRow[] = [...stepRows, ...cutStepRows, ...corpusStepRows];

const noFiles: StepFiles = { read: async (path) => fail("data", `${path}: there are no files here: leave out the step that names it`) };

/** The files that entries name, in their order. @throws CriaError as {@link openStages} does for the entries */
export async function stepFilesOf(entries: unknown, options: OpenStagesOptions = {}): Promise<readonly string[]> {
  const steps = await parsedSteps(entries, options);
  return steps.flatMap(({ row, parameters, module }) => {
    const named = "open" in row ? (row.files?.(parameters) ?? []) : [];
    return module === undefined ? named : [module, ...named];
  });
}

/**
 * The passes that a recipe's entries take, at least one.
 * @throws CriaError naming the entry that is no step, or whose parameters are wrong, and where a file of a step cannot be read
 */
export async function openStages(entries: unknown, options: OpenStagesOptions = {}): Promise<readonly Stage[]> {
  const { files = noFiles } = options;
  const stages: Stage[] = [];
  let steps: ChainStep[] = [];
  let begins: Pick<Stage, "cut" | "before"> = { cut: undefined, before: undefined };
  for (const { row, parameters } of await parsedSteps(entries, options)) {
    if ("openCut" in row) {
      const isFirst = steps.length === 0 && begins.cut === undefined && begins.before === undefined;
      if (!isFirst) stages.push({ ...begins, chain: new Chain(steps), behind: undefined });
      [begins, steps] = [{ cut: { row, parameters, step: row.openCut(parameters) }, before: undefined }, []];
      continue;
    }
    const overAll = isCorpusRow(row) ? row.openCorpus(parameters) : await row.openStatistic?.(parameters, files);
    if (overAll !== undefined) {
      const behind = { row, parameters, step: overAll };
      stages.push({ ...begins, chain: new Chain(steps), behind });
      [begins, steps] = [{ cut: undefined, before: behind }, []];
    } else if (!isCorpusRow(row)) steps.push({ row, parameters, step: await row.open(parameters, files) });
  }
  return [...stages, { ...begins, chain: new Chain(steps), behind: undefined }];
}

interface ParsedStep {
  readonly row: AnyStepRow;
  readonly parameters: unknown;
  /** The module that the row is from, where it is none of ours. */
  readonly module?: string;
}

async function parsedSteps(entries: unknown, options: OpenStagesOptions): Promise<readonly ParsedStep[]> {
  const { name = "the recipe" } = options;
  const steps = expandPresets(parseWith(stepEntries, entries, "data", name), name);
  return Promise.all(steps.map((entry, i) => parsedStep(entry, `${name}: steps[${i}]`, options)));
}

/** A step that is named by a path is what a module there exports by default. */
const modulePath = /^(?:\.{0,2}\/|[A-Za-z]:[\\/]).*\.[cm]?[jt]s$/;

async function parsedStep(
  entry: StepEntries[number],
  name: string,
  { rows = allRows, files = noFiles }: OpenStagesOptions,
): Promise<ParsedStep> {
  const [called = "", given] = typeof entry === "string" ? [entry] : onlyPair(entry, name);
  const isModule = modulePath.test(called);
  const row = isModule ? await rowOfModule(called, name, files) : rows.find((one) => one.name === called);
  if (row === undefined) {
    const names = rows.map((one) => one.name);
    const known = didYouMean(called, names) || `: steps are ${names.join(", ")}, and modules by their paths, such as ./my-step.mjs`;
    return fail("data", `${name}: "${called}" is no step${known}`);
  }
  const parameters = parseWith(row.parameters, given ?? {}, "data", `${name}.${called}`);
  return { row, parameters, ...(isModule && { module: called }) };
}

async function rowOfModule(path: string, name: string, files: StepFiles): Promise<AnyStepRow> {
  if (files.module === undefined) return fail("data", `${name}: ${path} is a module, and none can be loaded here: leave out the step`);
  const found = await files.module(path);
  return isRow(found) ? found : fail("data", `${name}: ${path} exports no step by default: export documentStep({ name, summary, apply })`);
}

function isRow(value: unknown): value is AnyStepRow {
  return (
    typeof value === "object" && value !== null && "parameters" in value && ["open", "openCut", "openCorpus"].some((key) => key in value)
  );
}

function onlyPair(entry: Readonly<Record<string, unknown>>, name: string): [string, unknown] {
  const [pair, ...others] = Object.entries(entry);
  if (pair === undefined || others.length > 0)
    return fail("data", `${name} has ${Object.keys(entry).length} keys: an entry is one step's name, with its parameters behind the colon`);
  return pair;
}
