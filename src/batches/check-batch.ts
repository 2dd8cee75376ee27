// What a batch must be before kernels read rows of weights by its ids.
import { check } from "../base/index.ts";
import type { Batch } from "./batch.ts";

/**
 * Holds a batch against the programs that are compiled for it.
 * @throws CriaError for another number of tokens or targets than B·T, and for an id outside of the vocabulary; a target may be negative, which counts nowhere
 */
export function checkBatch({ tokens, targets }: Batch, size: { readonly batch: number; readonly length: number }, vocabSize: number): void {
  const { batch, length } = size;
  const isWhole = tokens.length === batch * length && targets.length === batch * length;
  check(
    isWhole,
    "data",
    () =>
      `a batch has ${tokens.length} tokens and ${targets.length} targets, but ${batch} × ${length} are read: make batches of the size that was asked for`,
  );
  const odd = tokens.find((id) => id < 0 || id >= vocabSize) ?? targets.find((id) => id >= vocabSize);
  check(
    odd === undefined,
    "data",
    () => `a batch has the token ${odd}, but the model has ${vocabSize} tokens: encode the text with the model's own tokenizer`,
  );
}
