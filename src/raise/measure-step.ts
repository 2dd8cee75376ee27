// How long a training step takes here, by running some on random tokens: what a run's length is planned by.
import type { Backend } from "../backend/index.ts";
import { Rng } from "../base/index.ts";
import { batchPositions } from "../model/index.ts";
import { Trainer, type TrainerOptions } from "../train/index.ts";

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
  const { batch, length } = trained.size;
  const rng = new Rng(trained.seed);
  const row = () => Int32Array.from({ length: batch * length }, () => rng.below(trained.config.vocabSize));
  // A row is one document, so that a mask leaves no work out.
  const documents = trained.documentMask && { positions: batchPositions(trained.size), firstKeys: new Int32Array(batch * length) };
  const oneBatch = () => ({ tokens: row(), targets: row(), ...(documents && { documents }) });
  const batches = () => Array.from({ length: trained.accumulation }, oneBatch);
  const times: number[] = [];
  for (const start = performance.now(); performance.now() - start < 1000 * seconds || times.length < leastSteps; ) {
    signal.throwIfAborted();
    const before = performance.now();
    await trainer.step(batches(), times.length + 1, 0);
    times.push((performance.now() - before) / 1000);
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}
