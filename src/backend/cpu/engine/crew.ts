// The worker threads: starting them, asking all of them one thing, noticing when one dies, ending them.
import { Worker } from "node:worker_threads";
import { CriaError } from "../../../base/index.ts";
import type { Answer, End, ToWorker, WorkerSetup } from "./protocol.ts";
import { abort, clearTickets } from "./tickets.ts";

interface Member {
  readonly worker: Worker;
  /** Those who wait for this worker's answers, which come in the order of the questions. */
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

export class Crew {
  readonly #tickets: readonly Int32Array[];
  /** When all threads have left the last run that had these tickets. */
  readonly #left: Promise<unknown>[] = [];
  #runs = 0;
  readonly #members: Member[] = [];
  /** Questions without an answer, and other work. While there is any, the threads keep the process alive; idle threads do not. */
  #busy = 0;
  /** Why no more questions can be asked. */
  #ended: Ending | undefined;

  private constructor({ tickets }: WorkerSetup) {
    this.#tickets = tickets;
  }

  /** Starts the threads, and resolves once all of them listen. @throws CriaError when the system gives fewer; none of them stays. */
  static async start(setup: WorkerSetup, threads: number): Promise<Crew> {
    const crew = new Crew(setup);
    try {
      for (let thread = 0; thread < threads; thread++) crew.#members.push(crew.#hire(setup, thread));
      await Promise.all(crew.#answers(() => {}));
      return crew;
    } catch (cause) {
      const started = `the system started ${crew.#members.length} of ${threads} threads`;
      await crew.dismiss(`${started}: set CRIA_THREADS to fewer`, cause as Error);
      throw cause instanceof CriaError ? cause : crew.#error(crew.#ended!);
    }
  }

  /** Sends every thread its message, and resolves with every thread's answer. @throws CriaError when a thread has died or dies meanwhile. */
  async ask(message: (thread: number) => ToWorker): Promise<Answer[]> {
    this.check();
    return Promise.all(this.#answers((worker, thread) => worker.postMessage(message(thread))));
  }

  /**
   * Lets every thread replay a program on these counts, with its own scratch, and resolves once the work is done or a kernel has trapped: a thread that the system has put
   * aside meanwhile may notice later, and finds nothing left to do. One call at a time. @throws CriaError as {@link ask} does.
   */
  async run(program: number, counts: readonly number[], scratch: (thread: number) => number): Promise<End> {
    const tickets = this.#runs++ % this.#tickets.length;
    await this.#left[tickets];
    this.check();
    clearTickets(this.#tickets[tickets]!);
    const answers = this.#answers((worker, thread) =>
      worker.postMessage({ type: "run", program, tickets, scratch: scratch(thread), counts } satisfies ToWorker),
    );
    this.#left[tickets] = Promise.allSettled(answers);
    const end = await firstEnd(answers);
    // After a trap others may still be in a kernel.
    if (end.trap !== undefined) await Promise.all(answers);
    return end;
  }

  /**
   * Keeps the process alive until the work is done. WebAssembly.compile alone does not: Node then drains its background tasks as if the process
   * ended, and waits for ever where one of them waits for the main thread's garbage collector.
   */
  async holding<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy++ === 0) for (const { worker } of this.#members) worker.ref();
    try {
      return await work();
    } finally {
      if (--this.#busy === 0) for (const { worker } of this.#members) worker.unref();
    }
  }

  /** Sends a message that has no answer. */
  tell(message: ToWorker): void {
    for (const { worker } of this.#members) worker.postMessage(message);
  }

  /** @throws CriaError once a thread has died or the crew was dismissed. */
  check(): void {
    if (this.#ended !== undefined) throw this.#error(this.#ended);
  }

  /** Ends every thread, also one in the middle of a kernel; open and later questions reject with `why`. */
  async dismiss(why: string, cause?: Error): Promise<void> {
    this.#ended ??= { why, cause };
    const error = this.#error(this.#ended);
    for (const { waiting } of this.#members) for (const { reject } of waiting.splice(0)) reject(error);
    this.#tickets.forEach(abort);
    await this.holding(() => Promise.all(this.#members.map(({ worker }) => worker.terminate())));
  }

  #error({ why, cause }: Ending): CriaError {
    return new CriaError("cpu", why, { cause });
  }

  #hire(setup: WorkerSetup, thread: number): Member {
    // No execArgv: what the main thread was started with, --input-type say, need not fit a worker.
    const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: setup, name: `cria-${thread}`, execArgv: [] });
    const waiting: Asker[] = [];
    worker.on("message", (answer: Answer) => waiting.shift()?.resolve(answer));
    worker.on("error", (error) => this.#lost(thread, String(error), error));
    worker.on("messageerror", (error) => this.#lost(thread, String(error), error));
    worker.on("exit", (code) => this.#lost(thread, `exit code ${code}`));
    return { worker, waiting };
  }

  #lost(thread: number, why: string, cause?: Error): void {
    if (this.#ended !== undefined) return;
    const message = `worker thread ${thread} died (${why}), and what it was at is lost: dispose of the engine and open another`;
    // Terminating cannot fail in a way that anyone could act on.
    void this.dismiss(message, cause);
  }

  #answers(send: (worker: Worker, thread: number) => void): Promise<Answer>[] {
    const answers = this.#members.map(
      ({ worker, waiting }, thread) =>
        new Promise<Answer>((resolve, reject) => {
          waiting.push({ resolve, reject });
          send(worker, thread);
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
