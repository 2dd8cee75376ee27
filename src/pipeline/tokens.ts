// The last phase: token shards of what was cleaned, and of sources without steps, by tasks like those of all phases, which one machine or many do.
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { check } from "../base/index.ts";
import type { TextTokenizer } from "../batches/index.ts";
import {
  type Corpus,
  type DataRecipe,
  formCalled,
  type Manifest,
  openCorpus,
  type PrepareOptions,
  Texts,
  type TokenPart,
  TokenParts,
  tokenParts,
} from "../corpus/index.ts";
import { againWhenStale } from "../files/index.ts";
import { hasSteps } from "./clean-recipe.ts";
import { cleanedFiles } from "./cleaned.ts";
import { jobFileOf } from "./input-files.ts";
import { PlanWatch } from "./job-plan.ts";
import { threadsWithin } from "./memory.ts";
import type { OpenedJob, OpenJobOptions } from "./open-job.ts";
import { areThere, checkDoneBefore, partOf } from "./open-tasks.ts";
import { folderOf, phasesOf } from "./phases.ts";
import type { RunOptions, Shard } from "./run-phases.ts";
import { checkUnharmed } from "./task-report.ts";

const where = "data";
/** A task makes tokens of what was left of so many bytes: some shards, and of a whole dump a thousand tasks. */
const usualPartBytes = 8 * 2 ** 30;

/** How a recipe's texts are opened for their tokens, and how these are made. */
export interface TokenPhaseOptions extends Pick<OpenJobOptions, "folder" | "signal" | "progress">, Pick<RunOptions, "threads" | "memory"> {
  /** Bytes of a source's files, before they were cleaned, that one task makes tokens of. @default 8 GB */
  readonly partBytes?: number | undefined;
}

/** The tasks that make tokens of a recipe's texts, whose cleaning need not be done yet when it is opened. */
export class TokenPhase implements AsyncDisposable {
  readonly #opened: OpenedJob;
  readonly #corpus: Corpus;
  readonly #made: TokenParts;
  readonly #signal: AbortSignal | undefined;

  /** @throws CriaError where the files of a source without steps cannot be opened, or the recipe's boundaries are not the tokenizer's */
  static async open(recipe: DataRecipe, opened: OpenedJob, tokenizer: TextTokenizer, options: TokenPhaseOptions = {}): Promise<TokenPhase> {
    const { folder, signal, progress, partBytes = usualPartBytes } = options;
    const threads = threadsOf(opened, options);
    const ready = new Map(opened.sources.map((one) => [one.source.name, textsOf(opened, one)]));
    const sources = recipe.sources.map((source) => (hasSteps(source) ? { ...source, steps: undefined } : source));
    const corpus = await openCorpus({ ...recipe, sources }, { folder, signal, progress, ready });
    const identities = await Promise.all(corpus.sources.map((source) => identityOf(source, opened)));
    const folders = corpus.sources.map(({ name }) => tokensFolder(name, opened));
    const parts = tokenParts(corpus, partBytes);
    const made = new TokenParts(corpus, tokenizer, { folders, parts, threads, identities, progress, signal });
    return new TokenPhase(opened, corpus, made, signal);
  }

  private constructor(opened: OpenedJob, corpus: Corpus, made: TokenParts, signal: AbortSignal | undefined) {
    this.#opened = opened;
    this.#corpus = corpus;
    this.#made = made;
    this.#signal = signal;
  }

  /** How much each task reads, before it was cleaned. */
  get parts(): readonly TokenPart[] {
    return this.#made.parts;
  }

  /** Makes the tokens of a machine's part, or all of them. @throws CriaError where the cleaning is not done; the signal's reason */
  async run(shard?: Shard): Promise<void> {
    const { job, sources } = this.#opened;
    const phases = phasesOf(sources);
    await checkDoneBefore({ job, sources, signal: this.#signal }, phases, phases.length, sources.keys());
    const plan = new PlanWatch(job);
    for (const part of await this.#open(shard)) {
      this.#signal?.throwIfAborted();
      await plan.check();
      await againWhenStale(() => this.#make(part));
    }
  }

  /** Makes a prepared folder of the tokens of all machines. @throws CriaError where some are not made */
  async join(outDir: string, more?: PrepareOptions["more"]): Promise<Manifest> {
    const open = await this.#open();
    check(
      open.length === 0,
      where,
      () => `${open.length} of ${this.parts.length} tasks that make tokens are not done: run their phase first`,
    );
    return this.#made.join(outDir, more);
  }

  /** See `Corpus.notes`. */
  notes(): Promise<readonly string[]> {
    return this.#corpus.notes();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#made[Symbol.asyncDispose]();
    await this.#corpus[Symbol.asyncDispose]();
  }

  async #make(part: number): Promise<void> {
    const { source, first, end } = this.parts[part]!;
    const { name, texts } = this.#corpus.sources[source]!;
    const isCleaned = this.#opened.sources.some((one) => one.source.name === name);
    if (isCleaned) for (const { path } of texts.files.slice(first, end)) await checkUnharmed(path, this.#signal);
    await this.#made.run(part);
  }

  async #open(shard?: Shard): Promise<readonly number[]> {
    const mine = partOf([...this.parts.keys()], shard);
    const files = await this.#made.files();
    const isDone = await areThere(mine.map((part) => files[part]!));
    return mine.filter((_, i) => !isDone[i]);
  }
}

/** Where tokens of a source are made: beside what its cleaning made, where it has one. */
function tokensFolder(name: string, { job }: OpenedJob): string {
  const cleaned = job.sources.find((source) => source.name === name);
  return cleaned === undefined ? join(job.folder, name) : folderOf(job, cleaned);
}

/** What the texts of a source depend on: the source's cleaning, or its files as they are. */
async function identityOf({ name, texts }: Corpus["sources"][number], { job }: OpenedJob): Promise<unknown> {
  const cleaned = job.sources.find((source) => source.name === name);
  return cleaned?.id ?? { files: await Promise.all(texts.files.map(jobFileOf)), text: texts.options };
}

/** Threads that encode, of which each takes about as much memory as one that cleans. */
function threadsOf({ job, sources }: OpenedJob, { threads, memory }: TokenPhaseOptions): number | undefined {
  if (memory === undefined) return threads;
  const models = sources[0]?.files.bytes ?? 0;
  return threadsWithin(threads ?? availableParallelism(), { memory, taskBytes: job.taskBytes, models });
}

/** The cleaned files of a source, each taken for as long as what it was made of, so that all machines cut it alike. */
function textsOf({ job }: OpenedJob, opened: OpenedJob["sources"][number]): Texts {
  const form = formCalled("jsonl");
  const { parts } = opened.source;
  const files = cleanedFiles(job, opened).map((path, i) => {
    return { path, name: path, label: path, form, root: dirname(path), bytes: parts[i]!.bytes, isPipe: false };
  });
  return new Texts({ files, text: { format: "jsonl" }, where, notes: [], copies: [] });
}
