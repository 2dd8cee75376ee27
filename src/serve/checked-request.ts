// A request for texts against a loaded model: encoded, its options over the model's defaults, and refused by the parameter's name where it cannot be done.
import { randomInt } from "node:crypto";
import type { Sliced } from "../base/index.ts";
import type { DialogueParser } from "../dialogue/index.ts";
import { grammarOf, samplingOf } from "../infer/index.ts";
import type { DialogueOptions, GenerateOptions } from "../llama/index.ts";
import type { Need } from "./admission.ts";
import type { ChatPrompt, EmbeddingRequest, GenerationRequest, PlainPrompt, Prompt, WritingOptions } from "./generation.ts";
import { PlainParser } from "./plain-parser.ts";
import { refuse } from "./request-error.ts";
import { ServedModel } from "./served-model.ts";

/** What one request may take. */
export interface EngineLimits {
  /** Tokens of a prompt; Infinity leaves it to the context. */
  readonly promptTokens: number;
  /** Tokens of each text. */
  readonly completionTokens: number;
  /** Texts behind one prompt. */
  readonly choices: number;
  /** Prompts of one request. */
  readonly prompts: number;
  /** Milliseconds from when it begins to run. */
  readonly milliseconds: number;
}

/** A prompt as ids, and how what follows it is written and read. */
export interface CheckedPrompt {
  readonly ids: Uint32Array;
  /** The grammar that a chat's next message keeps to, and special tokens that it is written with. */
  readonly writing: Pick<GenerateOptions, "grammar" | "shownIds">;
  newParser(): DialogueParser;
}

/** A request that was checked, and what runs it. */
export interface CheckedRequest {
  readonly request: GenerationRequest;
  readonly model: ServedModel;
  readonly prompts: readonly CheckedPrompt[];
  readonly options: GenerateOptions;
  /** Tokens that end a text and are no part of it. */
  readonly stopIds: ReadonlySet<number>;
  readonly count: number;
  /** Prompts whose texts are written at the same time. */
  readonly width: number;
}

/** Pages are counted for so many tokens of a text when a request is let in; those that grow longer share what is left, or pause. */
const reservedTokens = 256;

/** Works in slices, as all that encodes texts here. @throws RequestError or CriaError naming what is wrong, before anything is computed */
export function* checkedRequest(request: GenerationRequest, model: ServedModel, limits: EngineLimits): Sliced<CheckedRequest> {
  const { count = 1, maxTokens } = request;
  const { prompts: mostPrompts, choices, completionTokens: most } = limits;
  const { length } = request.prompts;
  if (length > mostPrompts) refuse(`there are ${length} prompts, but a request may have ${mostPrompts}: send several`);
  if (count > choices) refuse(`n is ${count}, but this server writes at most ${choices} texts for a prompt: send several requests`, "n");
  if (maxTokens !== undefined && maxTokens > most)
    refuse(`${maxTokens} tokens are asked for, but this server writes at most ${most}: ask for fewer`, "max_tokens");
  const prompts: CheckedPrompt[] = [];
  for (const prompt of request.prompts) prompts.push(yield* checkedPrompt(model, prompt, request.options));
  for (const [i, { ids }] of prompts.entries())
    checkLength(ids.length, model, limits, { maxTokens, param: "messages" in request.prompts[i]! ? "messages" : "prompt" });
  const width = Math.max(1, Math.min(prompts.length, Math.floor(choices / count)));
  const options = optionsOf(request, model, most);
  return { request, model, prompts, options, stopIds: new Set(options.stopIds), count, width };
}

/** Tokens of prompts, however many the context holds. @throws RequestError or CriaError naming what is wrong with a prompt */
export function* countedTokens(prompts: readonly Prompt[], model: ServedModel): Sliced<number> {
  let tokens = 0;
  for (const prompt of prompts) tokens += (yield* checkedPrompt(model, prompt)).ids.length;
  return tokens;
}

/** What a request takes while it runs. A prompt's texts share its pages. */
export function needOf({ prompts, options, count, width }: CheckedRequest): Need {
  const longest = Math.max(...prompts.map(({ ids }) => ids.length));
  const behind = Math.min(options.maxTokens ?? reservedTokens, reservedTokens);
  const pages = ServedModel.pagesOf(longest) + count * ServedModel.pagesOf(behind);
  return { sequences: width * count, pages: width * pages };
}

/** The ids of texts to embed. @throws RequestError naming what is wrong */
export function* checkedTexts(
  { texts, dimensions }: EmbeddingRequest,
  model: ServedModel,
  limits: EngineLimits,
): Sliced<readonly Uint32Array[]> {
  const { length } = texts;
  const { dim } = model.config;
  if (dimensions !== undefined && dimensions !== dim)
    refuse(`dimensions is ${dimensions}, but this model's vectors have ${dim}: leave it out`, "dimensions");
  if (length > limits.prompts) refuse(`there are ${length} texts, but a request may have ${limits.prompts}: send several`, "input");
  const ids: Uint32Array[] = [];
  for (const text of texts) ids.push(yield* textIds(model, text, "input"));
  for (const { length: tokens } of ids) checkLength(tokens, model, limits, { maxTokens: 0, param: "input" });
  return ids;
}

