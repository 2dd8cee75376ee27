// The next batch is read while the machine computes on this one.
import type { Batch, BatchSource } from "../data/index.ts";

/** A batch, and the position of its source after it. */
export interface PlacedBatch extends Batch {
  readonly state: unknown;
}

export class Prefetcher {
  readonly #source: BatchSource<unknown>;
  #next: Promise<PlacedBatch> | undefined;

  constructor(source: BatchSource<unknown>) {
    this.#source = source;
  }

  /** The next batch; the one after it is on its way from now on, one at a time, so that each state belongs to its batch. */
  async take(): Promise<PlacedBatch> {
    const batch = await (this.#next ?? this.#fetch());
    this.#next = this.#fetch();
    this.#next.catch(() => undefined); // who takes it is told
    return batch;
  }

  /** Waits until nothing is being read any more. */
  async settle(): Promise<void> {
    await this.#next?.catch(() => undefined);
  }

  async #fetch(): Promise<PlacedBatch> {
    const batch = await this.#source.next();
    return { ...batch, state: this.#source.state };
  }
}
