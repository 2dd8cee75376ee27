// Threads that count: each is given the next part when it is done with one, so that a slow part holds up nobody.
import { Worker } from "node:worker_threads";
import { CriaError } from "../../base/index.ts";
import { explainWorker } from "../../files/index.ts";
import type { WordBlock } from "../../tokenizer/words/index.ts";
import type { CountFolder, CountJob } from "./count-folder.ts";
import type { CountTask, Order, Problem, Report } from "./count-worker.ts";
import type { OpenPart } from "./coverage.ts";

/** What a thread counted and did not write to disk. */
export interface ThreadCounts {
  readonly blocks: readonly WordBlock[];
  readonly textBytes: number;
}

/** What threads that count are given. */
export interface ThreadOptions {
  /** Where threads write what memory does not hold. */
  readonly folder: CountFolder;
  /** Whether what was counted is written when the count stops early. */
  readonly keepsStopped: () => boolean;
  readonly onBytes: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Counts all parts. @throws what went wrong in a thread, or the signal's reason; both end all threads, which may write first what they have */
export async function countInThreads(
  task: CountJob & Pick<CountTask, "where" | "tableBytes" | "runMs">,
  count: number,
  parts: readonly OpenPart[],
  options: ThreadOptions,
): Promise<readonly ThreadCounts[]> {
  const { signal } = options;
  signal?.throwIfAborted();
  const stopFlag = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const files = task.files.map(({ path, name, form }) => ({ path, name, form: form.name }));
  const queue = new PartQueue(parts, stopFlag);
  const threads = Array.from({ length: count }, () => new CountThread({ ...task, files, stopFlag }, options));
  const stop = () => queue.stop();
  signal?.addEventListener("abort", stop);
  try {
    const results = await Promise.allSettled(threads.map((thread) => thread.countAll(queue)));
    const failed = results.find((result) => result.status === "rejected");
    const hasStopped = failed !== undefined || signal?.aborted === true;
    const writes = hasStopped ? options.keepsStopped() : options.folder.isThere;
    const folder = writes ? await options.folder.path() : undefined;
    if (hasStopped && writes) await Promise.allSettled(threads.map((thread) => thread.finish(folder)));
    signal?.throwIfAborted();
    if (failed !== undefined) throw failed.reason;
    return await Promise.all(
      threads.map(async (thread) => {
        const counts = await thread.finish(folder);
        await thread[Symbol.asyncDispose]();
        return counts;
      }),
    );
  } finally {
    signal?.removeEventListener("abort", stop);
    await Promise.all(threads.map((thread) => thread[Symbol.asyncDispose]()));
  }
}

/** Texts are strings of a megabyte that die at once: a larger young generation keeps more of them, 20 MB per thread, and saves no time. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 };

/** The parts that no thread has begun. */
class PartQueue {
  readonly #parts: readonly OpenPart[];
  readonly #stopFlag: Int32Array;
  #next = 0;

  constructor(parts: readonly OpenPart[], stopFlag: SharedArrayBuffer) {
    this.#parts = parts;
    this.#stopFlag = new Int32Array(stopFlag);
  }

  next(): OpenPart | undefined {
    return this.#parts[this.#next++];
  }

  /** No thread begins another part, and each ends behind the piece that it counts. */
  stop(): void {
    this.#next = this.#parts.length;
    Atomics.store(this.#stopFlag, 0, 1);
  }
}

/** A thread, seen from outside. */
class CountThread implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #options: ThreadOptions;
  readonly #where: string;
  #hasEnded = false;

  constructor(task: CountTask, options: ThreadOptions) {
    // No execArgv: what the main thread was started with, --input-type say, need not fit a worker.
    this.#worker = new Worker(new URL("./count-worker.js", import.meta.url), { workerData: task, execArgv: [], resourceLimits });
    this.#options = options;
    this.#where = task.where;
    this.#worker.once("exit", () => {
      this.#hasEnded = true;
    });
  }

  async countAll(queue: PartQueue): Promise<void> {
    try {
      for (let part = queue.next(); part !== undefined; part = queue.next()) await this.#ask({ kind: "count", ...part });
    } catch (error) {
      queue.stop();
      throw error;
    }
  }

  /** What the thread has; written and no longer here where there is a folder. */
  async finish(folder: string | undefined): Promise<ThreadCounts> {
    const report = await this.#ask({ kind: "finish", folder });
    return report.kind === "finished" ? report : { blocks: [], textBytes: 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  /** Gives an order and waits until it is done; serves what the thread asks for meanwhile. */
  #ask(order: Order): Promise<Extract<Report, { kind: "idle" | "finished" }>> {
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      const end = () => {
        worker.off("message", hear);
        worker.off("error", fail);
        worker.off("exit", died);
      };
      const fail = (error: unknown) => {
        end();
        reject(explainWorker(this.#where, error));
      };
      const died = () =>
        fail(
          new CriaError(this.#where, "a thread that counts words has ended: give it less memory, or stop other programs", {
            ways: ["memory"],
          }),
        );
      if (this.#hasEnded) return died();
      const hear = (report: Report) => {
        if (report.kind === "read") this.#options.onBytes(report.bytes);
        else if (report.kind === "full") this.#tellFolder().catch(fail);
        else if (report.kind === "problem") fail(errorOf(report.problem));
        else {
          end();
          resolve(report);
        }
      };
      worker.on("message", hear);
      worker.on("error", fail);
      worker.on("exit", died);
      worker.postMessage(order);
    });
  }

  async #tellFolder(): Promise<void> {
    this.#worker.postMessage({ kind: "folder", path: await this.#options.folder.path() } satisfies Order);
  }
}

function errorOf({ message, where, code }: Problem): Error {
  const cause = Object.assign(new Error(message), { code });
  return where === undefined ? cause : new CriaError(where, message, { cause });
}
