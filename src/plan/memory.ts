// Bytes of a model's parts, in training and in serving. Activations are counted tensor by tensor as Korthikanti et al. do (2022,
// arXiv 2205.05198, section 4), for LLaMA's layer: no biases, no dropout, a gate, and attention that keeps no scores.
import { type LlamaConfig, llamaParameters, parameterCount } from "../model/index.ts";

/** Bytes a parameter takes while training. */
export interface TrainingPrecision {
  readonly name: string;
  readonly weights: number;
  readonly gradients: number;
  /** AdamW's two moments, and where the weights are short a long copy of them. */
  readonly optimiser: number;
  readonly activations: number;
}

/** Bytes per parameter and activation in the precisions of training. */
export const trainingPrecisions = {
  float32: { name: "float32", weights: 4, gradients: 4, optimiser: 8, activations: 4 },
  // Rajbhandari et al. 2019, arXiv 1910.02054, section 3.1: 16 bytes per parameter.
  mixed: { name: "bf16 mixed", weights: 2, gradients: 2, optimiser: 12, activations: 2 },
} as const satisfies Record<string, TrainingPrecision>;

/** Bytes a number takes while serving; q8_0 and q4_0 are GGUF's blocks of 32 with a 16-bit scale. */
export const servingPrecisions = { float32: 4, bf16: 2, q8_0: 34 / 32, q4_0: 18 / 32 } as const;

/** What the forward pass keeps for the backward pass; the rest runs again. */
export const keptActivations = {
  /** Everything that a gradient reads. */
  all: "all kept",
  /** LLaMA, section 2.4: outputs of linear layers and of attention stay, norms and activations run again. */
  linear: "norms and SwiGLU are recomputed",
  /** Only each layer's input: a whole forward pass more. */
  inputs: "layers are recomputed",
} as const;

/** The name of what is kept of activations for the backward pass. */
export type Kept = keyof typeof keptActivations;

/** Bytes of a model's training state. */
export interface StateBytes {
  readonly weights: number;
  readonly gradients: number;
  readonly optimiser: number;
}

/** Bytes of weights, gradients and optimiser of so many parameters. */
export function trainingStateBytes(parameters: number, { weights, gradients, optimiser }: TrainingPrecision): StateBytes {
  return { weights: parameters * weights, gradients: parameters * gradients, optimiser: parameters * optimiser };
}

/** Numbers that one layer keeps for a token. */
export function layerActivations(config: LlamaConfig, kept: Kept): number {
  const { dim: C, hiddenDim: F, nHeads: H } = config;
  const [Q, K] = [H * config.headDim, config.nKvHeads * config.headDim];
  const hasGate = llamaParameters({ ...config, nLayers: 1 }, { linear: () => true, other: () => true }).layers[0]?.ffn.gate === true;
  const beforeNorms = config.qkNorm ? Q + K : 0; // outputs of linear layers, beside the normalised and turned ones that attention reads
  switch (kept) {
    case "all":
      // x, norm(x), q, k, v, attention's output and its logarithms of sums; x, norm(x), gate and up, and what goes into down.
      return 4 * C + 2 * Q + 2 * K + H + beforeNorms + (hasGate ? 3 : 2) * F;
    case "linear":
      return 2 * C + 2 * Q + 2 * K + H + beforeNorms + (hasGate ? 2 : 1) * F;
    case "inputs":
      return C;
  }
}

/**
 * Bytes of what a forward pass over so many tokens keeps in all layers, with one layer's worth for those that run again.
 * Logits are left out: they are computed in chunks.
 */
export function activationBytes(config: LlamaConfig, tokens: number, kept: Kept, bytes: number): number {
  const working = kept === "all" ? 0 : layerActivations(config, "all") - layerActivations(config, kept);
  const ends = 2 * config.dim; // the last norm's input and output
  return tokens * bytes * (config.nLayers * layerActivations(config, kept) + working + ends);
}

/** Bytes of the keys and values of one sequence. */
export function kvCacheBytes(config: LlamaConfig, positions: number, bytes: number): number {
  return 2 * config.nLayers * config.nKvHeads * config.headDim * positions * bytes;
}

/** Bytes of all weights. @param bytes per parameter */
export function weightBytes(config: LlamaConfig, bytes: number): number {
  return parameterCount(config) * bytes;
}
