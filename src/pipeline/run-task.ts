// One task: a part of a source through one pass, or one group and partition of its keys compared. Nothing is shared with other tasks but files.
import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { CleanDocument, isClusterStep, isDropped, isStatisticStep, MeasureSample, type Outcome, type Stage } from "../clean/index.ts";
import { formCalled, type ReadingNote, readPart } from "../corpus/index.ts";
import { atomicWrite, atomicWriteJson, explainIo, makeFolder } from "../files/index.ts";
import { type Clusters, joinPairs, marksOf, pairsOf } from "./clusters.ts";
import { markRepeated } from "./compare.ts";
import { type Decider, openDecider } from "./decide.ts";
import { documentLine, readDocumentLines } from "./documents.ts";
import { type Gatherer, gathererOf } from "./gather.ts";
import { checkUnchanged } from "./input-files.ts";
import type { JobSource, PipelineJob } from "./job.ts";
import { keyWidth, readAllNumbers, readDocumentCount, readKeys, writeMarks, writeNumbers } from "./keys.ts";
import { readMeasures } from "./measures.ts";
import { nearPairsOf } from "./near-pairs.ts";
import {
  clustersFileOf,
  comparisonOf,
  fileOf,
  gatheredFileOf,
  keysFileOf,
  measuresFileOf,
  type OpenedSource,
  type Phase,
  partsOfGroup,
  reportFileOf,
  type Task,
} from "./phases.ts";
import { Counter } from "./report.ts";

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
  if (phase.kind === "pass") await new Pass(job, opened, phase.stage, task.index).run(signal, onShare);
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
  await atomicWriteJson(clustersFileOf(path), clustersReport(clusters), where);
  await writeMarks(path, marksOf(clusters, await documentCounts(comparing)));
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

function clustersReport({ sizes, largest, leftApart, copies }: Clusters) {
  return { copies: copies.length, sizes: Object.fromEntries([...sizes].sort(([a], [b]) => a - b)), largest, leftApart };
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

/** Characters that are written at once, about. */
const chunkLength = 1 << 20;

/** A part of a source on its way through one pass. */
class Pass {
  readonly #job: PipelineJob;
  readonly #opened: OpenedSource;
  readonly #stage: Stage;
  readonly #index: number;
  readonly #part: number;
  readonly #counter: Counter;
  readonly #gatherer: Gatherer | undefined;
  #onShare: TaskRun["onShare"];

  constructor(job: PipelineJob, opened: OpenedSource, stage: number, part: number) {
    const found = opened.stages[stage]!;
    [this.#job, this.#opened, this.#stage, this.#index, this.#part] = [job, opened, found, stage, part];
    this.#gatherer = gathererOf(opened, stage);
    const before = found.before === undefined ? [] : [found.before];
    this.#counter = new Counter([...before, ...found.chain.steps].map(({ row }) => row.name));
  }

  get #source(): JobSource {
    return this.#opened.source;
  }

  /** The file of documents appears last, so that all others are there when it is. */
  async run(signal: AbortSignal | undefined, onShare: TaskRun["onShare"]): Promise<void> {
    this.#onShare = onShare;
    const path = fileOf(this.#job, { kind: "pass", stage: this.#index }, this.#source, this.#part);
    await atomicWrite(path, this.#lines(path, signal), where);
  }

  async *#lines(path: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    const decide = await this.#decider();
    let chunk = "";
    for await (const document of this.#documents()) {
      signal?.throwIfAborted();
      const kept = this.#through(document, decide);
      if (kept === undefined) continue;
      chunk += documentLine(kept);
      if (chunk.length < chunkLength) continue;
      yield Buffer.from(chunk);
      chunk = "";
    }
    yield Buffer.from(chunk);
    await this.#gatherer?.write(gatheredFileOf(path, this.#stage.behind));
    await atomicWriteJson(reportFileOf(path), this.#counter.report(), where);
  }

  /** The first pass reads the source's files, the others what the pass before has left. */
  async *#documents(): AsyncGenerator<CleanDocument> {
    if (this.#index > 0) {
      const path = fileOf(this.#job, { kind: "pass", stage: this.#index - 1 }, this.#source, this.#part);
      const { size } = await stat(path).catch((error) => Promise.reject(explainIo(where, path, error)));
      yield* readDocumentLines(path, this.#shareOf(size));
      return;
    }
    const { files, parts, text } = this.#source;
    const { file, stretch, bytes } = parts[this.#part]!;
    const { path, name, label, form, root } = files[file]!;
    await checkUnchanged(files[file]!);
    const place = stretch === undefined ? label : `${label}@${stretch * this.#job.stretchBytes}`;
    let number = 0;
    const onNote = (note: ReadingNote) => this.#counter.note(note);
    const reading = { where, onNote, onBytes: this.#shareOf(bytes) };
    const documents = readPart({ path, name, root, form: formCalled(form) }, stretch, this.#job.stretchBytes, text, reading);
    for await (const { text, facts } of documents) yield new CleanDocument(text, { ...facts, id: `${place}#${number++}` });
  }

  /** Hears of bytes that were read, and tells which share of all they are. */
  #shareOf(all: number): (bytes: number) => void {
    let done = 0;
    return (bytes) => {
      done += bytes;
      this.#onShare?.(done / Math.max(1, all));
    };
  }

  async #decider(): Promise<Decider | undefined> {
    if (this.#stage.before === undefined) return undefined;
    return openDecider({ job: this.#job, opened: this.#opened, stage: this.#index - 1, part: this.#part });
  }

  /** The document after all steps of the pass; undefined where one dropped it. */
  #through(document: CleanDocument, decide: Decider | undefined): CleanDocument | undefined {
    const { chain } = this.#stage;
    let bytes = Buffer.byteLength(document.text);
    this.#counter.read(document, bytes);
    let current: Outcome = document;
    let index = 0;
    if (decide !== undefined) {
      current = decide(document);
      bytes = this.#counter.step(index++, document, bytes, current);
    }
    if (isDropped(current)) return undefined;
    const { outcomes } = chain.apply(current);
    for (const outcome of outcomes) {
      bytes = this.#counter.step(index++, current, bytes, outcome);
      if (isDropped(outcome)) return undefined;
      current = outcome;
    }
    this.#gatherer?.add(current);
    this.#counter.kept(current, bytes);
    return current;
  }
}

/** The report of a pass' task. */
export async function readReport(job: PipelineJob, source: JobSource, stage: number, part: number): Promise<unknown> {
  return JSON.parse(await readFile(reportFileOf(fileOf(job, { kind: "pass", stage }, source, part)), "utf8"));
}
