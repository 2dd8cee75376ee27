// LLaMA: Open and Efficient Foundation Language Models (Touvron et al. 2023, arXiv 2302.13971), section 2.2, as a graph.
// A Transformer decoder with pre-normalisation (from GPT-3), SwiGLU (from PaLM) and rotary positions (from GPT-NeoX).
// The functions below `llama` are the paper's parts. A study, an adapter or a cache passes another part; parts.ts has those that configs name.
//
// B sequences of T positions are N = B·T rows, row b·T + t. C channels of the residual stream, V vocabulary, F hidden channels,
// H query heads and KV key and value heads of D channels.
import { fail } from "../base/index.ts";
import { add, attention, embedding, glu, rmsNorm, rope, type Tensor } from "../graph/index.ts";
import { type LlamaConfig, windowOf } from "./config.ts";
import type { Linear } from "./linear.ts";
import {
  type AttentionParameters,
  type FeedForwardParameters,
  type HeadNormParameters,
  type LlamaParameters,
  type NormParameters,
  required,
} from "./parameters.ts";
import { ropeAttention } from "./rope-frequencies.ts";

/** The whole model but for the output projection: → [N, C]. `outputProjection` makes logits of it. */
export function llama(weights: LlamaParameters<Linear>, parts: LlamaParts, config: LlamaConfig, { tokens, ...rows }: LlamaInputs): Tensor {
  const norm = (gains: NormParameters) => (x: Tensor) => parts.norm(x, gains, config);

  let x = parts.positions.addPosition(embedding(weights.embedding, tokens), rows.positions, weights.positionTable); // [N, C]
  weights.layers.forEach((layer, i) => {
    x = parts.layer(x, {
      attentionNorm: norm(layer.attentionNorm),
      attention: (h) => selfAttention(h, layer.attention, parts, config, { rows, layer: i }),
      ffnNorm: norm(layer.ffnNorm),
      feedForward: (h) => parts.feedForward(h, layer.ffn, config),
    }); // [N, C]
  });
  return weights.finalNorm ? norm(weights.finalNorm)(x) : x; // [N, C]
}

/** Pre-normalisation: the stream x itself is never normalised, only what the two halves of a layer read. */
function preNormLayer(x: Tensor, { attentionNorm, attention, ffnNorm, feedForward }: LayerHalves): Tensor {
  x = add(x, attention(attentionNorm(x))); // [N, C]
  return add(x, feedForward(ffnNorm(x))); // [N, C]
}

/** RMSNorm (Zhang & Sennrich 2019, arXiv 1910.07467): x / rms(x) · gain, row by row. */
function rootMeanSquareNorm(x: Tensor, { gain }: NormParameters, { normEpsilon }: LlamaConfig): Tensor {
  return rmsNorm(x, gain, normEpsilon);
}

/** Multi-head attention; with fewer key heads than query heads, grouped (Ainslie et al. 2023). x [N, C] → [N, C]. */
function selfAttention(
  x: Tensor,
  { query, key, value, output, queryNorm, keyNorm }: AttentionParameters<Linear>,
  { positions: { rotate }, attention }: LlamaParts,
  config: LlamaConfig,
  { rows, layer }: { readonly rows: RowPositions; readonly layer: number },
): Tensor {
  const q = rotate(normHeads(query.apply(x), queryNorm, config), rows, config, layer); // [N, H·D]
  const k = rotate(normHeads(key.apply(x), keyNorm, config), rows, config, layer); // [N, KV·D]
  const v = value.apply(x); // [N, KV·D]
  return output.apply(attention(q, k, v, layer)); // [N, C]
}

/** RMSNorm of each head of queries or keys [N, heads · D] by itself, where the model has a gain [D] for it. */
function normHeads(x: Tensor, norm: HeadNormParameters | undefined, { normEpsilon }: LlamaConfig): Tensor {
  return norm ? rmsNorm(x, norm.gain, normEpsilon) : x;
}

