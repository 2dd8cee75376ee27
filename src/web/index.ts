// The door of cria in a page, `cria/web`: a tokenizer and a model are trained and opened there, on WebAssembly. Nothing of Node is within its reach.
export type { Backend } from "../backend/index.ts";
export { type ByteSource, CriaError, memorySource, type OnProgress, type ProgressEvent, UsageError } from "../base/index.ts";
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
export type { Message, Role, TextPart, ToolCall } from "../chat/index.ts";
export type { DialogueEnd, DialogueParser, DialoguePart, ResponseFormat, Tool, ToolChoice } from "../dialogue/index.ts";
export type { Evaluation, HeldOutEvaluator, HeldOutText } from "../eval/index.ts";
export { Grammar, gbnfGrammar, type JsonSchemaOptions, jsonSchemaGrammar, type Whitespace } from "../grammar/index.ts";
export { lookupDraft } from "../infer/index.ts";
export type {
  ChatOptions,
  ChatPart,
  ChatPartsOptions,
  DialogueOptions,
  GenerateOptions,
  ModelOptions,
  OpenDialogue,
  RenderOptions,
} from "../llama/index.ts";
export { type LlamaConfig, type LlamaSizes, llamaConfig, parameterCount, preset, presets } from "../model/index.ts";
export type { RenderedConversation } from "../open/index.ts";
export { createTokenizer, type Tokenizer, type TokenizerModel, type TrainOptions, trainTokenizer } from "../tokenizer/index.ts";
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
