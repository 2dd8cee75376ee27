// Token after token: logits, a draw, and the draw joins the text, until something ends it.
import { check } from "../base/index.ts";
import { type ContextOptions, checkFits, keptTokens, SlidingSequence } from "./context-end.ts";
import { DraftedSequence, type DraftSource, type IsOver } from "./drafted-sequence.ts";
import { logProbabilities, type TokenLogProbability } from "./log-probabilities.ts";
import { type RuleOptions, ruleSteps } from "./rule-out.ts";
import { createSampler } from "./sampling.ts";
import type { SamplingOptions } from "./sampling-options.ts";
import { firstBits, type LogitsStep } from "./scores.ts";
import type { SequenceOptions, TopLogits, TopWanted } from "./sequence.ts";
import { GrowingText, type TextSoFar } from "./text-so-far.ts";

/** What generation asks of a model; a SequenceModel is one. */
export interface LanguageModel {
  readonly vocabSize: number;
  /** So many tokens the model can read; the token after the last of them can still be drawn. */
  readonly contextLength: number;
  /** A text of its own that has no token yet. */
  sequence(options?: SequenceOptions): TokenSequence;
}

/** A text that the model has read so far. */
export interface TokenSequence extends Disposable {
  /** Tokens of those read that a model had computed for other texts, where it knows. */
  readonly cachedTokens?: number;
  /** Tokens at its beginning that the model sees no more, where it drops some. */
  readonly dropped?: number;
  /** Reads on. @returns logits [V] for the token after `ids` */
  next(ids: ArrayLike<number>, signal?: AbortSignal): Promise<Float32Array>;
  /** Reads on as {@link next} does, but gives the largest logits only, where a model can. */
  nextTop?(ids: ArrayLike<number>, wanted: TopWanted, signal?: AbortSignal): Promise<TopLogits>;
  /** Reads on as {@link next} does, but gives logits [V] for the token after each of `ids`, where a model can. */
  nextAll?(ids: ArrayLike<number>, signal?: AbortSignal): Promise<readonly Float32Array[]>;
  /** Another text with the same tokens, where a model can share what it has read. */
  fork?(): TokenSequence;
  /** Forgets the tokens from `length` on, where a model can. */
  truncate?(length: number): void;
}

/** The least vocabulary of which only the largest logits leave the machine, where they suffice. */
const largeVocabulary = 4096;

/** How tokens are drawn, and what ends them. */
export interface GenerateTokensOptions extends SamplingOptions, RuleOptions, SequenceOptions, ContextOptions {
  /** Tokens to write at most; no limit by default, so that the text ends with the context unless this slides. At least 1. */
  readonly maxTokens?: number;
  /** Tokens of prompt and text at most; only where `maxTokens` is absent. At least 1, and more than the prompt has. */
  readonly maxLength?: number;
  /** Tokens that end the text, such as the end-of-text token. */
  readonly stopIds?: Iterable<number>;
  /** Further steps, behind those that rule tokens out and before those that are numbers: masks and penalties. */
  readonly steps?: readonly LogitsStep[];
  /** Each token comes with its log-probability and with those of so many most probable tokens. At least 0; no log-probabilities by default. */
  readonly logProbabilities?: number;
  /** Ids from here on are never drawn: models often have more rows than their tokenizer has pieces. The model's vocabulary by default. */
  readonly vocabSize?: number;
  /** Guesses tokens, which the model then reads in one pass with the last one: faster where guesses are right, and the text is the same in any case. */
  readonly draft?: DraftSource;
  readonly signal?: AbortSignal;
}

/**
 * "stop": a stop token or stop string came, or the text is complete by the grammar and nothing may follow. "length": maxTokens or maxLength is
 * reached. "context": the context is full. "stuck": the text is not complete, but no token may follow by the grammar and the rules that hold beside it.
 */
export type FinishReason = "stop" | "length" | "context" | "stuck";

/** What a prompt came to. */
export interface PromptCounts {
  readonly tokens: number;
  /** Tokens that were not computed, as an earlier text had them. */
  readonly cachedTokens: number;
}