/** RoPE (Su et al. 2021, arXiv 2104.09864): queries and keys are rotated by their positions; nothing is added to the stream. */
const rotaryPositions: Positions = {
  addPosition: (x) => x,
  rotate: (x, { positions, turns }, config, layer) => {
    if (config.ropeLayers?.[layer] === false) return x;
    const table = turns ?? fail("model", "RoPE reads a table of turns, but the model was given none: declare it with declareTurns");
    const { headDim, ropePairing: pairing } = config;
    return rope(x, positions, table, { headDim, pairing, attentionFactor: ropeAttention(config) });
  },
};

/**
 * Causal attention of `batch` sequences of equal length: a row attends to itself and to the rows before it, the last ones where there is a window.
 * @param firstKeys i32 [N], for several documents in a sequence: each row attends to its own document's rows alone, from this one on
 */
export function causalAttention(config: LlamaConfig, batch: number, firstKeys?: Tensor): Attention {
  const sizes = { batch, heads: config.nHeads, kvHeads: config.nKvHeads };
  return (q, k, v, layer) => {
    const window = windowOf(config, layer);
    return attention(q, k, v, window === undefined ? sizes : { ...sizes, window }, firstKeys); // [N, H·D]
  };
}

/** SwiGLU (Shazeer 2020, arXiv 2002.05202): W_down · (Swish(W_gate · x) ⊙ W_up · x). */
function swiGlu(x: Tensor, { gate, up, down }: FeedForwardParameters<Linear>, { swishBeta }: LlamaConfig): Tensor {
  const hidden = glu(required(gate, "ffn.gate").apply(x), up.apply(x), { activation: "swish", beta: swishBeta }); // [N, F]
  return down.apply(hidden); // [N, C]
}

/** What the paper has; attention is chosen by who runs the model. */
export const paperParts: Omit<LlamaParts, "attention"> = {
  layer: preNormLayer,
  norm: rootMeanSquareNorm,
  positions: rotaryPositions,
  feedForward: swiGlu,
};

/** The rows of a run: N tokens and where they stand. */
export interface LlamaInputs extends RowPositions {
  readonly tokens: Tensor; // i32 [N]
}

/** Where N rows stand in their sequences. */
export interface RowPositions {
  /** Each row's place in its sequence, from 0; below `contextLength` where positions come from a table. */
  readonly positions: Tensor; // i32 [N]
  /** What RoPE turns a pair of channels by per position: the content is `ropeTableFor`'s; absent where positions are not rotary. */
  readonly turns?: Tensor | undefined; // i32 [2, A]
}

/** What the model is given beside its weights. */
export interface LlamaParts {
  readonly layer: Layer;
  readonly norm: Norm;
  readonly positions: Positions;
  readonly attention: Attention;
  readonly feedForward: FeedForward;
}

/** Puts a layer together of its halves: x [N, C] → [N, C]. */
export type Layer = (x: Tensor, halves: LayerHalves) => Tensor;
/** The halves of a layer and the norm of each, with their weights: [N, C] → [N, C]. */
export type LayerHalves = Readonly<Record<"attentionNorm" | "attention" | "ffnNorm" | "feedForward", (x: Tensor) => Tensor>>;

/** x [N, C] → [N, C], row by row. */
export type Norm = (x: Tensor, weights: NormParameters, config: LlamaConfig) => Tensor;

/** How rows know their positions, i32 [N]. */
export interface Positions {
  /** The embedded tokens [N, C] → [N, C]. @param table [contextLength, C], where the config's positions have one */
  addPosition(x: Tensor, positions: Tensor, table: Tensor | undefined): Tensor;
  /** The queries or the keys of a layer, [N, heads · D] → the same shape. */
  rotate(x: Tensor, rows: RowPositions, config: LlamaConfig, layer: number): Tensor;
}

/** q [N, H·D], k and v [N, KV·D], with q and k rotated by their positions → [N, H·D]. */
export type Attention = (q: Tensor, k: Tensor, v: Tensor, layer: number) => Tensor;

/** x [N, C] → [N, C]. */
export type FeedForward = (x: Tensor, weights: FeedForwardParameters<Linear>, config: LlamaConfig) => Tensor;
