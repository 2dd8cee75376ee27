// How much each token of a text looks at those before it, by layer and head. Attention computes in tiles and stores no scores; here they are computed
// again from the queries and keys that a pass kept.
import { check } from "../base/index.ts";
import { windowOf } from "../model/index.ts";
import type { SequenceOptions } from "./sequence.ts";
import type { SequenceModel } from "./sequence-model.ts";

/** What attention weights are of, and how they are computed. */
export interface AttentionWeightsOptions extends SequenceOptions {
  /** The layer, counted from 0. */
  readonly layer: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * softmax(q·k / √D) of a text of T tokens in a layer: for each query head [T, T], a row per token, whose weights of itself and of those before it add up to 1.
 * @throws CriaError where the model has no such layer, or the text has no token or does not fit the context; the signal's reason when it is aborted
 */
export async function attentionWeights(
  model: SequenceModel,
  ids: ArrayLike<number>,
  { layer, signal, cacheSalt }: AttentionWeightsOptions,
): Promise<Float32Array[]> {
  const { nLayers, nHeads, nKvHeads, headDim } = model.config;
  check(
    Number.isInteger(layer) && layer >= 0 && layer < nLayers,
    "infer",
    () => `layer is ${layer}, but the model has the layers 0 to ${nLayers - 1}`,
  );
  using forQueries = model.sequence({ cacheSalt });
  using forKeys = model.sequence({ cacheSalt });
  const [{ hidden: queries }, { hidden: keys }] = await model.run(
    [
      { sequence: forQueries, ids, logits: "none", hidden: { output: `queries.${layer}`, rows: "all" } },
      { sequence: forKeys, ids, logits: "none", hidden: { output: `keys.${layer}`, rows: "all" } },
    ],
    signal,
  );
  const headOf = (rows: readonly Float32Array[], head: number) => rows.map((row) => row.subarray(head * headDim, (head + 1) * headDim));
  const window = windowOf(model.config, layer) ?? ids.length;
  return Array.from({ length: nHeads }, (_, head) =>
    headWeights(headOf(queries, head), headOf(keys, Math.floor((head * nKvHeads) / nHeads)), window),
  );
}

/** [T, T]; 0 where a token is not looked at. @param window keys that a row attends at most */
function headWeights(queries: readonly Float32Array[], keys: readonly Float32Array[], window: number): Float32Array {
  const T = queries.length;
  const weights = new Float32Array(T * T);
  for (const [row, query] of queries.entries()) {
    const first = Math.max(0, row + 1 - window);
    weights.set(softmax(keys.slice(first, row + 1).map((key) => dot(query, key) / Math.sqrt(query.length))), row * T + first);
  }
  return weights;
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * (b[i] ?? Number.NaN), 0);
}

function softmax(scores: readonly number[]): number[] {
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((all, power) => all + power, 0);
  return powers.map((power) => power / sum);
}
