// The training loop: step after step, with the batches of the next one read meanwhile. Whoever drives it evaluates, logs, saves and stops between two steps.
import { eventsHandled } from "../base/index.ts";
import type { BatchSource } from "../batches/index.ts";
import type { LossWatch } from "./loss-watch.ts";
import { Prefetcher } from "./prefetch.ts";
import type { Trainer } from "./trainer.ts";

/** Where a run stands between two steps. */
export interface Position {
  /** Optimiser steps done. */
  readonly step: number;
  /** Tokens trained on. */
  readonly tokens: number;
  /** `BatchSource.state` after the batches of those steps. */
  readonly data: unknown;
}

/** What the training loop drives, and who is told of a step. */
export interface LoopOptions {
  readonly trainer: Trainer;
  /** A source of batches that stands at `from`. Batches are read ahead: what they say of their position is that of a later step, and `StepMetrics.data` that of the step. */
  readonly batches: BatchSource<unknown>;
  /** Steps of the whole run; Infinity for a loop that only its caller ends. */
  readonly steps: number;
  /** The rate of step 0, 1, …: see `learningRateAt`. */
  readonly learningRate: (step: number) => number;
  /** Where the run goes on; it begins when absent. */
  readonly from?: Position | undefined;
  /** Judges every step, and ends the loop by what it throws. Without it losses may be anything. */
  readonly watch?: LossWatch | undefined;
  /** Ends the loop behind the step that is running. */
  readonly signal?: AbortSignal | undefined;
}

/** A step that is done. The same run gives the same bits, but for what depends on time. */
export interface StepMetrics extends Position {
  /** Steps of the whole run. */
  readonly steps: number;
  /** Mean over the step's tokens before its update, in nats. */
  readonly loss: number;
  readonly learningRate: number;
  /** Norm of the step's mean gradient, before clipping. */
  readonly gradientNorm: number;
  /** Seconds that the step took, reading its batches included. */
  readonly seconds: number;
  readonly tokensPerSecond: number;
  /** The model's matrix work per second. */
  readonly flopsPerSecond: number;
  /** Seconds to the last step at the recent pace, what is done between steps left out. */
  readonly eta: number;
}

/**
 * Trains to the last step or the end of the step in which the signal aborts, and yields each step behind its update. The next step begins when the
 * next one is asked for.
 * @throws BadLossError of the watch
 */
export async function* trainSteps(options: LoopOptions): AsyncGenerator<StepMetrics, void, undefined> {
  const { trainer, batches: source, steps, learningRate: rateOf, watch, signal } = options;
  const stepTokens = trainer.batchesPerStep * source.batchTokens;
  const pace = new Pace();
  const batches = new Prefetcher(source, trainer.batchesPerStep);
  let { step, tokens } = options.from ?? { step: 0, tokens: 0 };
  try {
    while (step < steps && !signal?.aborted) {
      const learningRate = rateOf(step);
      const before = performance.now();
      const taken = await batches.take();
      const { loss, gradientNorm } = await trainer.step(taken.batches, step + 1, learningRate);
      const seconds = (performance.now() - before) / 1000;
      step++;
      tokens += stepTokens;
      watch?.see(step, loss, gradientNorm);
      pace.add(seconds);
      await eventsHandled(); // signals and timers get a turn, however fast the steps are, and whoever drives the loop hears an abort
      yield {
        ...{ step, steps, loss, learningRate, gradientNorm, tokens, data: taken.state, seconds },
        tokensPerSecond: stepTokens / seconds,
        flopsPerSecond: trainer.flopsPerStep / seconds,
        eta: (steps - step) * pace.mean,
      };
    }
  } finally {
    await batches.settle();
  }
}

/** Mean of the last seconds per step. */
class Pace {
  readonly #recent: number[] = [];

  add(seconds: number): void {
    this.#recent.push(seconds);
    if (this.#recent.length > 32) this.#recent.shift();
  }

  get mean(): number {
    return this.#recent.reduce((sum, seconds) => sum + seconds, 0) / Math.max(1, this.#recent.length);
  }
}
