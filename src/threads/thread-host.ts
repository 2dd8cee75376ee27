// The port behind which threads are started: Node's worker_threads, a page's web workers, or nothing, in which case the calling thread computes alone.
import type { Answer, ToWorker, WorkerSetup } from "./protocol.ts";

/** What starts threads on a platform. */
export interface ThreadHost {
  /** How many threads an engine takes where nobody says: 1 to {@link maximumThreads}. */
  readonly defaultThreads: () => number;
  /**
   * Starts a thread that answers its start and every message but `unload`, in their order (see `worker.ts`).
   * @param thread counts the threads of an engine from 0. @throws Error when the system starts no thread.
   */
  start(setup: WorkerSetup, thread: number, events: ThreadEvents): Thread;
}

/** What a thread tells whoever started it. */
export interface ThreadEvents {
  answer(answer: Answer): void;
  /** The thread has ended, or never began. @param why the end of a sentence for people. */
  lost(why: string, cause?: Error): void;
}

/** A thread that was started. */
export interface Thread {
  post(message: ToWorker): void;
  /** Whether the thread keeps the process alive. */
  keepAlive(wish: boolean): void;
  /** Ends the thread, also in the middle of a kernel. */
  terminate(): Promise<void>;
}
