// One task: a part of a source through one pass, or one group and partition of its keys compared. Nothing is shared with other tasks but files.
import { dirname } from "node:path";
import { byteSize, check } from "../base/index.ts";
import { type CorpusStep, isClusterStep, isKeyStep, isStatisticStep, MeasureSample } from "../clean/index.ts";
import { againWhenStale, inOrder, makeFolder, writeCheckedJson } from "../files/index.ts";
import { findPairs, type Joining, joinPairs, marksOf, type NumberedKeys } from "./clusters.ts";
import { writeClusters } from "./clusters-file.ts";
import { markRepeated, type PartKeys } from "./compare.ts";
import type { PipelineJob } from "./job.ts";
import { findKeys, readDocumentCount, readKeys } from "./keys.ts";
import { writeMarks } from "./marks.ts";
import { WrittenMeasures } from "./measures.ts";
import { findNearPairs } from "./near-pairs.ts";
import { mergePairs, type PairRun, PairWriter, pairRunsOf, readPairs } from "./pairs.ts";
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
  /** Hears what the task is at: the place of each document, or what is compared. */
  readonly onPlace?: ((place: string) => void) | undefined;
  /** Bytes that joining near-duplicates may take. @default no limit */
  readonly joinBytes?: number | undefined;
  /** Bytes that the task's hash tables may take. */
  readonly tableBytes: number;
}

/** Does one task: afterwards its file is there. */
export async function runTask(job: PipelineJob, opened: OpenedSource, run: TaskRun): Promise<void> {
  await againWhenStale(() => runOnce(job, opened, run));
}

async function runOnce(job: PipelineJob, opened: OpenedSource, run: TaskRun): Promise<void> {
  const { phase, task, onShare, joinBytes, tableBytes } = run;
  const path = fileOf(job, phase, opened.source, task.index);
  run.onPlace?.(`source "${opened.source.name}", ${path}`);
  await makeFolder(dirname(path), where);
  const comparing = { job, opened, stage: phase.stage, onShare, joinBytes, tableBytes };
  if (phase.kind === "pass") await new Pass(job, opened, phase.stage, task.index).run(run);
  else if (phase.kind === "compare") await compare(comparing, task.index, path);
  else if (phase.kind === "join") await join(comparing, path);
  else await summarise(comparing, path);
}

/** Where keys are compared. */
interface Comparing {
  readonly job: PipelineJob;
  readonly opened: OpenedSource;
  readonly stage: number;
  readonly onShare: TaskRun["onShare"];
  readonly joinBytes: TaskRun["joinBytes"];
  readonly tableBytes: number;
}

/** The step behind the stage, of the kind that the phase is for. */
function stepOf<Kind extends CorpusStep>({ opened, stage }: Comparing, isOfKind: (step: CorpusStep) => step is Kind): Kind {
  const step = opened.stages[stage]?.behind?.step;
  if (step === undefined || !isOfKind(step))
    throw new Error(`stage ${stage} of source "${opened.source.name}" ends in no step of the phase's kind`);
  return step;
}

async function compare(comparing: Comparing, index: number, path: string): Promise<void> {
  const { tableBytes } = comparing;
  const { source, partitions: usual, taskBytes } = comparing.opened;
  const step = stepOf(comparing, isKeyStep);
  const layout = comparisonOf(step, source.parts.length, usual);
  const { groups, partitions } = layout;
  const { first, end } = partsOfGroup(Math.floor(index / partitions), groups, source.parts.length);
  const parts: PartKeys[] = [];
  const documents: number[] = [];
  const found = inOrder(end - first, (part) => findKeys(keysOf(comparing, first + part), index % partitions, layout));
  for await (const places of found) {
    parts.push({ count: places.count, read: () => readKeys(places) });
    documents.push(places.documents);
  }
  const told = toldParts(parts, comparing.onShare);
  if (!isClusterStep(step)) return writeMarks(path, await markRepeated(told, step.marks, tableBytes));
  await using pairs = await PairWriter.open(path, taskBytes / 4);
  const numbered = numberedParts(told, documents);
  if (step.near === undefined) await findPairs(numbered, pairs, tableBytes);
  else await findNearPairs(numbered, step.near, pairs, tableBytes);
  await pairs.finish();
}

