// LLaMA: Open and Efficient Foundation Language Models (Touvron et al. 2023, arXiv 2302.13971), section 2.2, as a graph.
// A Transformer decoder with pre-normalisation (from GPT-3), SwiGLU (from PaLM) and rotary positions (from GPT-NeoX).
//
// B sequences of T positions are N = B·T rows, row b·T + t. C channels of the residual stream, V vocabulary, F hidden channels,
// H query heads and KV key and value heads of D channels, S rows of a cache.
import { attention, cacheWrite, embedding, linear, type Tensor } from "../graph/index.ts";
import type { LlamaConfig } from "./config.ts";
import type { AttentionParameters, FeedForwardParameters, LlamaParameters, NormParameters } from "./parameters.ts";
import { feedForwards, norms, placements, positionKinds } from "./parts.ts";

export interface LlamaInputs {
  readonly tokens: Tensor; // i32 [N]
  /** Each row's place in its sequence, from 0; below `contextLength` where positions come from a table. */
  readonly positions: Tensor; // i32 [N]
  /** B; 1 with a cache. */
  readonly batch: number;
  /** Keys and values of earlier rows, to which these are added. */
  readonly cache?: KvCache;
}

export interface KvCache {
  /** Rows that the cache holds before the run; the first new row goes there. */
  readonly start: Tensor; // i32 [1]
  readonly layers: readonly { readonly key: Tensor; readonly value: Tensor }[]; // [S, KV·D]
}

/** The whole model but for the output projection: → [N, C], to be multiplied with {@link outputWeight}. */
export function llama(parameters: LlamaParameters<Tensor>, config: LlamaConfig, inputs: LlamaInputs): Tensor {
  const { enter } = positionKinds[config.positions];
  const { residual } = placements[config.normPlacement];
  const norm = (weights: NormParameters<Tensor>) => (x: Tensor) => norms[config.norm].apply(x, weights, config.normEpsilon);

  let x = enter(embedding(parameters.embedding, inputs.tokens), parameters.positionTable, inputs.positions); // [N, C]
  parameters.layers.forEach((layer, i) => {
    x = residual(x, norm(layer.attentionNorm), (h) => selfAttention(h, layer.attention, config, inputs, i)); // [N, C]
    x = residual(x, norm(layer.ffnNorm), (h) => feedForward(h, layer.ffn, config)); // [N, C]
  });
  return parameters.finalNorm ? norm(parameters.finalNorm)(x) : x; // [N, C]
}

/** [V, C]: logits = hidden · outputWeightᵀ. */
export function outputWeight(parameters: LlamaParameters<Tensor>): Tensor {
  return parameters.output ?? parameters.embedding;
}

/** Causal multi-head attention; with fewer key heads than query heads, grouped (Ainslie et al. 2023). */
function selfAttention(x: Tensor, weights: AttentionParameters<Tensor>, config: LlamaConfig, inputs: LlamaInputs, layer: number): Tensor {
  const { turn } = positionKinds[config.positions];
  const q = turn(linear(x, weights.query), inputs.positions, config); // [N, H·D]
  const k = turn(linear(x, weights.key), inputs.positions, config); // [N, KV·D]
  const v = linear(x, weights.value); // [N, KV·D]
  return linear(attend(q, k, v, config, inputs, layer), weights.output); // [N, C]
}

/** Over the rows themselves, or over a cache that they join first. */
function attend(q: Tensor, k: Tensor, v: Tensor, { nHeads, nKvHeads }: LlamaConfig, { batch, cache }: LlamaInputs, layer: number): Tensor {
  const sizes = { batch, heads: nHeads, kvHeads: nKvHeads };
  if (!cache) return attention(q, k, v, sizes); // [N, H·D]
  const { key, value } = cache.layers[layer]!;
  cacheWrite(key, k, cache.start);
  cacheWrite(value, v, cache.start);
  return attention(q, key, value, sizes, cache.start); // [N, H·D]
}

/** W_down · (Swish(W_gate · x) ⊙ W_up · x), or what the config's activation makes of it. */
function feedForward(x: Tensor, weights: FeedForwardParameters<Tensor>, config: LlamaConfig): Tensor {
  const hidden = feedForwards[config.activation].hidden(x, weights, config.swishBeta); // [N, F]
  return linear(hidden, weights.down); // [N, C]
}
