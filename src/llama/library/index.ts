// What the library gives wherever it runs: `cria` and `cria/web` both export this list, and each adds what only it has.
export type { Backend } from "../../backend/index.ts";
export {
  type ByteSource,
  CriaError,
  memorySource,
  type OnProgress,
  type ProgressEvent,
  type StateDType,
  UsageError,
} from "../../base/index.ts";
export type { EncodedChat, Message, Role, TextPart, ToolCall } from "../../chat/index.ts";
export type { DialogueEnd, DialogueParser, DialoguePart, ResponseFormat, Tool, ToolChoice } from "../../dialogue/index.ts";
export { Grammar, gbnfGrammar, type JsonSchemaOptions, jsonSchemaGrammar, type Whitespace } from "../../grammar/index.ts";
export {
  type BeamOptions,
  type BeamText,
  type ChoicePiece,
  type ContextEnd,
  type DraftCounts,
  type DraftSource,
  type EmbedOptions,
  type FinishReason,
  type LogitsStep,
  lookupDraft,
  type ModelCounts,
  type Pooling,
  type PromptCounts,
  type RestoreOptions,
  type SamplingOptions,
  type Score,
  type ScoredToken,
  type ScoreOptions,
  type Scores,
  type TextPiece,
  type TextSoFar,
  type TokenLogProbability,
} from "../../infer/index.ts";
export type { LlamaConfig } from "../../model/index.ts";
export type { RenderedConversation } from "../../open/index.ts";
export type { Tokenizer } from "../../tokenizer/index.ts";
export type { ChatPart, DialogueOptions, OpenDialogue } from "../open-dialogue.ts";
export type {
  ChatOptions,
  ChatPartsOptions,
  GenerateOptions,
  ModelOptions,
  Prompt,
  RenderOptions,
  RestoredText,
  SaveOptions,
} from "../options.ts";
