export { Engine, type EngineOptions } from "./engine.ts";
export { type GenerateTextOptions, generateText, type PromptOptions, promptIds, type TextPiece } from "./generate-text.ts";
export {
  type FinishReason,
  type GeneratedToken,
  type GenerateTokensOptions,
  generateTokens,
  type LanguageModel,
} from "./generate-tokens.ts";
export type { RuleOptions } from "./rule-out.ts";
export {
  type Candidates,
  candidates,
  createSampler,
  draw,
  mostProbable,
  penaliseRepetition,
  type Sampler,
  type Sampling,
  type SamplingOptions,
  samplingOf,
} from "./sampling.ts";
