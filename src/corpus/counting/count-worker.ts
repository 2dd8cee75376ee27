// A thread that counts the words of parts of texts. It is given one part after another, and writes a run when its table is full or a while is over.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { CriaError, cutText } from "../../base/index.ts";
import { type CutWords, type WordBlock, type WordRules, WordTable, wordCutter } from "../../tokenizer/words/index.ts";
import { type FormName, formCalled, readPart, type TextOptions } from "../texts/index.ts";
import type { CoveredPieces, OpenPart } from "./coverage.ts";
import { runEnding, writeRun } from "./run-file.ts";

/** What a thread is started with. */
export interface CountTask {
  readonly where: string;
  readonly rules: WordRules;
  readonly options: TextOptions;
  readonly stretchBytes: number;
  readonly files: readonly { readonly path: string; readonly name: string; readonly form: FormName }[];
  /** The words are written to disk when they take more bytes of memory. */
  readonly tableBytes: number;
  /** They are also written when they were counted for so long. */
  readonly runMs: number;
  /** An Int32: 1 ends the count behind the piece that is being counted. */
  readonly stopFlag: SharedArrayBuffer;
}

/** What each thread is told. */
export type Order =
  | ({ readonly kind: "count" } & OpenPart)
  /** Answers "full". */
  | { readonly kind: "folder"; readonly path: string }
  /** Nothing is left to count, or the count stops. The words go to the folder where there is one, else to who asked. */
  | { readonly kind: "finish"; readonly folder: string | undefined };

/** What each thread tells. */
export type Report =
  | { readonly kind: "read"; readonly bytes: number }
  /** The thread waits for a folder to write a run to. */
  | { readonly kind: "full" }
  /** The part is counted, or the thread saw that it has to stop. */
  | { readonly kind: "idle" }
  | { readonly kind: "finished"; readonly blocks: readonly WordBlock[]; readonly textBytes: number }
  | { readonly kind: "problem"; readonly problem: Problem };

/** Threads send no classes, so an error goes as its parts. */
export interface Problem {
  readonly message: string;
  /** The place that a {@link CriaError} names; undefined for any other error, whose stack is `message`. */
  readonly where: string | undefined;
  readonly code: string | undefined;
}

/** UTF-16 units that are counted between two looks at memory, clock and flag. */
const longestPiece = 1 << 20;

class CountThread {
  readonly #task: CountTask;
  readonly #stopFlag: Int32Array;
  readonly #cut: CutWords;
  readonly #ask: (report: Report, transferred?: readonly ArrayBuffer[]) => void;
  #table = new WordTable();
  #covered: CoveredPieces[] = [];
  #textBytes = 0;
  #lastRun = performance.now();
  #onFolder: ((path: string) => void) | undefined;

  constructor(task: CountTask, ask: (report: Report, transferred?: readonly ArrayBuffer[]) => void) {
    this.#task = task;
    this.#stopFlag = new Int32Array(task.stopFlag);
    this.#cut = wordCutter(task.rules);
    this.#ask = ask;
  }

  async take(order: Order): Promise<void> {
    if (order.kind === "folder") this.#onFolder?.(order.path);
    else if (order.kind === "finish") await this.#finish(order.folder);
    else {
      await this.#count(order);
      this.#ask({ kind: "idle" });
    }
  }

  async #count({ file, stretch, skip }: OpenPart): Promise<void> {
    const { where, files, stretchBytes, options } = this.#task;
    const { form, ...named } = files[file]!;
    const onBytes = (bytes: number) => this.#ask({ kind: "read", bytes });
    const cover = (from: number, to: number | null) => this.#covered.push([file, stretch ?? 0, from, to]);
    let from = skip;
    let piece = 0;
    try {
      for await (const document of readPart({ ...named, form: formCalled(form) }, stretch, stretchBytes, options, { where, onBytes }))
        for (const text of cutText(document.text, longestPiece)) {
          if (piece++ < skip) continue;
          this.#cut(text, this.#table);
          this.#textBytes += Buffer.byteLength(text);
          if (this.#stops) return;
          if (!this.#isFull) continue;
          cover(from, piece);
          from = piece;
          await this.#write(await this.#folder());
        }
      cover(from, null);
      from = piece;
    } finally {
      // What was counted of a part that is not counted to its end.
      if (piece > from) cover(from, piece);
    }
  }

  get #stops(): boolean {
    return Atomics.load(this.#stopFlag, 0) === 1;
  }

  get #isFull(): boolean {
    return this.#table.usedBytes > this.#task.tableBytes || performance.now() - this.#lastRun > this.#task.runMs;
  }

  #folder(): Promise<string> {
    this.#ask({ kind: "full" });
    return new Promise((resolve) => {
      this.#onFolder = resolve;
    });
  }

  async #write(folder: string): Promise<void> {
    const header = { covered: this.#covered, textBytes: this.#textBytes, replaces: [] };
    await writeRun(join(folder, `${randomUUID()}${runEnding}`), header, this.#table, this.#task.where);
    this.#clear();
  }

  #clear(): void {
    this.#table = new WordTable();
    this.#covered = [];
    this.#textBytes = 0;
    this.#lastRun = performance.now();
  }

  async #finish(folder: string | undefined): Promise<void> {
    const textBytes = this.#textBytes;
    if (folder !== undefined && this.#covered.length > 0) await this.#write(folder);
    const blocks = folder === undefined ? [...this.#table.blocks()] : [];
    this.#clear();
    const buffers = blocks.flatMap(({ bytes, ends, counts }) => [bytes.buffer, ends.buffer, counts.buffer]);
    this.#ask({ kind: "finished", blocks, textBytes }, buffers);
  }
}

function problemOf(error: unknown): Problem {
  const { code } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
  if (!(error instanceof CriaError)) return { message: (error as Error).stack ?? String(error), where: undefined, code };
  return { message: error.message.replace(`[${error.where}] `, ""), where: error.where, code };
}

const port = parentPort!;
const thread = new CountThread(workerData as CountTask, (report, transferred = []) => port.postMessage(report, transferred));
port.on("message", (order: Order) => {
  thread.take(order).catch((error: unknown) => port.postMessage({ kind: "problem", problem: problemOf(error) } satisfies Report));
});
