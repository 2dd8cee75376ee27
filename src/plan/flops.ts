// Operations of a model of known shape, attention included, for a token (PaLM, Chowdhery et al. 2022, arXiv 2204.02311, appendix B).
import { type LlamaConfig, parameterCount, windowOf } from "../model/index.ts";

/**
 * 6·N + 12·L·d·T: forward and backward, multiply and add counted as two. As in the paper attention's half above the diagonal counts,
 * whether or not it is computed, so that utilisations compare.
 * @param length positions in a sequence
 */
export function trainingFlopsPerToken(config: LlamaConfig, length = config.contextLength): number {
  return 6 * parameterCount(config) + 3 * attentionFlopsPerToken(config, length);
}

/** 2·N + 4·L·d·T: a token read or written with T positions before it. */
export function servingFlopsPerToken(config: LlamaConfig, positions: number): number {
  return 2 * parameterCount(config) + attentionFlopsPerToken(config, positions);
}

/**
 * 4·L·d·T, the scores and the weighted sums of one token forward: d are the channels of all query heads, and in layers with a sliding
 * window T is at most the window.
 */
export function attentionFlopsPerToken(config: LlamaConfig, positions: number): number {
  const attended = Array.from({ length: config.nLayers }, (_, layer) => Math.min(positions, windowOf(config, layer) ?? positions));
  return 4 * config.nHeads * config.headDim * attended.reduce((sum, keys) => sum + keys, 0);
}

/** The share of the peak that training used: model FLOPs utilisation, 0 to 1. */
export function utilisationOf(flopsPerToken: number, tokensPerSecond: number, peak: number): number {
  return (flopsPerToken * tokensPerSecond) / peak;
}