/** Parts that tell which share of them was read, for the first time. */
function toldParts(parts: readonly PartKeys[], onShare: TaskRun["onShare"]): readonly PartKeys[] {
  return parts.map(({ count, read }, i) => ({
    count,
    read() {
      onShare?.(i / parts.length);
      return read();
    },
  }));
}

function numberedParts(parts: readonly PartKeys[], documents: readonly number[]): readonly NumberedKeys[] {
  let first = 0;
  return parts.map((keys, i) => {
    const numbered = { keys, first };
    first += documents[i]!;
    return numbered;
  });
}

async function join(comparing: Comparing, path: string): Promise<void> {
  const { job, opened, stage, joinBytes = Number.POSITIVE_INFINITY } = comparing;
  const { source, partitions: usual, taskBytes } = opened;
  const step = stepOf(comparing, isClusterStep);
  const { partitions } = comparisonOf(step, source.parts.length, usual);
  const runs: PairRun[] = [];
  for (let index = 0; index < partitions; index++) runs.push(...(await pairRunsOf(fileOf(job, { kind: "compare", stage }, source, index))));
  const counts = await documentCounts(comparing);
  const documents = counts.reduce((sum, count) => sum + count, 0);
  check(
    documents < 2 ** 32,
    where,
    () => `source "${source.name}" has ${documents} documents, of which ${2 ** 32 - 1} are joined: cut it into several sources`,
  );
  const most = Math.max(64, Math.floor(taskBytes / (8 * Math.max(1, runs.length))));
  const any = () => allPairs(runs, (done) => comparing.onShare?.(done / 2));
  const ordered = () => mergePairs(runs, most);
  const onNeed: Joining["onNeed"] = ({ linked, bytes }) =>
    check(
      bytes <= joinBytes,
      where,
      () =>
        `source "${source.name}": joining ${linked} documents that are like others, of ${documents}, takes ${byteSize(bytes)}, but of the memory that the run may take its program, models and threads leave ${byteSize(joinBytes)}: allow ${byteSize(bytes - joinBytes)} more, or fewer threads`,
      { ways: ["memory", "threads"] },
    );
  const clusters = await joinPairs({ any, ordered }, { documents, most: step.mostDocuments, onNeed });
  await writeClusters(clustersFileOf(path), clusters, counts);
  await writeMarks(path, marksOf(clusters, counts));
}

/** The pairs of one run after another. @param onShare hears which share of the runs was read */
async function* allPairs(runs: readonly PairRun[], onShare: (share: number) => void): AsyncGenerator<BigUint64Array> {
  for (const [i, run] of runs.entries()) {
    yield* readPairs(run, 1 << 16);
    onShare((i + 1) / runs.length);
  }
}

async function summarise(comparing: Comparing, path: string): Promise<void> {
  const { job, stage, onShare } = comparing;
  const { source } = comparing.opened;
  const step = stepOf(comparing, isStatisticStep);
  const sample = new MeasureSample(step.mostMeasures);
  for (const part of source.parts.keys()) {
    const measures = await WrittenMeasures.open(measuresFileOf(fileOf(job, { kind: "pass", stage }, source, part)));
    while (measures.left > 0) sample.add(measures.take());
    onShare?.((part + 1) / (source.parts.length + 1));
  }
  await writeCheckedJson(path, step.summarise(sample.groups()), where);
}

function keysOf({ job, opened, stage }: Comparing, part: number): string {
  return keysFileOf(fileOf(job, { kind: "pass", stage }, opened.source, part));
}

/** Documents of each part. */
async function documentCounts(comparing: Comparing): Promise<Uint32Array> {
  const { parts } = comparing.opened.source;
  const counts: number[] = [];
  for await (const count of inOrder(parts.length, (part) => readDocumentCount(keysOf(comparing, part)))) counts.push(count);
  return Uint32Array.from(counts);
}
