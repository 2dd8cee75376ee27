// A worker thread that is given one order after another and answers each: both of its halves. Threads send no classes, so an error goes as its parts.
import { parentPort, Worker } from "node:worker_threads";
import { CriaError } from "../base/index.ts";
import { explainWorker } from "./missing-worker.ts";

/** What a thread says while it works on an order, and at its end. */
type Message = { readonly report: unknown } | { readonly answer: unknown } | { readonly problem: Problem };

interface Problem {
  readonly message: string;
  /** The place that a {@link CriaError} names; undefined for any other error, whose stack is `message`. */
  readonly where: string | undefined;
  readonly code: string | undefined;
}

/** How a thread is started, and what messages call its work. */
export interface AskedWorkerOptions {
  /** The part that asks, for `[where]`. */
  readonly where: string;
  /** What the thread does, for the message of its end, such as "cleans documents". */
  readonly does: string;
  /** `workerData` of the thread. */
  readonly data: unknown;
}

/** A thread, seen from outside. It takes one order at a time. */
export class AskedWorker implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #options: AskedWorkerOptions;
  #hasEnded = false;
  #hasFailed = false;

  constructor(url: URL, options: AskedWorkerOptions) {
    // No execArgv: what the main thread was started with, --input-type say, need not fit a worker.
    this.#worker = new Worker(url, { workerData: options.data, execArgv: [] });
    this.#options = options;
    this.#worker.once("exit", () => {
      this.#hasEnded = true;
    });
  }

  /** Whether the thread ended, or failed outside of an order. */
  get hasFailed(): boolean {
    return this.#hasEnded || this.#hasFailed;
  }

  /** Gives an order. @returns the answer @throws what went wrong in the thread, or that it has ended */
  ask(order: unknown, onReport: (report: unknown) => void = () => undefined): Promise<unknown> {
    const worker = this.#worker;
    const { where, does } = this.#options;
    return new Promise((resolve, reject) => {
      const end = () => {
        worker.off("message", hear);
        worker.off("error", fail);
        worker.off("exit", died);
      };
      const refuse = (error: unknown) => {
        end();
        reject(explainWorker(where, error));
      };
      const fail = (error: unknown) => {
        this.#hasFailed = true;
        refuse(error);
      };
      const died = () => fail(new CriaError(where, `a thread that ${does} has ended: give it less memory, or stop other programs`));
      if (this.#hasEnded) return died();
      const hear = (message: Message) => {
        if ("report" in message) return onReport(message.report);
        if ("problem" in message) return refuse(errorOf(message.problem));
        end();
        resolve(message.answer);
      };
      worker.on("message", hear);
      worker.on("error", fail);
      worker.on("exit", died);
      worker.postMessage(order);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}

/** The thread's own half: answers every order that it is given. */
export function answerOrders<Order>(take: (order: Order, report: (report: unknown) => void) => Promise<unknown>): void {
  const port = parentPort;
  if (port === null) throw new Error("this file is a worker thread's");
  const say = (message: Message) => port.postMessage(message);
  port.on("message", (order: Order) => {
    take(order, (report) => say({ report })).then(
      (answer) => say({ answer }),
      (error: unknown) => say({ problem: problemOf(error) }),
    );
  });
}

function errorOf({ message, where, code }: Problem): Error {
  const cause = Object.assign(new Error(message), { code });
  return where === undefined ? cause : new CriaError(where, message, { cause });
}

function problemOf(error: unknown): Problem {
  const { code } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
  if (!(error instanceof CriaError)) return { message: (error as Error).stack ?? String(error), where: undefined, code };
  return { message: error.message.replace(`[${error.where}] `, ""), where: error.where, code };
}
