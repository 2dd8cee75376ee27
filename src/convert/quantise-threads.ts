// Rows in a layout, piece by piece: on threads where the layout is searched, which takes a hundred nanoseconds per value.
import { availableParallelism } from "node:os";
import { AskedWorker } from "../files/index.ts";
import { quantiseRows, type WritableDType } from "../formats/index.ts";
import type { QuantiseOrder } from "./quantise-worker.ts";

const searched: readonly WritableDType[] = ["q4_K", "q5_K", "q6_K"];

/** Threads that start when they are first needed. Dispose of them, in the midst of a tensor too. */
export class QuantiseThreads implements AsyncDisposable {
  readonly #workers: AskedWorker[] = [];
  readonly #count: number;

  /** @param count how many there are at most */
  constructor(count = availableParallelism()) {
    this.#count = count;
  }

  /** The bytes of each piece, in order; as many pieces are in memory as there are threads. The same bytes come of any number of threads. */
  async *write(pieces: AsyncIterable<Float32Array>, how: Omit<QuantiseOrder, "values">): AsyncGenerator<Uint8Array> {
    const { dtype } = how;
    if (this.#count < 2 || !searched.includes(dtype)) {
      for await (const values of pieces) yield quantiseRows(dtype, { ...how, values });
      return;
    }
    const asked: Promise<unknown>[] = [];
    let next = 0;
    for await (const values of pieces) {
      // The oldest order is that of the thread whose turn it is.
      if (asked.length === this.#count) yield (await asked.shift()) as Uint8Array;
      const answer = this.#worker(next++ % this.#count).ask({ ...how, values } satisfies QuantiseOrder);
      answer.catch(() => undefined); // heard where it is waited for
      asked.push(answer);
    }
    for (const answer of asked) yield (await answer) as Uint8Array;
  }

  #worker(i: number): AskedWorker {
    this.#workers[i] ??= new AskedWorker(new URL("./quantise-worker.js", import.meta.url), {
      where: "convert",
      does: "quantises",
      data: undefined,
    });
    return this.#workers[i];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.splice(0).map((worker) => worker[Symbol.asyncDispose]()));
  }
}
