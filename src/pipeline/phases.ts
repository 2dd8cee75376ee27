// The phases of a pipeline: passes over the documents, and between two of them the comparison of what all documents gave. A phase is a list of tasks that
// need not wait for each other; a task is done when its file is there.
import { join } from "node:path";
import { isClusterStep, isStatisticStep, type KeyStep, type OpenedCorpusStep, openStages, type Stage } from "../clean/index.ts";
import { textBytesOf } from "../corpus/index.ts";
import type { JobSource, PipelineJob } from "./job.ts";
import { SharedStepFiles } from "./step-files.ts";

/** One piece of work, which makes one file. */
export interface Task {
  /** The index of the source. */
  readonly source: number;
  /** A pass: the part of the source. A comparison: the group and the partition, as one number. */
  readonly index: number;
  /** How much work it is beside the others of its phase: bytes of the source's text. */
  readonly bytes: number;
}

/** Passes over documents, comparisons of their keys, what joins the pairs that were found to clusters, and summaries of what documents measured. */
export type PhaseKind = "pass" | "compare" | "join" | "summarise";

/** Work that waits only for the phase before. */
export interface Phase {
  readonly kind: PhaseKind;
  /** The stage of the recipes' steps, from 0. */
  readonly stage: number;
  readonly tasks: readonly Task[];
}

/** A source that is ready: its stages opened, and how its comparisons are cut. */
export interface OpenedSource {
  readonly source: JobSource;
  readonly stages: readonly Stage[];
  /** Keys of all documents make so many partitions, of which memory holds one. */
  readonly partitions: number;
  /** See `PipelineJob.taskBytes`. */
  readonly taskBytes: number;
  /** The files that steps have read, which are the same for all sources of a job. */
  readonly files: SharedStepFiles;
}

/** A partition has the keys of so much text per byte of memory: of lines of fifty bytes, as many as fill a task's hash table. */
const textPerByte = 2;

/** The sources of a job with their steps opened. @param files of steps @throws CriaError where a recipe's steps are wrong, or a file of theirs cannot be read */
export async function openSources(job: PipelineJob, files = new SharedStepFiles(job.base)): Promise<readonly OpenedSource[]> {
  const opened = job.sources.map(async (source) => {
    const bytes = source.parts.reduce((sum, { file, bytes }) => sum + textBytesOf({ name: source.files[file]!.name, bytes }), 0);
    return {
      source,
      files,
      taskBytes: job.taskBytes,
      stages: await openStages(source.steps, { name: `source "${source.name}"`, files }),
      partitions: Math.max(1, Math.ceil(bytes / (textPerByte * job.taskBytes))),
    };
  });
  return Promise.all(opened);
}

/** The phases of a job, in their order; the same on every machine. */
export function phasesOf(sources: readonly OpenedSource[]): readonly Phase[] {
  const phases: Phase[] = [];
  const most = Math.max(...sources.map(({ stages }) => stages.length));
  for (let stage = 0; stage < most; stage++) {
    phases.push({ kind: "pass", stage, tasks: sources.flatMap((opened, source) => passTasks(opened, source, stage)) });
    const compared = sources.flatMap((opened, source) => compareTasks(opened, source, stage));
    if (compared.length > 0) phases.push({ kind: "compare", stage, tasks: compared });
    const joined = sources.flatMap((opened, source) => joinTasks(opened, source, stage));
    if (joined.length > 0) phases.push({ kind: "join", stage, tasks: joined });
    const summarised = sources.flatMap((opened, source) => summaryTasks(opened, source, stage));
    if (summarised.length > 0) phases.push({ kind: "summarise", stage, tasks: summarised });
  }
  return phases;
}

function passTasks({ source: { parts }, stages }: OpenedSource, source: number, stage: number): Task[] {
  return stage < stages.length ? parts.map(({ bytes }, index) => ({ source, index, bytes })) : [];
}

function compareTasks({ source: { parts }, stages, partitions }: OpenedSource, source: number, stage: number): Task[] {
  const step = stages[stage]?.behind?.step;
  if (step === undefined || isStatisticStep(step)) return [];
  const { groups, partitions: inGroup } = comparisonOf(step, parts.length, partitions);
  const tasks = inGroup * groups;
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0) / tasks;
  return Array.from({ length: tasks }, (_, index) => ({ source, index, bytes }));
}

function joinTasks({ source: { parts }, stages }: OpenedSource, source: number, stage: number): Task[] {
  const step = stages[stage]?.behind?.step;
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  return step !== undefined && isClusterStep(step) ? [{ source, index: 0, bytes }] : [];
}

