// Evaluation batches: every token once, in order.
import type { Batch } from "./batch.ts";
import type { Tokens } from "./token-store.ts";

/** A batch for evaluation, and how many of its targets count. */
export interface HeldOutBatch extends Batch {
  /** Targets that are not -1. */
  readonly count: number;
}

/**
 * Windows of T positions one after another, B to a batch: every token but the very first is a target exactly once. The last batch is filled up
 * with token 0 and target -1.
 */
export async function* heldOutBatches(
  tokens: Tokens,
  { batch, length }: { readonly batch: number; readonly length: number },
): AsyncGenerator<HeldOutBatch> {
  const size = batch * length;
  for (let first = 0; first < tokens.length - 1; first += size) {
    const count = Math.min(size, tokens.length - 1 - first);
    const row = await tokens.read(first, count + 1);
    const filled: HeldOutBatch = { tokens: new Int32Array(size), targets: new Int32Array(size).fill(-1), count };
    filled.tokens.set(row.subarray(0, count));
    filled.targets.set(row.subarray(1));
    yield filled;
  }
}
