// The batches of the next step are read while the machine computes on those of this one.
import type { Batch, BatchSource } from "../batches/index.ts";

/** The batches of a step, and the position of their source after them. */
export interface PlacedBatches {
  readonly batches: readonly Batch[];
  readonly state: unknown;
}

/** Reads the batches of the next step ahead. */
export class Prefetcher {
  readonly #source: BatchSource<unknown>;
  readonly #passes: number;
  #next: Promise<PlacedBatches> | undefined;

  /** @param passes batches per step */
  constructor(source: BatchSource<unknown>, passes: number) {
    this.#source = source;
    this.#passes = passes;
  }

  /** The next step's batches; those of the step after it are on their way from now on, one at a time, so that each state belongs to its step. */
  async take(): Promise<PlacedBatches> {
    const step = await (this.#next ?? this.#fetch());
    this.#next = this.#fetch();
    this.#next.catch(() => undefined); // who takes it is told
    return step;
  }

  /** Waits until nothing is being read any more. */
  async settle(): Promise<void> {
    await this.#next?.catch(() => undefined);
  }

  async #fetch(): Promise<PlacedBatches> {
    const batches: Batch[] = [];
    while (batches.length < this.#passes) batches.push(await this.#source.next());
    return { batches, state: this.#source.state };
  }
}