/** One task per source: a measure takes some twenty bytes, so that those of a whole dump are read in minutes. */
function summaryTasks({ source: { parts }, stages }: OpenedSource, source: number, stage: number): Task[] {
  const step = stages[stage]?.behind?.step;
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  return step !== undefined && isStatisticStep(step) ? [{ source, index: 0, bytes }] : [];
}

/** How the keys of a step are compared. */
export interface Comparison {
  /** Parts of the source that are compared each by itself: as many as the step wants, or one per part where these are fewer. */
  readonly groups: number;
  /** Partitions of the keys of a group. */
  readonly partitions: number;
  /** Keys per document that are compared by their numbers; 0 where all are compared with all. */
  readonly bands: number;
  /** Bits of a key's upper half that choose its partition. */
  readonly partitionBits: number;
}

/** A group has at most so many partitions: each of its tasks reads a file for each. */
const mostPartitions = 1024;

/**
 * A document is taken for so many lines, when keys of documents are cut into partitions: a task opens the file of every part, so that more partitions than
 * memory asks for take time with the square of the input. The keys of shorter documents are compared in slices.
 */
const linesPerDocument = 40;

/** The comparison that a step asks for. @param partitions of the keys of all documents, so many that memory holds one, where documents have keys for lines */
export function comparisonOf(step: KeyStep, parts: number, partitions: number): Comparison {
  if (isClusterStep(step))
    return {
      groups: 1,
      partitions: step.bands * Math.ceil(Math.min(mostPartitions / step.bands, partitions / linesPerDocument)),
      bands: step.bands,
      partitionBits: step.near?.sameBits ?? 32,
    };
  const groups = Math.min(step.groups, parts);
  return { groups, partitions: Math.min(mostPartitions, Math.ceil(partitions / groups)), bands: 0, partitionBits: 32 };
}

/** The parts of a group: `first` to `end`, which is not among them. */
export function partsOfGroup(group: number, groups: number, parts: number): { readonly first: number; readonly end: number } {
  return { first: Math.ceil((group * parts) / groups), end: Math.ceil(((group + 1) * parts) / groups) };
}

/** The group of a part. */
export function groupOf(part: number, groups: number, parts: number): number {
  return Math.floor((part * groups) / parts);
}

/**
 * So many tasks have their files in one folder. A task lists its folder before it writes there, which would take time with the square of the number of
 * tasks if all of a dump's stood in one.
 */
const tasksPerFolder = 100;

const endings: Readonly<Record<PhaseKind, string>> = {
  pass: ".jsonl",
  compare: ".compared",
  join: ".marks",
  summarise: ".summary.json",
};

/** Where the tasks of a source have their files. */
export function folderOf({ folder }: Pick<PipelineJob, "folder">, { name, id }: Pick<JobSource, "name" | "id">): string {
  return join(folder, name, id);
}

/** What a task makes, `SOURCE/ID/pass-0/007/00712.jsonl`; when it is there, the task is done. */
export function fileOf(job: PipelineJob, { kind, stage }: Pick<Phase, "kind" | "stage">, source: JobSource, index: number): string {
  const folder = String(Math.floor(index / tasksPerFolder)).padStart(3, "0");
  return join(folderOf(job, source), `${kind}-${stage}`, folder, `${String(index).padStart(5, "0")}${endings[kind]}`);
}

/** The keys that the documents of a pass' task gave, beside its file. */
export function keysFileOf(documents: string): string {
  return documents.replace(/\.jsonl$/, ".keys");
}

/** What the sampled documents of a pass' task measured, beside its file. */
export function measuresFileOf(documents: string): string {
  return documents.replace(/\.jsonl$/, ".measures");
}

/** What the documents of a pass' task gave to the step behind it, beside its file. */
export function gatheredFileOf(documents: string, behind: OpenedCorpusStep | undefined): string {
  return behind !== undefined && isStatisticStep(behind.step) ? measuresFileOf(documents) : keysFileOf(documents);
}

/** What a pass' task counted, beside its file. */
export function reportFileOf(documents: string): string {
  return documents.replace(/\.jsonl$/, ".report.json");
}

/** How long the steps of a pass' task took, beside its file. */
export function timesFileOf(documents: string): string {
  return documents.replace(/\.jsonl$/, ".times.json");
}

/** What a joining found, beside its file. */
export function clustersFileOf(marks: string): string {
  return marks.replace(/\.marks$/, ".clusters.json");
}
