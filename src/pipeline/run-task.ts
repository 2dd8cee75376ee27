// One task: a part of a source through one pass, or one group and partition of its keys compared. Nothing is shared with other tasks but files.
import { dirname } from "node:path";
import { isClusterStep, isStatisticStep, MeasureSample } from "../clean/index.ts";
import { atomicWriteJson, makeFolder } from "../files/index.ts";
import { joinPairs, marksOf, pairsOf } from "./clusters.ts";
import { writeClusters } from "./clusters-file.ts";
import { markRepeated } from "./compare.ts";
import type { PipelineJob } from "./job.ts";
import { keyWidth, readAllNumbers, readDocumentCount, readKeys, writeMarks, writeNumbers } from "./keys.ts";
import { readMeasures } from "./measures.ts";
import { nearPairsOf } from "./near-pairs.ts";
import { Pass } from "./pass.ts";
import {
  clustersFileOf,
  comparisonOf,
  fileOf,
  keysFileOf,
  measuresFileOf,
  type OpenedSource,
  type Phase,
  partsOfGroup,
  type Task,
} from "./phases.ts";

const where = "data";

/** A task, and what stops it between two documents. */
export interface TaskRun {
  readonly phase: Pick<Phase, "kind" | "stage">;
  readonly task: Task;
  readonly signal?: AbortSignal | undefined;
  /** Hears from time to time which share of the task is done, from 0 to 1. */
  readonly onShare?: ((share: number) => void) | undefined;
}

/** Does one task: afterwards its file is there. */
export async function runTask(job: PipelineJob, opened: OpenedSource, { phase, task, signal, onShare }: TaskRun): Promise<void> {
  const path = fileOf(job, phase, opened.source, task.index);
  await makeFolder(dirname(path), where);
  if (phase.kind === "pass") await new Pass(job, opened, phase.stage, task.index).run({ signal, onShare });
  else if (phase.kind === "compare") await compare({ job, opened, stage: phase.stage, onShare }, task.index, path);
  else if (phase.kind === "join") await join({ job, opened, stage: phase.stage, onShare }, path);
  else await summarise({ job, opened, stage: phase.stage, onShare }, path);
}

/** Where keys are compared. */
interface Comparing {
  readonly job: PipelineJob;
  readonly opened: OpenedSource;
  readonly stage: number;
  readonly onShare?: TaskRun["onShare"];
}

async function compare(comparing: Comparing, index: number, path: string): Promise<void> {
  const { source, stages, partitions: usual } = comparing.opened;
  const { step } = stages[comparing.stage]!.behind!;
  if (isStatisticStep(step)) return;
  const { groups, partitions, bands } = comparisonOf(step, source.parts.length, usual);
  const { first, end } = partsOfGroup(Math.floor(index / partitions), groups, source.parts.length);
  const parts: Uint32Array[] = [];
  for (let part = first; part < end; part++) {
    parts.push(await readKeys(keysOf(comparing, part), index % partitions, partitions, keyWidth(bands)));
    comparing.onShare?.((part + 1 - first) / (end - first + 1));
  }
  if (!isClusterStep(step)) return writeMarks(path, markRepeated(parts, step.marks));
  const counts = await documentCounts(comparing);
  let before = 0;
  const numbered = parts.map((keys, i) => {
    const numbered = { keys, first: before };
    before += counts[i]!;
    return numbered;
  });
  await writeNumbers(path, step.near === undefined ? pairsOf(numbered) : nearPairsOf(numbered, step.near));
}

async function join(comparing: Comparing, path: string): Promise<void> {
  const { job, opened, stage } = comparing;
  const { source, stages, partitions: usual } = opened;
  const { step } = stages[stage]!.behind!;
  if (isStatisticStep(step) || !isClusterStep(step)) return;
  const { partitions } = comparisonOf(step, source.parts.length, usual);
  const lists: Uint32Array[] = [];
  for (let index = 0; index < partitions; index++) {
    lists.push(await readAllNumbers(fileOf(job, { kind: "compare", stage }, source, index)));
    comparing.onShare?.((index + 1) / (partitions + 1));
  }
  const clusters = joinPairs(lists, step.mostDocuments);
  const counts = await documentCounts(comparing);
  await writeClusters(clustersFileOf(path), clusters, counts);
  await writeMarks(path, marksOf(clusters, counts));
}

async function summarise({ job, opened: { source, stages }, stage, onShare }: Comparing, path: string): Promise<void> {
  const { step } = stages[stage]!.behind!;
  if (!isStatisticStep(step)) return;
  const sample = new MeasureSample(step.mostMeasures);
  for (const part of source.parts.keys()) {
    for (const measure of await readMeasures(measuresFileOf(fileOf(job, { kind: "pass", stage }, source, part)))) sample.add(measure);
    onShare?.((part + 1) / (source.parts.length + 1));
  }
  await atomicWriteJson(path, step.summarise(sample.groups()), where);
}

function keysOf({ job, opened, stage }: Comparing, part: number): string {
  return keysFileOf(fileOf(job, { kind: "pass", stage }, opened.source, part));
}

/** Documents of each part. */
async function documentCounts(comparing: Comparing): Promise<Uint32Array> {
  const { parts } = comparing.opened.source;
  const counts = new Uint32Array(parts.length);
  for (const part of parts.keys()) counts[part] = await readDocumentCount(keysOf(comparing, part));
  return counts;
}
