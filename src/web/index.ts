// The door of cria in a page, `cria/web`: a tokenizer and a model are trained and opened there, on WebAssembly. Nothing of Node is within its reach.
export {
  type Batch,
  type BatchSource,
  joinDocuments,
  Mixture,
  type MixtureOptions,
  type MixtureSource,
  memoryTokens,
  type Tokens,
} from "../batches/index.ts";
export type { Evaluation, HeldOutEvaluator, HeldOutText } from "../eval/index.ts";
export * from "../llama/library/index.ts";
export { type LlamaSizes, llamaConfig, parameterCount, preset, presets } from "../model/index.ts";
export { createTokenizer, type TokenizerModel, type TrainOptions, trainTokenizer } from "../tokenizer/index.ts";
export {
  learningRateAt,
  llamaAdamw,
  type Schedule,
  type StepMetrics,
  Trainer,
  type TrainerOptions,
  trainSteps,
} from "../train/index.ts";
export { type FileBytes, Llama, type OpenOptions } from "./llama.ts";
export { modelFiles } from "./model-files.ts";
export { type BackendOptions, openBackend } from "./open-backend.ts";
export { blobSource, fetchSource } from "./sources.ts";
