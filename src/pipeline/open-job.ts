// A job from a recipe's sources: their files found and cut into parts. What is done is written down beside it, so that a later run or another machine
// does the same, or hears what differs.
import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { check, fail, type OnProgress } from "../base/index.ts";
import { expandPresets, rulesVersion, type StepEntries, stepFilesOf } from "../clean/index.ts";
import { openTexts, type SourceRecipe, type TextFile, textParts } from "../corpus/index.ts";
import { atomicWriteJson, explainIo, makeFolder } from "../files/index.ts";
import type { JobFile, JobSource, PipelineJob } from "./job.ts";
import { filesFrom, type OpenedSource, openSources } from "./phases.ts";

const where = "data";
const planName = "plan.json";
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
  /** Whether the job is written down in its folder, as it must be before it runs. @default true */
  readonly isKept?: boolean | undefined;
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
export async function openJob(
  sources: readonly CleanedSource[],
  { folder, work, stretchBytes = usualStretch, isKept = true, signal, progress }: OpenJobOptions,
): Promise<OpenedJob> {
  const base = resolve(folder ?? ".");
  const opened: JobSource[] = [];
  const notes: string[] = [];
  for (const { name, paths, steps: entries, format, field, separator, newlines } of sources) {
    const steps = expandPresets(entries, `source "${name}"`); // the plan keeps what a preset meant when it was begun
    const text = { format, field, separator, newlines };
    await using texts = await openTexts([paths].flat(), text, { folder, signal, progress });
    notes.push(...texts.notes);
    const pipe = texts.files.find(({ isPipe }) => isPipe);
    check(
      pipe === undefined,
      where,
      () => `${pipe?.name}: what is cleaned is read again after a stop, which a pipe cannot be: write it to a file first`,
    );
    const parts = await textParts(texts.files, text, stretchBytes, where);
    const files = await Promise.all(texts.files.map(jobFile));
    const named = await stepFilesOf(steps, { name: `source "${name}"`, files: filesFrom(base) });
    const stepFiles = await Promise.all(named.map((path) => stepFile(resolve(base, path))));
    opened.push({ name, files, text, parts, steps, stepFiles });
  }
  const job = { rules: rulesVersion, folder: resolve(work), base, stretchBytes, sources: opened };
  const ready = await openSources(job); // steps that are wrong are named before anything is written
  if (isKept) await writePlan(job);
  return { job, sources: ready, notes };
}

async function jobFile({ path, name, label, form, root }: TextFile): Promise<JobFile> {
  return { ...(await stepFile(resolve(path))), name, label, form: form.name, root: resolve(root) };
}

async function stepFile(path: string): Promise<JobSource["stepFiles"][number]> {
  const { size, mtimeMs } = await stat(path).catch((error) => Promise.reject(explainIo(where, path, error)));
  return { path, name: path, bytes: size, changed: mtimeMs };
}

async function writePlan(job: PipelineJob): Promise<void> {
  const path = join(job.folder, planName);
  await makeFolder(job.folder, where);
  // Another process writes the plan first of all: what stands here without one is no work of ours.
  const others = (await readdir(job.folder)).filter((name) => !name.startsWith(planName));
  const mine: PipelineJob = JSON.parse(JSON.stringify({ ...job, folder: ".", base: "." }));
  const known = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw explainIo(where, path, error);
  });
  check(
    known !== undefined || others.length === 0,
    where,
    () => `${job.folder} holds ${others[0]}, but is to be the folder of intermediate files, which goes in the end: name another one`,
  );
  if (known === undefined) return atomicWriteJson(path, mine, where);
  if (known === `${JSON.stringify(mine, null, 2)}\n`) return;
  fail(where, `${job.folder}: ${difference(known, mine)}: undo that, or remove the folder to begin anew`);
}

/** What is other than when the folder was begun. */
function difference(known: string, mine: PipelineJob): string {
  const plan = parsed(known);
  const there = plan?.sources;
  if (!Array.isArray(there)) return `its ${planName} says nothing that this version knows`;
  if (plan?.rules !== mine.rules)
    return `steps decide by version ${mine.rules} of their rules, but it was begun by version ${plan?.rules ?? 1}`;
  for (const [i, source] of mine.sources.entries()) {
    const before: Partial<JobSource> = there[i] ?? {};
    if (before.name === undefined) return `source "${source.name}" is new since it was begun`;
    if (before.name !== source.name) return `source ${i} is "${source.name}", but was "${before.name}" when it was begun`;
    for (const key of ["steps", "text"] as const)
      if (JSON.stringify(before[key]) !== JSON.stringify(source[key]))
        return `the ${key === "text" ? "form" : key} of source "${source.name}" changed since it was begun`;
    const filesBefore = [...(before.files ?? []), ...(before.stepFiles ?? [])];
    for (const [k, file] of [...source.files, ...source.stepFiles].entries())
      if (JSON.stringify(filesBefore[k]) !== JSON.stringify(file)) return `${file.path} is new or was changed since it was begun`;
  }
  return "its sources or the size of their parts are others than when it was begun";
}

function parsed(text: string): Partial<PipelineJob> | undefined {
  try {
    return JSON.parse(text) as Partial<PipelineJob>;
  } catch {
    return undefined;
  }
}
