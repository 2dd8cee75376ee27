// The options of a loaded model, and what each must be.
import type { OnProgress, StateDType } from "../base/index.ts";
import type {
  AttentionWeightsOptions,
  BeamOptions,
  EmbedOptions,
  GenerateTextOptions,
  PromptOptions,
  RestoreOptions,
  ScoreOptions,
  SequenceOptions,
} from "../infer/index.ts";
import { is, type Rule } from "./check-arguments.ts";
import type { DialogueOptions } from "./open-dialogue.ts";
import { samplingRules } from "./sampling-rules.ts";

/** The memory that a loaded model may take, and who is told while it loads. */
export interface ModelOptions {
  /** Tokens that a text may have, the prompt included; fewer take less memory. The model's context by default, or what memory has room for. */
  readonly contextLength?: number;
  /** How keys and values of tokens that were read are stored: in 4, 2 or about 1 bytes per number. f32 by default. */
  readonly cacheType?: StateDType;
  /** Pages of 64 tokens that all texts share; by default they follow from the context and the memory that is available. */
  readonly pages?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/**
 * What is absent is as the model's generation_config.json says. Where that gives a temperature, top-k, top-p or min-p, the others of them are
 * transformers' own: temperature 1, top-k 50, top-p 1. Where it gives none, temperature is 0.8 and top-p 0.95.
 *
 * `do_sample: false` takes the most probable token, as in transformers. Where the key is absent, transformers does that too and cria samples:
 * most files lack it because a program wrote them, not because their makers chose, and small models that always take the most probable token
 * soon repeat themselves.
 */
export type GenerateOptions = GenerateTextOptions;

/** How a conversation is rendered. */
export interface RenderOptions {
  /** Which of the model's templates; by default tool_use where there are tools and the model has one of that name, else default. */
  readonly template?: string | undefined;
  /** Ends with what comes in front of the assistant's next message; without it, with the last message, as for training. @default true */
  readonly addGenerationPrompt?: boolean | undefined;
  /** Tools as OpenAI's protocol describes them: `{ type: "function", function: { name, description, parameters } }`. */
  readonly tools?: readonly unknown[] | undefined;
  /** Documents for templates that know them. */
  readonly documents?: readonly unknown[] | undefined;
  /** What else the template reads, values of JSON: enable_thinking, date_string. */
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
}

/** How a chat is rendered and answered. */
export interface ChatOptions extends Omit<GenerateOptions, "parseSpecial">, RenderOptions {}

/** How a message is written whose text is read as parts: what holds it to a form is the dialogue's. */
export interface ChatPartsOptions extends DialogueOptions, Omit<GenerateOptions, "parseSpecial" | keyof typeof formRules> {}

/** What is saved of a text. */
export interface SaveOptions extends ScoreOptions, PromptOptions {
  /** A value of JSON that comes back with it. */
  readonly note?: unknown;
}

/** A text that was saved. */
export interface RestoredText {
  readonly ids: readonly number[];
  /** The ids as a text, without special pieces. */
  readonly text: string;
  /** What was saved beside it; undefined where nothing was. */
  readonly note: unknown;
  /** Tokens whose keys and values were put back. The others are computed again by whoever goes on from the text. */
  readonly restoredTokens: number;
  /** What had computed them, as backends name it. Where this one is another, none is put back, as its bits would be others. */
  readonly target: string;
}

/** A rule per option of a model. */
export const modelRules = {
  ...{ contextLength: is.count, cacheType: is.cacheType, pages: is.count, signal: is.signal, onProgress: is.callback },
} satisfies Record<keyof ModelOptions, Rule>;

/** A text, which gets what the tokenizer puts around one, or ids, which are read as they are. */
export type Prompt = string | readonly number[] | Uint32Array;

/** What each of these options must be. */
export const sequenceRules = { cacheSalt: is.text } satisfies Record<keyof SequenceOptions, Rule>;

/** What each of these options must be. */
export const scoreRules = { ...sequenceRules, signal: is.signal } satisfies Record<keyof ScoreOptions, Rule>;
/** What each of these options must be. */
export const embedRules = { ...scoreRules, pooling: is.pooling, normalise: is.flag } satisfies Record<keyof EmbedOptions, Rule>;
/** What each of these options must be. */
export const attentionRules = { ...scoreRules, layer: is.natural, parseSpecial: is.flag } satisfies Record<
  keyof (AttentionWeightsOptions & PromptOptions),
  Rule
>;
/** What each of these options must be. */
export const restoreRules = { ...sequenceRules, name: is.name } satisfies Record<keyof RestoreOptions, Rule>;

/** What each of these options must be. */
export const promptRules = { parseSpecial: is.flag } satisfies Record<keyof PromptOptions, Rule>;

/** What each of these options must be. */
export const saveRules = { ...scoreRules, ...promptRules, note: is.json } satisfies Record<keyof SaveOptions, Rule>;

/** What each of these options must be. */
export const renderRules = {
  ...{ template: is.name, addGenerationPrompt: is.flag, tools: is.list, documents: is.list, variables: is.record },
} satisfies Record<keyof RenderOptions, Rule>;

/** What each of these options must be. */
export const formRules = {
  ...{ grammar: is.grammar, jsonSchema: is.schema, whitespace: is.whitespace, shownIds: is.ids },
} satisfies Partial<Record<keyof GenerateOptions, Rule>>;

/** What each of these options must be. */
export const freeRules = {
  ...{
    maxTokens: is.limit,
    maxLength: is.limit,
    minTokens: is.natural,
    minLength: is.natural,
    stop: is.texts,
    stopIds: is.ids,
    signal: is.signal,
  },
  ...{ noRepeatNgramSize: is.natural, suppressTokens: is.idArray, beginSuppressTokens: is.idArray, badWords: is.idArrays },
  ...samplingRules,
  ...sequenceRules,
  ...{ contextEnd: is.contextEnd, contextKeep: is.natural },
  ...{ steps: is.steps, logProbabilities: is.natural, draft: is.draft },
} satisfies Partial<Record<keyof GenerateOptions, Rule>>;

/** What each of these options must be. */
export const writeRules = { ...freeRules, ...formRules } satisfies Record<Exclude<keyof GenerateOptions, keyof PromptOptions>, Rule>;

/** What each of these options must be. */
export const dialogueRules = {
  ...{ template: is.name, tools: is.list, toolChoice: is.toolChoice, parallel: is.flag, responseFormat: is.record, reasoning: is.flag },
  ...{ preamble: is.flag, constrain: is.flag, newId: is.callback, documents: is.list, variables: is.record },
} satisfies Record<keyof DialogueOptions, Rule>;

/** What each of these options must be. */
export const beamRules = {
  ...{ beams: is.count, maxTokens: is.limit, lengthPenalty: is.finite, earlyStopping: is.flag },
  ...{ stopIds: is.ids, vocabSize: is.count, signal: is.signal },
} satisfies Record<keyof BeamOptions, Rule>;

/** What each of these options must be. */
export const generateRules = { ...promptRules, ...writeRules } satisfies Record<keyof GenerateOptions, Rule>;
/** What each of these options must be. */
export const chatPartsRules = { ...dialogueRules, ...freeRules } satisfies Record<keyof ChatPartsOptions, Rule>;
/** What each of these options must be. */
export const chatRules = { ...renderRules, ...writeRules } satisfies Record<keyof ChatOptions, Rule>;