/** A token that was drawn. */
export interface GeneratedToken {
  readonly id: number;
  /** Only the first token has it. */
  readonly prompt?: PromptCounts;
  /** Tokens of the text that the model sees no more from here on, as the context slid. */
  readonly dropped?: number;
  /** Log-probabilities of the model itself, before any step; absent unless they are asked for. */
  readonly logProbabilities?: TokenLogProbability;
  /** Only the last token has it; with "stop", the token is the stop token, or the last one of a text that is complete by its grammar. */
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
  const { vocabSize = model.vocabSize, signal, steps = [], logProbabilities: most } = options;
  const text = new GrowingText(prompt);
  const maxTokens = allowedTokens(model, text.promptLength, options);
  checkMost(most);
  const stops = new Set(options.stopIds);
  const before = [...ruleSteps(withBannedTokens(options, vocabSize), stops), ...steps];
  const sampler = createSampler(options, before);
  const isOver: IsOver = (said, count) => stops.has(said.ids.at(-1)!) || endOf(before, said, count) !== undefined;
  using sequence = readerOf(model, options, { before, seed: sampler.seed, isOver });
  let unread: readonly number[] = [...text.ids];
  const draw = async (): Promise<{ id: number; told?: TokenLogProbability | undefined }> => {
    const isLarge = model.vocabSize >= largeVocabulary && most === undefined;
    const wanted = isLarge ? sampler.topNeeded(text, vocabSize, model.vocabSize) : undefined;
    if (wanted !== undefined && sequence.nextTop !== undefined)
      return { id: sampler.nextOf(await sequence.nextTop(unread, wanted, signal), text) };
    const logits = (await sequence.next(unread, signal)).subarray(0, vocabSize);
    const id = sampler.next(logits, text);
    return { id, told: most === undefined ? undefined : logProbabilities(logits, id, most) };
  };
  check(!isStuck(before, text, vocabSize), "infer", () => "no token may come first by the grammar and the rules that hold beside it");
  for (let count = 1; ; count++) {
    const droppedBefore = sequence.dropped ?? 0;
    const { id, told } = await draw();
    const isFull = text.ids.length === model.contextLength && options.contextEnd !== "slide";
    const dropped = (sequence.dropped ?? 0) - droppedBefore;
    const isStop = stops.has(id);
    if (!isStop) text.push(id);
    const reached = count === maxTokens ? "length" : isFull ? "context" : undefined;
    const finishReason = isStop ? "stop" : (endOf(before, text, vocabSize) ?? reached);
    yield {
      id,
      ...(dropped > 0 && { dropped }),
      ...(count === 1 && { prompt: { tokens: text.promptLength, cachedTokens: sequence.cachedTokens ?? 0 } }),
      ...(told !== undefined && { logProbabilities: told }),
      ...(finishReason !== undefined && { finishReason }),
    };
    if (finishReason !== undefined) return;
    unread = [id];
  }
}

/**
 * The number of tokens that may be written after a prompt of `promptLength`; infinite where nothing is said.
 * @throws CriaError where lengths and what happens at the context's end are out of their range, or the text is refused
 */
export function allowedTokens(
  { contextLength }: LanguageModel,
  promptLength: number,
  options: Pick<GenerateTokensOptions, "maxTokens" | "maxLength" | keyof ContextOptions>,
): number {
  const maxTokens = mostTokens(options, promptLength);
  keptTokens(options, contextLength);
  if (options.contextEnd === "refuse") checkFits(promptLength, maxTokens, contextLength);
  return maxTokens;
}

/** Tokens with a bias of −Infinity are suppressed, so that a text that only they could follow is known to be stuck. @throws CriaError for a bias of no token */
function withBannedTokens(options: GenerateTokensOptions, vocabSize: number): RuleOptions {
  const { suppressTokens = [], logitBias = new Map<number, number>() } = options;
  const outside = [...logitBias.keys()].find((id) => id >= vocabSize);
  check(outside === undefined, "infer", () => `logitBias has token ${outside}, but the model has only tokens below ${vocabSize}`);
  const banned = [...logitBias].filter(([, bias]) => bias === Number.NEGATIVE_INFINITY).map(([id]) => id);
  return { ...options, suppressTokens: [...suppressTokens, ...banned] };
}

/** How a text is drawn. */
interface Drawing {
  readonly before: readonly LogitsStep[];
  readonly seed: number;
  readonly isOver: IsOver;
}

/** Reads a text, over which the context slides where that is asked for. */
function readerOf(model: LanguageModel, options: GenerateTokensOptions, drawing: Drawing): TokenSequence {
  const keep = keptTokens(options, model.contextLength);
  const open = () => openSequence(model, options, drawing);
  return options.contextEnd === "slide" ? new SlidingSequence(open, keep, model.contextLength) : open();
}

/** A text of the model's, guessed ahead where there is a draft. The draft draws as the sampler does, so that it guesses what that will draw. */
function openSequence(model: LanguageModel, options: GenerateTokensOptions, { before, seed, isOver }: Drawing): TokenSequence {
  const { draft, vocabSize = model.vocabSize, cacheSalt } = options;
  const sequence = model.sequence({ cacheSalt });
  if (draft === undefined) return sequence;
  const newSampler = () => createSampler({ ...options, seed }, before);
  try {
    return new DraftedSequence(sequence, model.contextLength, draft.open({ newSampler, vocabSize, isOver, cacheSalt }), draft.mostTokens);
  } catch (error) {
    sequence[Symbol.dispose]();
    throw error;
  }
}

/** Why nothing can follow a text, where a step knows which texts are complete. */
function endOf(steps: readonly LogitsStep[], text: TextSoFar, vocabSize: number): FinishReason | undefined {
  if (steps.some((step) => step.isComplete?.(text))) return "stop";
  return isStuck(steps, text, vocabSize) ? "stuck" : undefined;
}

/** Whether steps, of which one knows which texts are complete, rule out all tokens together. */
function isStuck(steps: readonly LogitsStep[], text: TextSoFar, vocabSize: number): boolean {
  if (!steps.some((step) => step.isComplete !== undefined)) return false;
  const allowed = firstBits(vocabSize, vocabSize);
  for (const step of steps) step.restrict?.(allowed, text);
  return allowed.every((word) => word === 0);
}

function checkMost(most: number | undefined): void {
  check(
    most === undefined || (Number.isSafeInteger(most) && most >= 0),
    "infer",
    () => `logProbabilities is ${most} but must be an integer, at least 0`,
  );
}

function mostTokens({ maxTokens, maxLength }: Pick<GenerateTokensOptions, "maxTokens" | "maxLength">, promptLength: number): number {
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
