// Threads that encode batches of documents, seen from the thread that has started them.
import { Worker } from "node:worker_threads";
import { CriaError } from "../../base/index.ts";
import type { EncodedBatch, EncodeReport, EncodeTask } from "./encode-worker.ts";

/** Batches that a thread has before it, so that it waits for none. */
const ahead = 2;

/** Threads that take batches while they have room for some. */
export class EncodePool implements AsyncDisposable {
  readonly #threads: EncodeThread[];

  constructor(size: number, task: EncodeTask) {
    this.#threads = Array.from({ length: size }, () => new EncodeThread(task));
  }

  /** Whether a thread can take a batch. @throws why a thread could not go on */
  get hasRoom(): boolean {
    return this.#threads.some((thread) => thread.room > 0);
  }

  /** Gives a batch to the thread that has the fewest before it. */
  encode(batch: readonly string[]): Promise<EncodedBatch> {
    return this.#threads.reduce((best, thread) => (thread.room > best.room ? thread : best)).encode(batch);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }
}

interface Waiting {
  readonly resolve: (batch: EncodedBatch) => void;
  readonly reject: (error: unknown) => void;
}

/** A thread that answers in the order in which it is asked. */
class EncodeThread {
  readonly #worker: Worker;
  #isReady = false;
  #waiting: Waiting[] = [];
  #failure: unknown;

  constructor(task: EncodeTask) {
    // No execArgv: what the main thread was started with, --input-type say, need not fit a worker.
    this.#worker = new Worker(new URL("./encode-worker.js", import.meta.url), { workerData: task, execArgv: [] });
    this.#worker.on("message", (report: EncodeReport) => {
      if (report === "ready") this.#isReady = true;
      else this.#waiting.shift()?.resolve(report);
    });
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () =>
      this.#fail(new CriaError("data", "a thread that encodes documents has ended: give it less memory, or stop other programs")),
    );
  }

  /** How many batches may be sent. A thread that is still starting takes none, because what follows them would wait for it. */
  get room(): number {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#isReady ? ahead - this.#waiting.length : 0;
  }

  encode(batch: readonly string[]): Promise<EncodedBatch> {
    const answer = new Promise<EncodedBatch>((resolve, reject) => {
      if (this.#failure === undefined) this.#waiting.push({ resolve, reject });
      else reject(this.#failure);
    });
    this.#worker.postMessage(batch);
    return answer;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting) reject(this.#failure);
    this.#waiting = [];
  }
}
