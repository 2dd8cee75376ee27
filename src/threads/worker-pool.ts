// The worker threads: starting them, asking all of them one thing, noticing when one dies, ending them.
import { CriaError } from "../base/index.ts";
import type { Answer, End, ToWorker, WorkerSetup } from "./protocol.ts";
import type { Thread, ThreadHost } from "./thread-host.ts";
import type { ThreadPool } from "./thread-pool.ts";
import { abort, clearTickets } from "./tickets.ts";
import type { OnTimes } from "./watch.ts";

interface PooledThread {
  readonly thread: Thread;
  /** Those who wait for this thread's answers, which come in the order of the questions. */
  readonly waiting: Asker[];
}

/** Both ends of a promise. */
interface Asker {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: CriaError) => void;
}

interface Ending {
  readonly why: string;
  readonly cause?: Error | undefined;
}

/** The pool of worker threads. */
export class WorkerPool implements ThreadPool {
  readonly #tickets: readonly Int32Array[];
  /** Promises, one per set of tickets, that resolve when all threads have left the last run that had it. */
  readonly #left: Promise<unknown>[] = [];
  #runs = 0;
  readonly #pool: PooledThread[] = [];
  /** Questions without an answer, and other work. While there is any, the threads keep the process alive; idle threads do not. */
  #busy = 0;
  /** Why no more questions can be asked. */
  #ended: Ending | undefined;

  private constructor({ tickets }: WorkerSetup) {
    this.#tickets = tickets;
  }

  get threads(): number {
    return this.#pool.length;
  }

  /** Starts the threads, and resolves once all of them listen. @throws CriaError when the system gives fewer; none of them stays. */
  static async start(host: ThreadHost, setup: WorkerSetup, threads: number): Promise<WorkerPool> {
    const pool = new WorkerPool(setup);
    try {
      for (let thread = 0; thread < threads; thread++) pool.#pool.push(pool.#start(host, setup, thread));
      await Promise.all(pool.#answers(() => {}));
      return pool;
    } catch (cause) {
      const started = `the system started ${pool.#pool.length} of ${threads} threads`;
      await pool.terminate(`${started}: ask for fewer`, cause as Error);
      throw cause instanceof CriaError ? cause : pool.#error(pool.#ended!);
    }
  }

  async ask(message: (thread: number) => ToWorker): Promise<Answer[]> {
    this.check();
    return Promise.all(this.#answers((thread, i) => thread.post(message(i))));
  }

  /** A thread that the system has put aside meanwhile may notice the end later, and finds nothing left to do. */
  async run(program: number, counts: readonly number[], scratch: (thread: number) => number, onTimes?: OnTimes): Promise<End> {
    const tickets = this.#runs++ % this.#tickets.length;
    await this.#left[tickets];
    this.check();
    clearTickets(this.#tickets[tickets]!);
    const run = { type: "run", program, tickets, counts, isTimed: onTimes !== undefined } as const;
    const answers = this.#answers((thread, i) => thread.post({ ...run, scratch: scratch(i) }));
    this.#left[tickets] = Promise.allSettled(answers);
    const end = await firstEnd(answers);
    // Other threads may still be in a kernel after a trap.
    if (end.trap !== undefined || onTimes) for (const { times } of await Promise.all(answers)) if (times) onTimes?.(times);
    return end;
  }

  /**
   * Keeps the process alive until the work is done. WebAssembly.compile alone does not: Node then drains its background tasks as if the process
   * ended, and waits for ever where one of them waits for the main thread's garbage collector.
   */
  async holding<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy++ === 0) for (const { thread } of this.#pool) thread.keepAlive(true);
    try {
      return await work();
    } finally {
      if (--this.#busy === 0) for (const { thread } of this.#pool) thread.keepAlive(false);
    }
  }

  tell(message: ToWorker): void {
    for (const { thread } of this.#pool) thread.post(message);
  }

  check(): void {
    if (this.#ended !== undefined) throw this.#error(this.#ended);
  }

  async terminate(why: string, cause?: Error): Promise<void> {
    this.#ended ??= { why, cause };
    const error = this.#error(this.#ended);
    for (const { waiting } of this.#pool) for (const { reject } of waiting.splice(0)) reject(error);
    this.#tickets.forEach(abort);
    await this.holding(() => Promise.all(this.#pool.map(({ thread }) => thread.terminate())));
  }

  #error({ why, cause }: Ending): CriaError {
    return new CriaError("cpu", why, { cause });
  }

  #start(host: ThreadHost, setup: WorkerSetup, i: number): PooledThread {
    const waiting: Asker[] = [];
    const answer = (said: Answer) => waiting.shift()?.resolve(said);
    const lost = (why: string, cause?: Error) => this.#lost(i, why, cause);
    return { thread: host.start(setup, i, { answer, lost }), waiting };
  }

  #lost(thread: number, why: string, cause?: Error): void {
    if (this.#ended !== undefined) return;
    const message = `worker thread ${thread} died (${why}), and what it was at is lost: dispose of the engine and open another`;
    // Terminating cannot fail in a way that anyone could act on.
    void this.terminate(message, cause);
  }

  #answers(send: (thread: Thread, i: number) => void): Promise<Answer>[] {
    const answers = this.#pool.map(
      ({ thread, waiting }, i) =>
        new Promise<Answer>((resolve, reject) => {
          waiting.push({ resolve, reject });
          send(thread, i);
        }),
    );
    void this.holding(() => Promise.allSettled(answers));
    return answers;
  }
}

function firstEnd(answers: readonly Promise<Answer>[]): Promise<End> {
  return new Promise((resolve, reject) => {
    for (const answer of answers) answer.then(({ end }) => end && resolve(end), reject);
  });
}
