export { type AttentionWeightsOptions, attentionWeights } from "./attention-weights.ts";
export { type BeamOptions, type BeamText, beamSearch } from "./beam-search.ts";
export { type ContextEnd, type ContextOptions, contextEnds } from "./context-end.ts";
export type { Draft, DraftSource } from "./drafted-sequence.ts";
export { type DraftCounts, lookupDraft, modelDraft } from "./drafts.ts";
export { type EmbedOptions, embedTexts, type Pooling, poolings } from "./embed-texts.ts";
export { type ChoicePiece, generateChoices } from "./generate-choices.ts";
export { type GenerateTextOptions, generateText, type PromptOptions, promptIds, promptIdsSliced, type TextPiece } from "./generate-text.ts";
export {
  type FinishReason,
  type GeneratedToken,
  type GenerateTokensOptions,
  generateTokens,
  type LanguageModel,
  type PromptCounts,
  type TokenSequence,
} from "./generate-tokens.ts";
export { type GrammarOptions, grammarOf } from "./grammar-of.ts";
export { GrammarStep } from "./grammar-step.ts";
export { type LoadOptions, loadWeights } from "./load-weights.ts";
export { type IdLogProbability, logProbabilities, logSumExp, type TokenLogProbability } from "./log-probabilities.ts";
export { type MemoryAsked, type ModelMemory, modelMemory } from "./model-memory.ts";
export { promptLogProbabilities } from "./prompt-log-probabilities.ts";
export type { RuleOptions } from "./rule-out.ts";
export { createSampler, draw, type Sampler } from "./sampling.ts";
export { choosing, type SamplerName, type Sampling, type SamplingOptions, samplerNames, samplingOf, stepOf } from "./sampling-options.ts";
export {
  joinScores,
  rollingWindows,
  type Score,
  type ScoredToken,
  type ScoreOptions,
  scoreTexts,
  type TextToScore,
} from "./score-texts.ts";
export { type Candidates, type LogitsStep, mostProbable, Scores } from "./scores.ts";
export type {
  HiddenWanted,
  LogitsWanted,
  Restored,
  RestoreOptions,
  RunItem,
  RunResult,
  Sequence,
  SequenceOptions,
  TopLogits,
  TopWanted,
} from "./sequence.ts";
export { SequenceModel, type SequenceModelOptions } from "./sequence-model.ts";
export type { ModelCounts } from "./sequence-queue.ts";
export { GrowingText, type TextSoFar } from "./text-so-far.ts";
