// One task: a part of a source through one pass, or one group and partition of its keys compared. Nothing is shared with other tasks but files.
import { readFile } from "node:fs/promises";
import { CleanDocument, isDropped, KeyList, type OpenedCorpusStep, type Outcome, type Stage } from "../clean/index.ts";
import { formCalled, readPart } from "../corpus/index.ts";
import { atomicWrite, atomicWriteJson, makeFolder } from "../files/index.ts";
import { markRepeated } from "./compare.ts";
import { documentLine, readDocumentLines } from "./documents.ts";
import type { JobSource, PipelineJob } from "./job.ts";
import { bytesOfBits, partitionOf, readKeys, readMarks, writeKeys, writeMarks } from "./keys.ts";
import {
  fileOf,
  folderOf,
  groupOf,
  groupsOf,
  keysFileOf,
  type OpenedSource,
  type Phase,
  partsOfGroup,
  reportFileOf,
  type Task,
} from "./phases.ts";
import { Counter } from "./report.ts";

const where = "data";

/** Does one task: afterwards its file is there. */
export async function runTask(job: PipelineJob, opened: OpenedSource, phase: Pick<Phase, "kind" | "stage">, task: Task): Promise<void> {
  await makeFolder(folderOf(job, phase, opened.source), where);
  if (phase.kind === "compare") await compare(job, opened, phase.stage, task.index);
  else await new Pass(job, opened, phase.stage, task.index).run();
}

async function compare(job: PipelineJob, { source, stages, partitions }: OpenedSource, stage: number, index: number): Promise<void> {
  const step = stages[stage]!.behind!.step;
  const groups = groupsOf(step.groups, source.parts.length);
  const { first, end } = partsOfGroup(Math.floor(index / partitions), groups, source.parts.length);
  const parts: Uint32Array[] = [];
  for (let part = first; part < end; part++) {
    const keys = keysFileOf(fileOf(job, { kind: "pass", stage }, source, part));
    parts.push(await readKeys(keys, index % partitions, partitions));
  }
  await writeMarks(fileOf(job, { kind: "compare", stage }, source, index), markRepeated(parts, step.marks));
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
  readonly #keys = new KeyList();

  constructor(job: PipelineJob, opened: OpenedSource, stage: number, part: number) {
    const found = opened.stages[stage]!;
    [this.#job, this.#opened, this.#stage, this.#index, this.#part] = [job, opened, found, stage, part];
    const before = found.before === undefined ? [] : [found.before];
    this.#counter = new Counter([...before, ...found.chain.steps].map(({ row }) => row.name));
  }

  get #source(): JobSource {
    return this.#opened.source;
  }

  /** The file of documents appears last, so that all others are there when it is. */
  async run(): Promise<void> {
    const path = fileOf(this.#job, { kind: "pass", stage: this.#index }, this.#source, this.#part);
    await atomicWrite(path, this.#lines(path), where);
  }

  async *#lines(path: string): AsyncGenerator<Uint8Array> {
    const marks = await this.#marks();
    let chunk = "";
    for await (const document of this.#documents()) {
      const kept = this.#through(document, marks);
      if (kept === undefined) continue;
      chunk += documentLine(kept);
      if (chunk.length < chunkLength) continue;
      yield Buffer.from(chunk);
      chunk = "";
    }
    yield Buffer.from(chunk);
    if (this.#stage.behind !== undefined) await writeKeys(keysFileOf(path), this.#keys.halves, this.#opened.partitions);
    await atomicWriteJson(reportFileOf(path), this.#counter.report(), where);
  }

  /** The first pass reads the source's files, the others what the pass before has left. */
  async *#documents(): AsyncGenerator<CleanDocument> {
    if (this.#index > 0) {
      yield* readDocumentLines(fileOf(this.#job, { kind: "pass", stage: this.#index - 1 }, this.#source, this.#part));
      return;
    }
    const { files, parts, text } = this.#source;
    const { file, stretch } = parts[this.#part]!;
    const { path, name, form } = files[file]!;
    const place = stretch === undefined ? name : `${name}@${stretch * this.#job.stretchBytes}`;
    let number = 0;
    for await (const document of readPart({ path, name, form: formCalled(form) }, stretch, this.#job.stretchBytes, text, { where }))
      yield new CleanDocument(document, { id: `${place}#${number++}` });
  }

  async #marks(): Promise<MarkReader | undefined> {
    const { before } = this.#stage;
    return before === undefined ? undefined : MarkReader.open(this.#job, this.#opened, this.#index - 1, this.#part);
  }

  /** The document after all steps of the pass; undefined where one dropped it. */
  #through(document: CleanDocument, marks: MarkReader | undefined): CleanDocument | undefined {
    const { before, chain, behind } = this.#stage;
    let bytes = Buffer.byteLength(document.text);
    this.#counter.read(bytes);
    let current: Outcome = document;
    let index = 0;
    if (before !== undefined && marks !== undefined) {
      current = before.step.decide(document, marks.next(before, document));
      bytes = this.#counter.step(index++, document, bytes, current);
    }
    if (isDropped(current)) return undefined;
    const { outcomes } = chain.apply(current);
    for (const outcome of outcomes) {
      bytes = this.#counter.step(index++, current, bytes, outcome);
      if (isDropped(outcome)) return undefined;
      current = outcome;
    }
    behind?.step.addKeys(current, this.#keys);
    this.#counter.kept(current, bytes);
    return current;
  }
}

/** The marks on the keys of one part, taken in the order in which its documents give the keys again. */
class MarkReader {
  readonly #bits: readonly Uint8Array[];
  /** How many bits of each partition are taken. */
  readonly #taken: Float64Array;
  readonly #keys = new KeyList();

  private constructor(bits: readonly Uint8Array[]) {
    this.#bits = bits;
    this.#taken = new Float64Array(bits.length);
  }

  static async open(job: PipelineJob, { source, stages, partitions }: OpenedSource, stage: number, part: number): Promise<MarkReader> {
    const groups = groupsOf(stages[stage]!.behind!.step.groups, source.parts.length);
    const group = groupOf(part, groups, source.parts.length);
    const { first } = partsOfGroup(group, groups, source.parts.length);
    const bits: Uint8Array[] = [];
    for (let p = 0; p < partitions; p++)
      bits.push(await readMarks(fileOf(job, { kind: "compare", stage }, source, group * partitions + p), part - first));
    return new MarkReader(bits);
  }

  /** Whether each key of the next document is marked. */
  next({ step }: OpenedCorpusStep, document: CleanDocument): (key: number) => boolean {
    this.#keys.clear();
    step.addKeys(document, this.#keys);
    const { halves, count } = this.#keys;
    const marked = new Uint8Array(bytesOfBits(count));
    for (let i = 0; i < count; i++) {
      const p = partitionOf(halves[2 * i + 1]!, this.#bits.length);
      const bit = this.#taken[p]!++;
      if (((this.#bits[p]![bit >>> 3]! >> (bit & 7)) & 1) === 1) marked[i >> 3]! |= 1 << (i & 7);
    }
    return (key) => ((marked[key >> 3]! >> (key & 7)) & 1) === 1;
  }
}

/** The report of a pass' task. */
export async function readReport(job: PipelineJob, source: JobSource, stage: number, part: number): Promise<unknown> {
  return JSON.parse(await readFile(reportFileOf(fileOf(job, { kind: "pass", stage }, source, part)), "utf8"));
}
