export {
  type ActivationName,
  feedForwardWidth,
  isGated,
  type LlamaConfig,
  type LlamaSizes,
  llamaConfig,
  type NormName,
  type NormPlacement,
  ntkTheta,
  numberRanges,
  type PositionName,
  partNames,
  type RopePairing,
  windowOf,
} from "./config.ts";
export { type Declare, type DeclaredParameters, declareParameters, declareWeights, type LayoutOf } from "./declare.ts";
export {
  type AttentionOutput,
  type CacheSize,
  cachePools,
  type InferenceGraph,
  type InferenceSize,
  inferenceGraph,
  type OutputName,
  type TopSize,
} from "./inference-graph.ts";
export { initialise } from "./initialise.ts";
export { biased, dense, type Linear } from "./linear.ts";
export {
  type Attention,
  causalAttention,
  type LlamaInputs,
  type LlamaParts,
  llama,
  type Positions,
  paperParts,
} from "./llama.ts";
export {
  adapted,
  adapters,
  declareAdapted,
  type LoraRows,
  type LoraSettings,
  type LoraTarget,
  loraRows,
  loraTargets,
  mergeLora,
} from "./lora.ts";
export {
  type BatchSize,
  batchPositions,
  countTargets,
  type LossBatch,
  type LossGraph,
  type LossSize,
  lossGraph,
  writeBatch,
  writePositions,
} from "./loss-graph.ts";
export {
  constantRows,
  type LlamaParameters,
  llamaParameters,
  outputProjection,
  type ParameterRow,
  parameterCount,
  parameterRows,
} from "./parameters.ts";
export { partsOf } from "./parts.ts";
export { type PresetName, preset, presets } from "./presets.ts";
export { declareRecorded } from "./record-inputs.ts";
export { declareTurns, ropeAttention, ropeFrequencies, ropeInputs, ropeLength, ropeTableFor } from "./rope-frequencies.ts";
export { type RopeScaling, scalingRanges } from "./rope-scaling.ts";
export { piecesOf, type WeightSource } from "./weight-source.ts";
