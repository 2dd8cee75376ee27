// Every op there is. The automatic checks run over this list: gradients against finite differences, backends against the reference.
import type { Attributes, Op } from "../op.ts";
import { activationGradientOp, activationOp } from "./activation.ts";
import { adamwOp } from "./adamw.ts";
import { addOp } from "./add.ts";
import { addBiasGradientOp, addBiasOp } from "./add-bias.ts";
import { accumulateOp, assignOp } from "./assign.ts";
import { attentionGradientOp, attentionOp } from "./attention.ts";
import { embeddingGradientOp, embeddingOp } from "./embedding.ts";
import { gluGradientOp, gluOp } from "./glu.ts";
import { gradientNormOp } from "./gradient-norm.ts";
import { layerNormGradientOp, layerNormOp } from "./layer-norm.ts";
import { linearCrossEntropyOp } from "./linear-cross-entropy.ts";
import { logSumExpOp } from "./log-sum-exp.ts";
import { maskLogitsOp } from "./mask-logits.ts";
import { matmulOp } from "./matmul.ts";
import { pageCopyOp } from "./page-copy.ts";
import { pageWriteOp } from "./page-write.ts";
import { pagedAttentionOp } from "./paged-attention.ts";
import { rmsNormGradientOp, rmsNormOp } from "./rms-norm.ts";
import { ropeOp } from "./rope.ts";
import { scaleOp } from "./scale.ts";
import { topKOp } from "./top-k.ts";

export { activation } from "./activation.ts";
export { type ActivationAttributes, type ActivationFunctionName, activationFunctions } from "./activation-functions.ts";
export { type AdamwAttributes, type AdamwInputs, adamw, adamwHyper } from "./adamw.ts";
export { add } from "./add.ts";
export { addBias } from "./add-bias.ts";
export { accumulate, assign } from "./assign.ts";
export { type AttentionAttributes, attention } from "./attention.ts";
export { type EmbeddingGradientAttributes, embedding, embeddingGradient } from "./embedding.ts";
export { glu } from "./glu.ts";
export { gradientNorm } from "./gradient-norm.ts";
export { layerNorm } from "./layer-norm.ts";
export { type CrossEntropy, type LinearCrossEntropyAttributes, linearCrossEntropy } from "./linear-cross-entropy.ts";
export { logSumExp } from "./log-sum-exp.ts";
export { maskLogits } from "./mask-logits.ts";
export { linear, type MatmulAttributes, type MatmulForm, matmul } from "./matmul.ts";
export { pageCopy } from "./page-copy.ts";
export { type PagedRows, type PagePool, pagedRowInputs, pageKeys, pageTiles, poolType, tileRows } from "./page-pool.ts";
export { type PageWriteAttributes, pageWrite } from "./page-write.ts";
export { type PagedAttentionAttributes, pagedAttention } from "./paged-attention.ts";
export { type NormAttributes, rmsNorm } from "./rms-norm.ts";
export { type RopeAttributes, rope, ropeTurns } from "./rope.ts";
export { scale } from "./scale.ts";
export { mostTopK, type TopKAttributes, topK } from "./top-k.ts";

/** All ops by name, with their types, by which lowerings are typed. */
export const opsByName = {
  embedding: embeddingOp,
  embeddingGradient: embeddingGradientOp,
  matmul: matmulOp,
  rmsNorm: rmsNormOp,
  rmsNormGradient: rmsNormGradientOp,
  layerNorm: layerNormOp,
  layerNormGradient: layerNormGradientOp,
  rope: ropeOp,
  attention: attentionOp,
  attentionGradient: attentionGradientOp,
  pageWrite: pageWriteOp,
  pageCopy: pageCopyOp,
  pagedAttention: pagedAttentionOp,
  maskLogits: maskLogitsOp,
  topK: topKOp,
  logSumExp: logSumExpOp,
  glu: gluOp,
  gluGradient: gluGradientOp,
  activation: activationOp,
  activationGradient: activationGradientOp,
  add: addOp,
  addBias: addBiasOp,
  addBiasGradient: addBiasGradientOp,
  scale: scaleOp,
  linearCrossEntropy: linearCrossEntropyOp,
  gradientNorm: gradientNormOp,
  adamw: adamwOp,
  assign: assignOp,
  accumulate: accumulateOp,
} as const;

/** The ops by the names of their records. */
export type OpsByName = typeof opsByName;

/** All ops: what is checked because an op exists goes over these. */
export const ops: readonly Op<Attributes>[] = Object.values<Op<Attributes>>(opsByName);
