// Counting the words of texts of any size for the training of a tokenizer: threads count parts of the files, write what does not fit in memory to
// disk as sorted runs, and merge these. What was counted outlives a stop of the program, and counting goes on behind it.
import { availableParallelism, totalmem } from "node:os";
import { check, type OnProgress } from "../../base/index.ts";
import { mergeCounts, type WordCounts, type WordRules } from "../../tokenizer/words/index.ts";

import { type TextPart, type Texts, textParts } from "../texts/index.ts";
import { CountFolder, type CountJob } from "./count-folder.ts";
import { countInThreads, type ThreadCounts } from "./count-threads.ts";
import { type OpenPart, openParts } from "./coverage.ts";
import { mergeRuns } from "./merge-runs.ts";

/** How words are counted: memory, threads, and what is kept of a count that stops. */
export interface CountOptions {
  /** The part that asks, for `[where]`. @default "data" */
  readonly where?: string;
  /**
   * The folder that keeps what was counted when the program stops; it is made when there is something worth keeping, and {@link CountedTexts.remove}
   * removes it. Undefined, or where one of the texts is a pipe: nothing is kept.
   */
  readonly folder?: string | undefined;
  /** Bytes of memory that counting may take, about. @default half of the machine's */
  readonly memory?: number | undefined;
  /** @default the machine's */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** Hears sentences for people: from where counting goes on, and where what was counted is kept. */
  readonly onNotice?: ((notice: string) => void) | undefined;
  readonly pace?: CountPace;
}

/** When what was counted goes to disk; the tests change it. */
export interface CountPace {
  /** Bytes of the stretches that large files are cut into. Results depend on it, a little: no word reaches across two stretches. */
  readonly stretchBytes: number;
  /** A thread writes what it counted for so long. */
  readonly runMs: number;
  /** What was counted in less time is not worth keeping. */
  readonly worthKeepingMs: number;
}

/**
 * A stretch and the rest of its last line are read at once: text that comes in two chunks is copied when they are joined, and copies of this size
 * stay until V8 collects its old generation, 20 MB per thread.
 */
const usualPace: CountPace = { stretchBytes: 1 << 19, runMs: 60_000, worthKeepingMs: 5000 };

/** Share of the allowed memory for all tables: arrays that double are up to twice as large as what they hold, and are there twice while they grow. */
const tableShare = 1 / 4;
/** A table's offsets are 32 bits. */
const largestTable = 2 ** 30;

/** The words of texts with their counts. */
export interface CountedTexts extends WordCounts {
  /** Bytes of text, in UTF-8, that were counted. */
  readonly textBytes: number;
  /** Lets go of what memory holds; blocks may not be asked for after it. */
  release(): void;
  /** Removes what is on disk. */
  remove(): Promise<void>;
}

/** Half of the machine's memory, or of what the system lets this process have of it. */
export function usualMemory(): number {
  const limit = process.constrainedMemory();
  return Math.floor((limit > 0 ? Math.min(limit, totalmem()) : totalmem()) / 2);
}

/**
 * Counts the words of all documents. The result is the same for every number of threads, every limit of memory, and after every stop.
 * @throws CriaError when a text cannot be read, or what the folder keeps is of other texts or rules; the signal's reason when it aborts
 */
export async function countTexts(texts: Texts, rules: WordRules, options: CountOptions = {}): Promise<CountedTexts> {
  const { where = "data", pace = usualPace } = options;
  const job: CountJob = { rules, options: texts.options, stretchBytes: pace.stretchBytes, files: texts.files };
  const parts = await textParts(texts.files, texts.options, pace.stretchBytes, where);
  const folder = await CountFolder.of(job, texts.files.some(({ isPipe }) => isPipe) ? undefined : options.folder, where);
  try {
    const covered = (await folder.runsThere()).flatMap(({ header }) => header.covered);
    const open = openParts(parts, covered, where);
    const before = texts.bytes - sum(open.map(({ bytes }) => bytes));
    if (covered.length > 0) options.onNotice?.(`${folder.name}: ${share(before, texts.bytes)} of the texts were counted before`);
    const tables = await countOpen(job, open, before, folder, options);
    return await joined(tables, parts, folder, options);
  } catch (error) {
    await folder.removeTemporary();
    throw error;
  }
}

async function countOpen(job: CountJob, open: readonly OpenPart[], before: number, folder: CountFolder, options: CountOptions) {
  const { where = "data", threads = availableParallelism(), memory = usualMemory(), pace = usualPace } = options;
  const count = Math.max(1, Math.min(threads, open.length));
  const task = { ...job, where, tableBytes: Math.min(largestTable, (memory * tableShare) / count), runMs: pace.runMs };
  let done = before;
  const total = sum(job.files.map(({ bytes }) => bytes));
  const onBytes = (bytes: number) => {
    done = Math.min(total, done + bytes);
    options.onProgress?.({ task: "counting words", done, total, unit: "bytes", note: count === 1 ? "1 thread" : `${count} threads` });
  };
  const started = performance.now();
  const keepsStopped = () => folder.isThere || (folder.isKept && performance.now() - started > pace.worthKeepingMs);
  try {
    return await countInThreads(task, count, open, { folder, keepsStopped, onBytes, signal: options.signal });
  } catch (error) {
    if (folder.isKept && folder.isThere)
      options.onNotice?.(`${folder.name}: what was counted is kept there; the same command goes on behind it`);
    throw error;
  }
}

/** The threads' words, and those on disk, as one. */
async function joined(
  tables: readonly ThreadCounts[],
  parts: readonly TextPart[],
  folder: CountFolder,
  { where = "data", signal, onProgress }: CountOptions,
): Promise<CountedTexts> {
  if (!folder.isThere) {
    const held = tables.map(({ blocks }) => [...blocks]);
    const counts = mergeCounts(held.map((blocks) => ({ blocks: () => blocks })));
    const release = () => held.forEach((blocks) => blocks.splice(0));
    return {
      blocks: () => counts.blocks(),
      textBytes: sum(tables.map(({ textBytes }) => textBytes)),
      release,
      remove: async () => undefined,
    };
  }
  const run = await mergeRuns(await folder.runsThere(), await folder.path(), { where, signal, onProgress });
  check(
    openParts(parts, run.header.covered, where).length === 0,
    where,
    () => `${folder.name}: counts are missing there: remove it to count anew`,
  );
  return { blocks: () => run.blocks(), textBytes: run.header.textBytes, release: () => undefined, remove: () => folder.remove() };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function share(part: number, whole: number): string {
  return `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;
}
