// Token after token: logits, a draw, and the draw joins the text, until something ends it.
import { check } from "../base/index.ts";
import { createRules, type RuleOptions } from "./rule-out.ts";
import { createSampler, type SamplingOptions } from "./sampling.ts";

/** What generation asks of a model; an Engine is one. */
export interface LanguageModel {
  readonly vocabSize: number;
  /** So many tokens the model can read; the token after the last of them can still be drawn. */
  readonly contextLength: number;
  /** Logits [V] for the token after `ids`. */
  logits(ids: readonly number[], signal?: AbortSignal): Promise<Float32Array>;
}

export interface GenerateTokensOptions extends SamplingOptions, RuleOptions {
  /** Tokens to write at most; as many as the context holds by default. At least 1. */
  readonly maxTokens?: number;
  /** Tokens of prompt and text at most; only where `maxTokens` is absent. At least 1, and more than the prompt has. */
  readonly maxLength?: number;
  /** Tokens that end the text, such as the end-of-text token. */
  readonly stopIds?: Iterable<number>;
  /** Ids from here on are never drawn: models often have more rows than their tokenizer has pieces. The model's vocabulary by default. */
  readonly vocabSize?: number;
  readonly signal?: AbortSignal;
}

/** "stop": a stop token or stop string came. "length": maxTokens or the context is used up. */
export type FinishReason = "stop" | "length";

export interface GeneratedToken {
  readonly id: number;
  /** Only the last token has it; with "stop", the token is the stop token. */
  readonly finishReason?: FinishReason;
}

/**
 * Continues `prompt`, which is not given back. At least one token comes; the last one says why it is the last.
 * @throws CriaError when an option is out of its range, or the prompt is empty or longer than the context; the signal's reason when it is aborted.
 */
export async function* generateTokens(
  model: LanguageModel,
  prompt: ArrayLike<number>,
  options: GenerateTokensOptions = {},
): AsyncGenerator<GeneratedToken, void> {
  const { vocabSize = model.vocabSize, signal } = options;
  const ids = Array.from(prompt);
  const maxTokens = mostTokens(options, ids.length);
  const sampler = createSampler(options);
  const stops = new Set(options.stopIds);
  const ruleOut = createRules(options, stops, ids.length);
  const seen = new Set(ids);
  for (let count = 1; ; count++) {
    const logits = await model.logits(ids, signal);
    const id = sampler.next(ruleOut(logits.subarray(0, vocabSize), ids), seen);
    const isFull = count === maxTokens || ids.length === model.contextLength;
    const finishReason = stops.has(id) ? "stop" : isFull ? "length" : undefined;
    yield finishReason === undefined ? { id } : { id, finishReason };
    if (finishReason !== undefined) return;
    ids.push(id);
    seen.add(id);
  }
}

/** As many tokens as may be written after a prompt of `promptLength`; infinite where nothing is said. */
function mostTokens({ maxTokens, maxLength }: GenerateTokensOptions, promptLength: number): number {
  for (const [name, value] of Object.entries({ maxTokens, maxLength }))
    check(
      value === undefined || value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && value > 0),
      "infer",
      () => `${name} is ${value} but must be an integer, at least 1`,
    );
  if (maxTokens !== undefined || maxLength === undefined) return maxTokens ?? Number.POSITIVE_INFINITY;
  check(
    maxLength > promptLength,
    "infer",
    () =>
      `the prompt has ${promptLength} tokens but maxLength allows ${maxLength} with the text: shorten the prompt, or limit new tokens instead (maxTokens)`,
  );
  return maxLength - promptLength;
}
