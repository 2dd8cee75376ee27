export { type ActivationSizes, activation, activationGradient, glu, gluGradient } from "./activation.ts";
export type { ActivationName } from "./activation-functions.ts";
export { type AttentionSizes, attention, attentionGradient } from "./attention.ts";
export { makesLines } from "./attention-output.ts";
export { type CrossEntropySizes, meanLoss, softmaxCrossEntropy } from "./cross-entropy.ts";
export { accumulate, add, addBias, assign, scale } from "./elementwise.ts";
export { type EmbeddingSizes, embeddingGradient, embeddingRows } from "./embedding.ts";
export { type GatedSizes, gatedLines, isGated } from "./gated-lines.ts";
export { logSumExpBlocks, logSumExpMerge } from "./log-sum-exp.ts";
export { maskLogits } from "./mask-logits.ts";
export { type MatmulSizes, matmul } from "./matmul.ts";
export { layerNorm, layerNormGradient, type NormSizes, normGradientUnits, rmsNorm, rmsNormGradient, sumRows } from "./norm.ts";
export { type NormLinesSizes, normLines } from "./norm-lines.ts";
export { type AdamwConstants, adamw, normFromPartials, sumOfSquares, sumOfSquaresUnits } from "./optimiser.ts";
export { keepsBits, type MatmulForm, type PackSizes, packedBytes, packMatrix, panelWord, unpackMatrix } from "./pack.ts";
export { type PageCopySizes, type PageWriteSizes, pageCopy, pageWrite } from "./page-write.ts";
export { dealtParts, mergeParts, pagedAttention, partsBytes } from "./paged-attention.ts";
export type { PagedAttentionSizes, Turning } from "./paged-work.ts";
export type { PoolSizes, PoolType } from "./pages.ts";
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
export { isSameLine, type QuantisedRows, quantisedLinesBytes, quantiseLines } from "./quantise.ts";
export type { QuantisedType } from "./quantised-blocks.ts";
export { type AddedSizes, type QuantisedSizes, quantisedMatmul } from "./quantised-matmul.ts";
export { packedQuantisedBytes, packQuantised, type QuantisedMatrix, unpackQuantised } from "./quantised-panels.ts";
export { type QuantisedPeakSizes, quantisedPeak, quantisedPeakBytes, quantisedPeakOperations } from "./quantised-peak.ts";
export { type RopeSizes, rope } from "./rope.ts";
export { blocksOfRow, type RowSizes } from "./row-blocks.ts";
export type { Elements, Live } from "./rows.ts";
export { groupsOfRow, type TopKSizes, topKBlocks, topKMerge } from "./top-k.ts";
export { turnedRows } from "./turned-rows.ts";
export type { PlainType } from "./weights.ts";
