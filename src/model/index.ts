export {
  type ActivationName,
  feedForwardWidth,
  headDim,
  type LlamaConfig,
  type LlamaSizes,
  llamaConfig,
  type NormName,
  type NormPlacement,
  type PositionName,
  type RopePairing,
} from "./config.ts";
