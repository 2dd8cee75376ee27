// A job from a recipe's sources: their files found and cut into parts, or taken from the job as it was written down.

import { resolve } from "node:path";
import { check, type OnProgress } from "../base/index.ts";
import { expandPresets, rulesVersion, type StepEntries, stepFilesOf } from "../clean/index.ts";
import { openTexts, type SourceRecipe, type TextOptions, textParts } from "../corpus/index.ts";
import { inOrder } from "../files/index.ts";
import { isAbsent, jobFileOf, stepFileOf } from "./input-files.ts";
import type { JobFile, JobSource, PipelineJob } from "./job.ts";
import { gatherParts } from "./job-parts.ts";
import { identified, keepPlan, readPlan } from "./job-plan.ts";
import { checkLoad, taskBytesOf, threadsWithin } from "./memory.ts";
import { type OpenedSource, openSources } from "./phases.ts";
import { filesFrom } from "./step-files.ts";

const where = "data";
/** Files are cut into parts of so many bytes: small enough that many machines share a dump, large enough that starting one costs nothing. */
const usualStretch = 64 * 2 ** 20;

/** A source of a recipe, and what is done with its documents. */
export interface CleanedSource extends SourceRecipe {
  readonly steps: StepEntries;
}

/** Where a job's files are. */
export interface OpenJobOptions {
  /** The folder that relative paths of the recipe start from. */
  readonly folder?: string | undefined;
  /** The folder for intermediate files, which is made. */
  readonly work: string;
  /** Bytes of a part of a file that may be cut. @default 64 MB */
  readonly stretchBytes?: number | undefined;
  /** Bytes of memory that the run may take, from which {@link taskBytesOf} follows. */
  readonly memory?: number | undefined;
  /** Bytes of memory that a task takes for keys, tables and marks. @default what `memory` makes of it */
  readonly taskBytes?: number | undefined;
  /**
   * Whether the files are those of the job that is written down, where one is: a thousand machines need not look for 72,000 files each. Such a machine does
   * that job or refuses; one that is not of many takes the folder over with a recipe that changed.
   */
  readonly isOneOfMany?: boolean | undefined;
  /** Hears, before anything is done, what of a folder's work is kept and what is made anew, because the recipe changed. */
  readonly onChange?: ((sentence: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Is told how far downloads of remote paths are. */
  readonly progress?: OnProgress | undefined;
}

/** A job that is written down, and what there is to say about its files. */
export interface OpenedJob {
  readonly job: PipelineJob;
  /** Its sources with their steps, whose models are opened once. */
  readonly sources: readonly OpenedSource[];
  /** Sentences for people: what was passed over. */
  readonly notes: readonly string[];
}

/** @throws CriaError where files cannot be opened, steps are wrong, or the folder is of another job, naming what differs */
export async function openJob(sources: readonly CleanedSource[], options: OpenJobOptions): Promise<OpenedJob> {
  const { folder, work, isOneOfMany = false } = options;
  const base = resolve(folder ?? ".");
  const plan = isOneOfMany ? await readPlan(resolve(work)) : undefined;
  const stretchBytes = options.stretchBytes ?? plan?.stretchBytes ?? usualStretch;
  const taskBytes = options.taskBytes ?? (options.memory === undefined ? plan?.taskBytes : undefined) ?? taskBytesOf(options.memory);
  const opened: JobSource[] = [];
  const notes: string[] = [];
  const prepared = await Promise.all(sources.map((source) => stepsOf(source, base)));
  await checkThere(prepared); // Texts, which may be downloads, are looked for only then.
  for (const { source, steps, named } of prepared) {
    const { name, paths, format, field, separator, content, newlines } = source;
    const text = { format, field, separator, content, newlines };
    const found =
      plan?.sources.find((one) => one.name === name) ?? (await findFiles([paths].flat(), text, { ...options, stretchBytes, notes }));
    const stepFiles = await Promise.all(named.map(stepFileOf));
    const declared = { name, paths: [paths].flat(), files: found.files, text, parts: found.parts, steps, stepFiles };
    opened.push(identified(declared, { rules: rulesVersion, stretchBytes, taskBytes }));
  }
  const job = { rules: rulesVersion, folder: resolve(work), base, stretchBytes, taskBytes, sources: opened };
  const ready = await openSources(job); // steps that are wrong, and too little memory, are named before anything is written
  if (options.memory !== undefined) {
    checkLoad(options.memory, ready[0]?.files.mostBytes ?? 0);
    threadsWithin(1, { memory: options.memory, taskBytes, models: ready[0]?.files.bytes ?? 0 });
  }
  await keepPlan(job, options);
  return { job, sources: ready, notes: [...notes, ...ready.flatMap(stepNotes)] };
}

/** What the steps of a source say of their files. */
function stepNotes({ source, stages }: OpenedSource): readonly string[] {
  const steps = stages.flatMap(({ chain }) => chain.steps);
  return steps.flatMap(({ row, step }) => (step.notes ?? []).map((note) => `source "${source.name}", ${row.name}: ${note}`));
}

/** A source with the steps that the plan keeps: what a preset meant when the work was begun. */
interface SteppedSource {
  readonly source: CleanedSource;
  readonly steps: StepEntries;
  /** Whole paths of the files that steps name. */
  readonly named: readonly string[];
}

async function stepsOf(source: CleanedSource, base: string): Promise<SteppedSource> {
  const name = `source "${source.name}"`;
  const steps = expandPresets(source.steps, name);
  const named = await stepFilesOf(steps, { name, files: filesFrom(base) });
  return { source, steps, named: named.map((path) => resolve(base, path)) };
}

/** @throws CriaError naming all files of steps that are not there, with their sources */
async function checkThere(prepared: readonly SteppedSource[]): Promise<void> {
  const missing: string[] = [];
  for (const { source, named } of prepared)
    for (const path of named) if (await isAbsent(path)) missing.push(`${path} (source "${source.name}")`);
  check(
    missing.length === 0,
    where,
    () => `steps name what is not there: ${missing.join(", ")}: put it there, or take the steps out of the recipe`,
  );
}

type Finding = Pick<OpenJobOptions, "folder" | "signal" | "progress"> & { readonly stretchBytes: number; readonly notes: string[] };

/** The files of a source and their parts; sentences about them go to `notes`. */
async function findFiles(
  paths: readonly string[],
  text: TextOptions,
  { folder, signal, progress, stretchBytes, notes }: Finding,
): Promise<Pick<JobSource, "files" | "parts">> {
  await using texts = await openTexts(paths, text, { folder, signal, progress });
  notes.push(...texts.notes);
  const pipe = texts.files.find(({ isPipe }) => isPipe);
  check(
    pipe === undefined,
    where,
    () => `${pipe?.name}: what is cleaned is read again after a stop, which a pipe cannot be: write it to a file first`,
  );
  const parts = gatherParts(await textParts(texts.files, text, stretchBytes, where), stretchBytes);
  const files: JobFile[] = [];
  for await (const file of inOrder(texts.files.length, (i) => jobFileOf(texts.files[i]!))) files.push(file);
  return { files, parts };
}
