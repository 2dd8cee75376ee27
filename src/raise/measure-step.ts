// How long a training step takes here, by running some on random tokens: what a run's length is planned by.
import type { Backend } from "../backend/index.ts";
import { median, Rng } from "../base/index.ts";
import type { Batch, BatchSource } from "../batches/index.ts";
import { batchPositions } from "../model/index.ts";
import { Trainer, type TrainerOptions, trainSteps } from "../train/index.ts";

const leastSteps = 3;

/**
 * The median of a step's seconds, its passes included, beside some time for compiling.
 * @param options.seconds for running steps; three are run in any case
 */
export async function measureStep(
  backend: Backend,
  trained: TrainerOptions,
  { seconds = 3, signal }: { readonly seconds?: number; readonly signal: AbortSignal },
): Promise<number> {
  using trainer = await Trainer.open(backend, trained, { signal });
  const times: number[] = [];
  const began = performance.now();
  const steps = { steps: Number.POSITIVE_INFINITY, learningRate: () => 0 };
  for await (const step of trainSteps({ trainer, batches: randomBatches(trained), ...steps, signal })) {
    times.push(step.seconds);
    if (times.length >= leastSteps && performance.now() - began >= 1000 * seconds) break;
  }
  signal.throwIfAborted();
  return median(times);
}

/** Random tokens, which have no position to go on from. A row is one document, so that a mask leaves no work out. */
function randomBatches({ config, size, seed, documentMask }: TrainerOptions): BatchSource<undefined> {
  const batchTokens = size.batch * size.length;
  const rng = new Rng(seed);
  const row = () => Int32Array.from({ length: batchTokens }, () => rng.below(config.vocabSize));
  const documents = documentMask && { positions: batchPositions(size), firstKeys: new Int32Array(batchTokens) };
  const next = async (): Promise<Batch> => ({ tokens: row(), targets: row(), ...(documents && { documents }) });
  return { batchTokens, next, state: undefined, restore: () => undefined };
}