/** Texts that are read at the same time, at most. */
const textsAtOnce = 8;

/** What texts take while they are read. */
export function needOfTexts(texts: readonly Uint32Array[]): Need {
  const sequences = Math.min(textsAtOnce, texts.length);
  return { sequences, pages: sequences * ServedModel.pagesOf(Math.max(...texts.map(({ length }) => length))) };
}

function* checkedPrompt(model: ServedModel, prompt: Prompt, { grammar, stop = [] }: WritingOptions = {}): Sliced<CheckedPrompt> {
  const isChat = "messages" in prompt;
  if (isChat && grammar === undefined) return yield* chatPrompt(model, prompt, stop);
  const compiled = grammarOf({ ...(grammar !== undefined && { grammar }) });
  const writing = compiled === undefined ? {} : { grammar: compiled };
  const ids = isChat
    ? (yield* model.openDialogueSliced(prompt.messages, dialogueOf(model, prompt))).ids
    : yield* textIds(model, prompt, "prompt");
  return { ids, writing, newParser: () => new PlainParser(stop) };
}

function* chatPrompt(model: ServedModel, prompt: ChatPrompt, stop: readonly string[]): Sliced<CheckedPrompt> {
  const { ids, writing, parser } = yield* model.openDialogueSliced(prompt.messages, dialogueOf(model, prompt));
  return { ids, writing, newParser: () => parser(stop) };
}

/** Tools of a template that knows none are described in a system message, so that any model can be asked to call them. */
function dialogueOf(model: ServedModel, { dialogue = {}, effort }: ChatPrompt): DialogueOptions {
  const asked = { preamble: true, ...dialogue };
  if (effort === undefined) return asked;
  const name = "reasoning_effort";
  if (model.templatesRead(name)) return { ...asked, variables: { ...dialogue.variables, [name]: effort } };
  if (effort !== "none") refuse(`${name} is "${effort}", but this model's template knows no such levels: "none" turns reasoning off`, name);
  return { ...asked, reasoning: false };
}

function* textIds(model: ServedModel, prompt: PlainPrompt, param: string): Sliced<Uint32Array> {
  if ("text" in prompt) return yield* model.promptIdsSliced(prompt.text);
  const size = sizeOf(model);
  const odd = prompt.ids.find((id) => id >= size);
  if (odd !== undefined) refuse(`the prompt has the token ${odd}, but this model has ${size} tokens: it is of another vocabulary`, param);
  if (prompt.ids.length === 0) refuse("the prompt has no token to go on from: give at least one", param);
  return Uint32Array.from(prompt.ids);
}

/** Tokens that a text may have: models often have more rows than their tokenizer has pieces. */
function sizeOf({ tokenizer, config }: ServedModel): number {
  return Math.min(tokenizer.vocabSize, config.vocabSize);
}

/** @param param what the client calls the prompt */
function checkLength(
  tokens: number,
  { contextLength }: ServedModel,
  limits: EngineLimits,
  { maxTokens, param }: { readonly maxTokens: number | undefined; readonly param: string },
): void {
  const context = maxTokens === 0 ? contextLength : contextLength - 1;
  const behind = maxTokens === 0 ? "" : ", of which the text needs one at least";
  const bound =
    tokens > context ? `the model's context holds ${contextLength}${behind}` : `this server reads at most ${limits.promptTokens}`;
  if (tokens > Math.min(context, limits.promptTokens))
    refuse(`the prompt has ${tokens} tokens, but ${bound}: shorten it`, param, "context_length_exceeded");
}

/** The request's options over the model's defaults, with one seed for all texts. Stop strings are the parsers' business. */
function optionsOf({ options = {}, maxTokens }: GenerationRequest, model: ServedModel, most: number): GenerateOptions {
  const { stop: _, grammar: __, seed = randomInt(2 ** 32), ...asked } = options;
  for (const id of asked.logitBias?.keys() ?? [])
    if (id >= sizeOf(model)) refuse(`logit_bias has the token ${id}, but this model has ${sizeOf(model)} tokens`, "logit_bias");
  const limit = maxTokens === undefined ? {} : { maxTokens: Math.max(1, maxTokens) };
  const merged = model.optionsOf({ ...asked, seed, ...limit });
  const { dryBreakers: ___, ...numbers } = merged;
  samplingOf(numbers);
  return { ...merged, maxTokens: Math.min(most, merged.maxTokens ?? most) };
}
