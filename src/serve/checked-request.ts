// A request for texts against a loaded model: encoded, its options over the model's defaults, and refused by the parameter's name where it cannot be done.
import type { Message } from "../chat/index.ts";
import { grammarOf, samplingOf } from "../infer/index.ts";
import type { GenerateOptions } from "../llama/index.ts";
import type { Need } from "./admission.ts";
import type { GenerationRequest, Prompt } from "./generation.ts";
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

/** A request that was checked, and what runs it. */
export interface CheckedRequest {
  readonly request: GenerationRequest;
  readonly model: ServedModel;
  /** The ids of each prompt. */
  readonly prompts: readonly Uint32Array[];
  readonly options: GenerateOptions;
  /** Tokens that end a text and are no part of it. */
  readonly stopIds: ReadonlySet<number>;
  readonly count: number;
  /** Prompts whose texts are written at the same time. */
  readonly width: number;
}

/** Pages are counted for so many tokens of a text when a request is let in; those that grow longer share what is left, or pause. */
const reservedTokens = 256;

/** @throws RequestError or CriaError naming what is wrong, before anything is computed */
export function checkedRequest(request: GenerationRequest, model: ServedModel, limits: EngineLimits): CheckedRequest {
  const { prompts, count = 1, maxTokens } = request;
  const { prompts: mostPrompts, choices, completionTokens: most } = limits;
  if (prompts.length > mostPrompts) refuse(`there are ${prompts.length} prompts, but a request may have ${mostPrompts}: send several`);
  if (count > choices) refuse(`n is ${count}, but this server writes at most ${choices} texts for a prompt: send several requests`, "n");
  if (maxTokens !== undefined && maxTokens > most)
    refuse(`${maxTokens} tokens are asked for, but this server writes at most ${most}: ask for fewer`, "max_tokens");
  const ids = prompts.map((prompt) => encoded(model, prompt));
  for (const { length } of ids) checkLength(length, model, limits, maxTokens);
  const width = Math.max(1, Math.min(ids.length, Math.floor(choices / count)));
  const options = optionsOf(request, model, most);
  return { request, model, prompts: ids, options, stopIds: new Set(options.stopIds), count, width };
}

/** What a request takes while it runs. A prompt's texts share its pages. */
export function needOf({ prompts, options, count, width }: CheckedRequest): Need {
  const longest = Math.max(...prompts.map(({ length }) => length));
  const behind = Math.min(options.maxTokens ?? reservedTokens, reservedTokens);
  const pages = ServedModel.pagesOf(longest) + count * ServedModel.pagesOf(behind);
  return { sequences: width * count, pages: width * pages };
}

function encoded(model: ServedModel, prompt: Prompt): Uint32Array {
  if ("messages" in prompt) return model.renderChat(knownRoles(prompt.messages, model), prompt.rendering).ids;
  if ("text" in prompt) return model.promptIds(prompt.text);
  const size = Math.min(model.tokenizer.vocabSize, model.config.vocabSize);
  const odd = prompt.ids.find((id) => id >= size);
  if (odd !== undefined)
    refuse(`the prompt has the token ${odd}, but this model has ${size} tokens: it is of another vocabulary`, "prompt");
  if (prompt.ids.length === 0) refuse("the prompt has no token to go on from: give at least one", "prompt");
  return Uint32Array.from(prompt.ids);
}

/** OpenAI's newer name for the system: templates that do not know it have the older one. */
function knownRoles(messages: readonly Message[], model: ServedModel): readonly Message[] {
  if (model.templatesRead("developer")) return messages;
  return messages.map((message) => (message.role === "developer" ? { ...message, role: "system" } : message));
}

function checkLength(tokens: number, { contextLength }: ServedModel, limits: EngineLimits, maxTokens: number | undefined): void {
  const context = maxTokens === 0 ? contextLength : contextLength - 1;
  const bound =
    tokens > context
      ? `the model's context holds ${contextLength}, of which the text needs one at least`
      : `this server reads at most ${limits.promptTokens}`;
  if (tokens > Math.min(context, limits.promptTokens))
    refuse(`the prompt has ${tokens} tokens, but ${bound}: shorten it`, "messages", "context_length_exceeded");
}

/** The request's options over the model's defaults; a grammar or schema is compiled. */
function optionsOf({ options = {}, maxTokens }: GenerationRequest, model: ServedModel, most: number): GenerateOptions {
  const asked = maxTokens === undefined ? {} : { maxTokens: Math.max(1, maxTokens) };
  const { jsonSchema: _, whitespace: __, dryBreakers, ...merged } = model.optionsOf({ ...options, ...asked });
  const grammar = grammarOf(options, merged.stop);
  samplingOf(merged);
  return {
    ...merged,
    ...(dryBreakers !== undefined && { dryBreakers }),
    ...(grammar !== undefined && { grammar }),
    maxTokens: Math.min(most, merged.maxTokens ?? most),
  };
}
