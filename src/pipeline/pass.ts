// A part of a source on its way through one pass: documents are cut, or what the step in front has found decides about each, then steps for single
// documents follow, and what stays gives keys or measures to the step behind. It makes a file of documents and, beside it, what they gave, a report, and times.
import { stat } from "node:fs/promises";
import { fail } from "../base/index.ts";
import {
  applyStep,
  CleanDocument,
  checkedOutcome,
  isClusterStep,
  isDropped,
  isStatisticStep,
  type NearLimit,
  openNearLimit,
  type Stage,
} from "../clean/index.ts";
import { formCalled, type ReadingNote, readPart } from "../corpus/index.ts";
import { atomicWrite, Checksum, explainIo, writeCheckedJson } from "../files/index.ts";
import { type ListedMember, listedIn, readClusters } from "./clusters-file.ts";
import { Counter } from "./counter.ts";
import { type Decider, openDecider } from "./decide.ts";
import { documentLine, readDocumentLines } from "./documents.ts";
import { type Gatherer, openGatherer } from "./gather.ts";
import { checkUnchanged } from "./input-files.ts";
import type { JobFile, JobSource, PipelineJob } from "./job.ts";
import { filesOfPart } from "./job-parts.ts";
import { clustersFileOf, fileOf, gatheredFileOf, type OpenedSource, timesFileOf } from "./phases.ts";
import { filesFrom } from "./step-files.ts";
import { StepClock } from "./step-times.ts";
import { checkUnharmed, readTaskReport, writeTaskReport } from "./task-report.ts";
import { truthsOf } from "./truths.ts";

const where = "data";

/** Whether a document stands near a limit is asked of the first documents of a task and then of every hundredth, as it takes as long as the step itself. */
const [lookedAtFirst, lookedAtPeriod] = [100, 100];

/** Bytes that are written at once, about. */
const chunkBytes = 1 << 20;

/** What a pass hears and tells while it runs. */
export interface PassRun {
  readonly signal?: AbortSignal | undefined;
  /** Hears from time to time which share of the part is done, from 0 to 1. */
  readonly onShare?: ((share: number) => void) | undefined;
  /** Hears where each document is from. */
  readonly onPlace?: ((place: string) => void) | undefined;
}

/** A part of a source on its way through one pass. */
export class Pass {
  readonly #job: PipelineJob;
  readonly #opened: OpenedSource;
  readonly #stage: Stage;
  readonly #index: number;
  readonly #part: number;
  readonly #counter: Counter;
  #gatherer: Gatherer | undefined;
  readonly #clock: StepClock;
  /** Documents whose beginnings the report shows, as members of large clusters. */
  #listed: ReadonlyMap<number, ListedMember> = new Map();
  #nearLimits: readonly (NearLimit | undefined)[] = [];
  #documentsRead = 0;
  /** Bytes of the file of documents, and their checksum, by which one that was cut or changed later is known. */
  #fileBytes = 0;
  /** UTF-8 bytes of the text of the document that is on its way, which are counted once. */
  #textBytes = 0;
  readonly #checksum = new Checksum();
  /** What the last document gave, while it is written. */
  #gathered: Promise<void> | undefined;
  #onShare: PassRun["onShare"];

  constructor(job: PipelineJob, opened: OpenedSource, stage: number, part: number) {
    const found = opened.stages[stage]!;
    [this.#job, this.#opened, this.#stage, this.#index, this.#part] = [job, opened, found, stage, part];
    const names = [found.cut, found.before, ...found.chain.steps].flatMap((step) => step?.row.name ?? []);
    this.#counter = new Counter(names, truthsOf(opened.stages));
    this.#clock = new StepClock(["reading", ...names, found.behind?.row.name ?? "", "writing"], stage);
  }

  get #source(): JobSource {
    return this.#opened.source;
  }

