export {
  type ActivationName,
  feedForwardWidth,
  headDim,
  type LlamaConfig,
  type LlamaSizes,
  llamaConfig,
  type NormName,
  type NormPlacement,
  ntkTheta,
  numberRanges,
  type PositionName,
  type RopePairing,
} from "./config.ts";
export {
  type BatchSize,
  batchPositions,
  type InferenceGraph,
  type InferenceSize,
  inferenceGraph,
  type LossGraph,
  lossGraph,
} from "./graphs.ts";
export { initialise } from "./initialise.ts";
export { type KvCache, type LlamaInputs, llama, outputWeight } from "./llama.ts";
export {
  constantRows,
  type DeclaredParameters,
  declareParameters,
  declareWeights,
  type LlamaParameters,
  llamaParameters,
  type ParameterRow,
  parameterCount,
  parameterRows,
} from "./parameters.ts";
export { type Positions, positionKinds } from "./parts.ts";
export { type PresetName, preset, presets } from "./presets.ts";
export type { WeightSource } from "./weight-source.ts";
