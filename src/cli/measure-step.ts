// How long a training step takes here, by running some on random tokens: what a run's length is planned by.
import type { Backend } from "../backend/index.ts";
import { type Precision, Rng } from "../base/index.ts";
import type { LlamaConfig } from "../model/index.ts";
import { Trainer } from "../train/index.ts";

const milliseconds = 3000;
const leastSteps = 3;

/** The median in seconds, of sequences as long as the model's context; about three seconds beside compiling. */
export async function measureStep(
  backend: Backend,
  config: LlamaConfig,
  batch: number,
  { seed = 0, precision = "float32", signal }: { readonly seed?: number; readonly precision?: Precision; readonly signal: AbortSignal },
): Promise<number> {
  const size = { batch, length: config.contextLength, recompute: false, precision };
  const adamw = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: 0.1 };
  using trainer = await Trainer.open(backend, { config, size, accumulation: 1, adamw, clipNorm: 1, seed });
  const rng = new Rng(seed);
  const row = () => Int32Array.from({ length: batch * config.contextLength }, () => rng.below(config.vocabSize));
  const times: number[] = [];
  for (const start = performance.now(); performance.now() - start < milliseconds || times.length < leastSteps; ) {
    signal.throwIfAborted();
    const before = performance.now();
    await trainer.step(async () => ({ tokens: row(), targets: row() }), times.length + 1, 0);
    times.push((performance.now() - before) / 1000);
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}
