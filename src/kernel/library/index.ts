export { type ActivationSizes, activation, activationGradient, glu, gluGradient } from "./activation.ts";
export type { ActivationName } from "./activation-functions.ts";
export { type AttentionSizes, attention, attentionGradient, type CachedAttentionSizes, cachedAttention, cacheWrite } from "./attention.ts";
export { type CrossEntropySizes, countTargets, meanLoss, softmaxCrossEntropy } from "./cross-entropy.ts";
export { accumulate, add, assign, type Elements } from "./elementwise.ts";
export { type EmbeddingSizes, embeddingGradient, embeddingRows } from "./embedding.ts";
export { fewRows, matmul, rowsTimesMatrix } from "./matmul.ts";
export { layerNorm, layerNormGradient, type NormSizes, normGradientUnits, rmsNorm, rmsNormGradient, sumRows } from "./norm.ts";
export { type AdamwConstants, adamw, normFromPartials, sumOfSquares, sumOfSquaresUnits } from "./optimiser.ts";
export { type MatmulForm, type MatmulSizes, type PackSizes, packedBytes, packMatrix } from "./pack.ts";
export {
  multiplyAddPeak,
  multiplyAddPeakFlops,
  type PeakProduct,
  type PeakSizes,
  peakProducts,
  type StreamMix,
  type StreamSizes,
  stream,
  streamBytes,
} from "./peak.ts";
export { type QuantisedRows, quantisedLinesBytes, quantisedRowsBytes, quantiseLines, quantiseRows } from "./quantise.ts";
export { type QuantisedType, quantisedBytes } from "./quantised-blocks.ts";
export { packedQuantisedBytes, packQuantised, type QuantisedMatrix, quantisedMatmul } from "./quantised-matmul.ts";
export { type QuantisedSizes, type QuantisedTable, quantisedEmbeddingRows, quantisedRowsTimesMatrix } from "./quantised-rows.ts";
export { type RopeSizes, rope, ropeFrequencies } from "./rope.ts";
