// A sample of held-out text that is the same at every evaluation: windows at even distances, so that every source has its share.
import { type HeldOutBatch, heldOutBatches, type Tokens } from "../batches/index.ts";
import type { BatchSize } from "../model/index.ts";

/** Whole windows of roughly `wanted` tokens together; all of them, each once, when there are no more than that. */
export async function* spreadBatches(tokens: Tokens, size: BatchSize, wanted: number): AsyncGenerator<HeldOutBatch> {
  const windows = Math.floor((tokens.length - 1) / size.length);
  const chosen = Math.ceil(wanted / size.length);
  if (chosen >= windows) return yield* heldOutBatches(tokens, size);
  const starts = Array.from({ length: chosen }, (_, i) => Math.floor((i * windows) / chosen) * size.length);
  for (let first = 0; first < chosen; first += size.batch) yield readWindows(tokens, size, starts.slice(first, first + size.batch));
}

/** Rows beyond the windows have token 0 and no target. */
async function readWindows(tokens: Tokens, { batch, length }: BatchSize, starts: readonly number[]): Promise<HeldOutBatch> {
  const filled = {
    tokens: new Int32Array(batch * length),
    targets: new Int32Array(batch * length).fill(-1),
    count: starts.length * length,
  };
  for (const [row, start] of starts.entries()) {
    const window = await tokens.read(start, length + 1);
    filled.tokens.set(window.subarray(0, length), row * length);
    filled.targets.set(window.subarray(1), row * length);
  }
  return filled;
}