  /** The file of documents appears last, so that all others are there when it is. */
  async run(run: PassRun = {}): Promise<void> {
    this.#onShare = run.onShare;
    const path = fileOf(this.#job, { kind: "pass", stage: this.#index }, this.#source, this.#part);
    await using gatherer = await openGatherer(this.#opened, this.#index, gatheredFileOf(path, this.#stage.behind));
    this.#gatherer = gatherer;
    try {
      await atomicWrite(path, this.#lines(path, run), where);
    } catch (error) {
      // Why a step failed, or asked for other marks, may be that a document was changed.
      if (this.#index > 0 && run.signal?.aborted !== true) await checkUnharmed(this.#pathBefore());
      throw error;
    }
  }

  /** What the pass before has left of the part. */
  #pathBefore(): string {
    return fileOf(this.#job, { kind: "pass", stage: this.#index - 1 }, this.#source, this.#part);
  }

  async *#lines(path: string, { signal, onPlace }: PassRun): AsyncGenerator<Uint8Array> {
    const deciders = await this.#deciders();
    this.#listed = await this.#listedMembers();
    this.#nearLimits = await this.#openNearLimits();
    let lines: Uint8Array[] = [];
    let bytes = 0;
    this.#clock.begin();
    for await (const document of this.#documents()) {
      signal?.throwIfAborted();
      onPlace?.(placeOf(document));
      for (const part of this.#parts(document)) {
        const kept = this.#through(part, deciders);
        if (kept === undefined) continue;
        await this.#gathered;
        const line = documentLine(kept);
        lines.push(line);
        bytes += line.length;
        if (bytes >= chunkBytes) {
          yield this.#written(lines);
          [lines, bytes] = [[], 0];
        }
        this.#clock.end(this.#clock.times.length - 1, this.#textBytes);
      }
      this.#clock.begin();
    }
    yield this.#written(lines);
    for (const decider of deciders) decider.end();
    await this.#gatherer?.finish();
    await writeCheckedJson(timesFileOf(path), this.#clock.times, where);
    await writeTaskReport(path, { bytes: this.#fileBytes, crc32: this.#checksum.value, report: this.#counter.report() });
  }

  #written(lines: readonly Uint8Array[]): Uint8Array {
    const bytes = Buffer.concat(lines);
    this.#fileBytes += bytes.length;
    this.#checksum.add(bytes);
    return bytes;
  }

  /** The first pass reads the source's files, the others what the pass before has left. */
  async *#documents(): AsyncGenerator<CleanDocument> {
    if (this.#index > 0) {
      const path = this.#pathBefore();
      const { size } = await stat(path).catch((error) => Promise.reject(explainIo(where, path, error)));
      const { crc32 } = await readTaskReport(path);
      yield* readDocumentLines(path, crc32, this.#shareOf(size));
      return;
    }
    const { files, parts } = this.#source;
    const part = parts[this.#part]!;
    const onBytes = this.#shareOf(part.bytes);
    for (const file of filesOfPart(part)) yield* this.#documentsOf(files[file]!, part.stretch, onBytes);
  }

  async *#documentsOf(file: JobFile, stretch: number | undefined, onBytes: (bytes: number) => void): AsyncGenerator<CleanDocument> {
    const { path, name, label, form, root } = file;
    await checkUnchanged(file);
    const place = stretch === undefined ? label : `${label}@${stretch * this.#job.stretchBytes}`;
    let number = 0;
    const onNote = (note: ReadingNote) => this.#counter.note(note);
    const reading = { where, onNote, onBytes };
    const documents = readPart({ path, name, root, form: formCalled(form) }, stretch, this.#job.stretchBytes, this.#source.text, reading);
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

  /** What tells of documents near a limit, by the numbers of steps. */
  async #openNearLimits(): Promise<readonly (NearLimit | undefined)[]> {
    const { cut, before, chain } = this.#stage;
    const first = [cut, before].filter((step) => step !== undefined).map(() => undefined);
    return [...first, ...(await Promise.all(chain.steps.map((step) => openNearLimit(step, filesFrom(this.#job.base)))))];
  }

  /** What decides about a document, one after another: the step in front of the pass and those of its chain. */
  async #deciders(): Promise<readonly Decider[]> {
    const { before, chain } = this.#stage;
    const steps = chain.steps.map((one): Decider => ({ decide: (document) => applyStep(one, document), end: () => undefined }));
    if (before === undefined) return steps;
    const found = await openDecider({ job: this.#job, opened: this.#opened, stage: this.#index - 1, part: this.#part });
    const decide = (document: CleanDocument) => checkedOutcome(before.row, document, () => found.decide(document));
    return [{ decide, end: () => found.end() }, ...steps];
  }

  async #listedMembers(): Promise<ReadonlyMap<number, ListedMember>> {
    const step = this.#stage.before?.step;
    if (step === undefined || isStatisticStep(step) || !isClusterStep(step)) return new Map();
    const joined = fileOf(this.#job, { kind: "join", stage: this.#index - 1 }, this.#source, 0);
    return listedIn(await readClusters(clustersFileOf(joined)), this.#part);
  }

  /** What the pass begins with: the document, or its parts where a step cuts it. */
  #parts(document: CleanDocument): readonly CleanDocument[] {
    const bytes = Buffer.byteLength(document.text);
    this.#textBytes = bytes;
    this.#clock.end(0, bytes);
    this.#counter.read(document, bytes);
    const listed = this.#listed.get(this.#documentsRead++);
    if (listed !== undefined) this.#counter.member(0, listed, document);
    const { cut } = this.#stage;
    if (cut === undefined) return [document];
    this.#clock.start();
    const parts = [...cut.step.parts(document)];
    this.#clock.end(1, bytes);
    this.#counter.cut(bytes, parts);
    return parts;
  }

  /** {@link #afterSteps}, where what fails is told with the document. */
  #through(document: CleanDocument, deciders: readonly Decider[]): CleanDocument | undefined {
    try {
      return this.#afterSteps(document, deciders);
    } catch (error) {
      const message = (error as Error).message.replace(`[${where}] `, "");
      return fail(where, `${placeOf(document)}: ${message}`, { cause: error });
    }
  }

  /** The document after all steps of the pass; undefined where one dropped it. */
  #afterSteps(document: CleanDocument, deciders: readonly Decider[]): CleanDocument | undefined {
    let bytes = this.#stage.cut === undefined ? this.#textBytes : Buffer.byteLength(document.text);
    let current = document;
    let index = this.#stage.cut === undefined ? 0 : 1;
    const isLookedAt = this.#documentsRead <= lookedAtFirst || this.#documentsRead % lookedAtPeriod === 0;
    for (const decider of deciders) {
      this.#clock.start();
      const outcome = decider.decide(current);
      this.#clock.end(1 + index, bytes);
      bytes = this.#counter.step(index, current, bytes, outcome);
      if (isDropped(outcome)) return undefined;
      if (isLookedAt) this.#lookNear(index, current);
      index++;
      current = outcome;
    }
    this.#clock.start();
    this.#gathered = this.#gatherer?.add(current);
    this.#clock.end(1 + index, bytes);
    this.#counter.kept(current, bytes);
    this.#textBytes = bytes;
    this.#clock.start();
    return current;
  }

  #lookNear(index: number, document: CleanDocument): void {
    const near = this.#nearLimits[index]?.(document);
    if (near !== undefined) this.#counter.near(index, document, near);
  }
}

/** Where a document is from. */
function placeOf({ facts }: CleanDocument): string {
  return String(facts.id ?? "");
}
