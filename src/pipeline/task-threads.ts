// The threads of a run, each of which does one task after another, of all phases: starting one takes tenths of a second.
import { CriaError } from "../base/index.ts";
import { AskedWorker } from "../files/index.ts";
import { CurrentPlace } from "./current-place.ts";
import type { PipelineJob } from "./job.ts";
import type { TaskOrder, ThreadData } from "./pipeline-worker.ts";
import type { SharedContents } from "./step-files.ts";

const where = "data";

/** Threads that are started when they are first asked for. */
export class TaskThreads implements AsyncDisposable {
  readonly #job: PipelineJob;
  readonly #contents: SharedContents;
  readonly #threads: TaskThread[] = [];

  /** @param contents the files of steps, which all threads use where they lie */
  constructor(job: PipelineJob, contents: SharedContents) {
    [this.#job, this.#contents] = [job, contents];
  }

  /** How many were started. */
  get count(): number {
    return this.#threads.length;
  }

  /** So many threads. */
  take(count: number): readonly TaskThread[] {
    while (this.#threads.length < count) this.#threads.push(new TaskThread(this.#job, this.#contents));
    return this.#threads.slice(0, count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread[Symbol.asyncDispose]()));
  }
}

/** A thread, which does one task at a time. */
export class TaskThread implements AsyncDisposable {
  readonly #worker: AskedWorker;
  readonly #place = new CurrentPlace();

  constructor(job: PipelineJob, contents: SharedContents) {
    const data: ThreadData = { job, contents, place: this.#place.memory };
    this.#worker = new AskedWorker(new URL("./pipeline-worker.js", import.meta.url), { where, does: "cleans documents", data });
  }

  /** Does a task. @throws CriaError where it fails, or the thread ends, naming the document that it was at */
  async run(order: TaskOrder, onShare: (share: number) => void): Promise<void> {
    try {
      await this.#worker.ask(order, (share) => onShare(Number(share)));
    } catch (error) {
      const place = this.#place.read();
      if (!this.#worker.hasFailed || place === "") throw error;
      const message = (error as Error).message.replace(`[${where}] `, "");
      throw new CriaError(where, `${place}: ${message}`, { cause: error });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#worker[Symbol.asyncDispose]();
  }
}
