export { consumeEarly } from "./consume-early.ts";
export type { TypedOp } from "./define-op.ts";
export { exampleBytes, exampleValues } from "./example.ts";
export { flopsOf } from "./flops.ts";
export { gradients } from "./gradient.ts";
export type { Attributes, ByName, Example, ExampleInput, GradientContext, Op, Values } from "./op.ts";
export {
  type ActivationAttributes,
  type ActivationFunctionName,
  type AdamwAttributes,
  type AdamwInputs,
  type AttentionAttributes,
  accumulate,
  activation,
  activationFunctions,
  adamw,
  adamwHyper,
  add,
  addBias,
  assign,
  attention,
  type CrossEntropy,
  type EmbeddingGradientAttributes,
  embedding,
  embeddingGradient,
  glu,
  gradientNorm,
  type LinearCrossEntropyAttributes,
  layerNorm,
  linear,
  linearCrossEntropy,
  logSumExp,
  type MatmulAttributes,
  type MatmulForm,
  maskLogits,
  matmul,
  mostTopK,
  type NormAttributes,
  type OpsByName,
  ops,
  type PagedAttentionAttributes,
  type PagedRows,
  type PagePool,
  type PageWriteAttributes,
  pageCopy,
  pagedAttention,
  pagedRowInputs,
  pageKeys,
  pageTiles,
  pageWrite,
  poolType,
  type RopeAttributes,
  rmsNorm,
  rope,
  ropeTurns,
  scale,
  type TopKAttributes,
  tileRows,
  topK,
} from "./ops/index.ts";

export { alignment, type Lifetime, type MemoryPlan, type PlannedNode, planMemory, tensorBytes } from "./plan-memory.ts";
export { printGraph, printPlan } from "./print.ts";
export { recompute } from "./recompute.ts";
export { type Named, type Sizes, showType } from "./signature.ts";
export { f32, Graph, i32, type Node, type Role, type Tensor, type TensorType } from "./tensor.ts";
