// Token after token: logits, a draw, and the draw joins the text, until something ends it.
import { check } from "../base/index.ts";
import { createSampler, type SamplingOptions } from "./sampling.ts";

/** What generation asks of a model; an Engine is one. */
export interface LanguageModel {
  readonly vocabSize: number;
  /** So many tokens the model can read; the token after the last of them can still be drawn. */
  readonly contextLength: number;
  /** Logits [V] for the token after `ids`. */
  logits(ids: readonly number[], signal?: AbortSignal): Promise<Float32Array>;
}

export interface GenerateTokensOptions extends SamplingOptions {
  /** Tokens at most; as many as the context holds by default. At least 1. */
  readonly maxTokens?: number;
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
  const { maxTokens = Number.POSITIVE_INFINITY, vocabSize = model.vocabSize, signal } = options;
  check(
    maxTokens === Number.POSITIVE_INFINITY || (Number.isSafeInteger(maxTokens) && maxTokens > 0),
    "infer",
    () => `maxTokens is ${maxTokens} but must be an integer, at least 1`,
  );
  const sampler = createSampler(options);
  const stops = new Set(options.stopIds);
  const ids = Array.from(prompt);
  const seen = new Set(ids);
  for (let count = 1; ; count++) {
    const logits = await model.logits(ids, signal);
    const id = sampler.next(logits.subarray(0, vocabSize), seen);
    const isFull = count === maxTokens || ids.length === model.contextLength;
    const finishReason = stops.has(id) ? "stop" : isFull ? "length" : undefined;
    yield finishReason === undefined ? { id } : { id, finishReason };
    if (finishReason !== undefined) return;
    ids.push(id);
    seen.add(id);
  }
}
