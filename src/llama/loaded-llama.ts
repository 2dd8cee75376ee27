// A loaded model that writes: what the Llama of Node and the one of a page have in common. Where its files come from and where it computes is theirs.
import type { Backend } from "../backend/index.ts";
import type { OnProgress, StateDType } from "../base/index.ts";
import type { Message } from "../chat/index.ts";
import { usualSampling } from "../formats/index.ts";
import {
  type BeamOptions,
  type BeamText,
  beamSearch,
  type ChoicePiece,
  type DraftCounts,
  type DraftSource,
  type GenerateTextOptions,
  generateChoices,
  generateText,
  type ModelCounts,
  modelDraft,
  type PromptOptions,
  promptIds,
  promptLogProbabilities,
  SequenceModel,
  type SequenceOptions,
  type TextPiece,
  type TokenLogProbability,
} from "../infer/index.ts";
import type { LlamaConfig } from "../model/index.ts";
import type { OpenChat, OpenModel, RenderedConversation } from "../open/index.ts";
import { StreamDecoder, type Tokenizer } from "../tokenizer/index.ts";
import { checkArgument, checkOptions, defined, is, type Rule } from "./check-arguments.ts";
import { type ChatPart, type DialogueOptions, messageParts, type OpenDialogue, openDialogue } from "./open-dialogue.ts";
import { checkSameTokens } from "./same-tokens.ts";
import { samplingRules, withoutOthers } from "./sampling-rules.ts";

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

/** A rule per option of a model. */
export const modelRules = {
  ...{ contextLength: is.count, cacheType: is.cacheType, pages: is.count, signal: is.signal, onProgress: is.callback },
} satisfies Record<keyof ModelOptions, Rule>;

/** A text, which gets what the tokenizer puts around one, or ids, which are read as they are. */
export type Prompt = string | readonly number[] | Uint32Array;

const sequenceRules = { cacheSalt: is.text } satisfies Record<keyof SequenceOptions, Rule>;

const promptRules = { parseSpecial: is.flag } satisfies Record<keyof PromptOptions, Rule>;

const renderRules = {
  ...{ template: is.name, addGenerationPrompt: is.flag, tools: is.list, documents: is.list, variables: is.record },
} satisfies Record<keyof RenderOptions, Rule>;

const formRules = {
  ...{ grammar: is.grammar, jsonSchema: is.schema, whitespace: is.whitespace, shownIds: is.ids },
} satisfies Partial<Record<keyof GenerateOptions, Rule>>;

const freeRules = {
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

const writeRules = { ...freeRules, ...formRules } satisfies Record<Exclude<keyof GenerateOptions, keyof PromptOptions>, Rule>;

const dialogueRules = {
  ...{ template: is.name, tools: is.list, toolChoice: is.toolChoice, parallel: is.flag, responseFormat: is.record, reasoning: is.flag },
  ...{ preamble: is.flag, constrain: is.flag, newId: is.callback, documents: is.list, variables: is.record },
} satisfies Record<keyof DialogueOptions, Rule>;

const beamRules = {
  ...{ beams: is.count, maxTokens: is.limit, lengthPenalty: is.finite, earlyStopping: is.flag },
  ...{ stopIds: is.ids, vocabSize: is.count, signal: is.signal },
} satisfies Record<keyof BeamOptions, Rule>;

const generateRules = { ...promptRules, ...writeRules } satisfies Record<keyof GenerateOptions, Rule>;
const chatPartsRules = { ...dialogueRules, ...freeRules } satisfies Record<keyof ChatPartsOptions, Rule>;
const chatRules = { ...renderRules, ...writeRules } satisfies Record<keyof ChatOptions, Rule>;

/** GenerationConfig._get_default_generation_params, which every version since 4.28 agrees with. */
const transformersSampling = { temperature: 1, topK: 50, topP: 1 };

/** Where a model computes. */
export interface ModelBackend {
  readonly backend: Backend;
  /** Whether the backend ends with the model. */
  readonly isOwn: boolean;
}

/** A model on a backend. */
export interface ModelThere extends ModelBackend {
  readonly sequences: SequenceModel;
  readonly tokenizer: Tokenizer;
  readonly chat: OpenChat;
  /** How its makers would have it sampled. */
  readonly generation: OpenModel["generation"];
  readonly warnings: readonly string[];
}

/**
 * Loads the weights and what goes with them.
 * @param tokenizerFile names another tokenizer than the one beside the model
 * @throws CriaError when a part is damaged or another model's, or memory does not suffice; a backend of the model's own is disposed of then.
 */
export async function loadThere<Place>(
  model: OpenModel<Place>,
  tokenizerFile: Place | undefined,
  openBackend: () => Promise<ModelBackend>,
  options: ModelOptions,
): Promise<ModelThere> {
  const warnings = [...model.warnings];
  const onWarning = (warning: string) => warnings.push(warning);
  const tokenizer = await model.openTokenizer(tokenizerFile, onWarning);
  const chat = await model.openChat(tokenizer, tokenizerFile, onWarning);
  const { backend, isOwn } = await openBackend();
  try {
    const sequences = await SequenceModel.open(backend, model.config, model.weights, options);
    if (options.contextLength === undefined && options.pages === undefined) warnings.push(...shortMemory(sequences));
    return { sequences, tokenizer, chat, generation: model.generation, warnings, backend, isOwn };
  } catch (error) {
    if (isOwn) await backend.dispose();
    throw error;
  }
}

/** A loaded model that continues texts, answers in chats and scores texts. */
export class LoadedLlama {
  readonly config: LlamaConfig;
  readonly tokenizer: Tokenizer;
  /** Tokens that a text may have, the prompt included: fewer than the config says where fewer were asked for or memory is short. */
  readonly contextLength: number;
  /** What {@link generate} does where its options are silent. */
  readonly defaults: GenerateOptions;
  /**
   * A sentence for each of the model's files that says something which cria neither follows nor refuses, and one where memory has room for less than
   * the model's context; most models have none.
   */
  readonly warnings: readonly string[];
  /** Names of the model's chat templates; none where it only continues text. */
  readonly chatTemplates: readonly string[];
  /** What computes, as the backend names itself: target and threads, and why it is nothing faster. */
  readonly backendName: string;
  readonly #chat: OpenChat;
  readonly #model: SequenceModel;
  readonly #ownBackend: Backend | undefined;

  protected constructor({ sequences, tokenizer, chat, generation, warnings, backend, isOwn }: ModelThere) {
    this.config = sequences.config;
    this.contextLength = sequences.contextLength;
    this.tokenizer = tokenizer;
    this.defaults = defaultsOf(generation, chat.endOfTurn);
    this.warnings = warnings;
    this.chatTemplates = [...chat.templates.keys()];
    this.backendName = backend.name;
    this.#chat = chat;
    this.#model = sequences;
    this.#ownBackend = isOwn ? backend : undefined;
  }

  /**
   * What follows the prompt, as it comes: never half a character, nothing of a stop string. The same prompt again, or one that goes on
   * from it, computes only what is new, as long as the memory for keys and values lasts. Several texts may be written at the same time: each is
   * what it would be alone, and their tokens are computed together.
   * @throws CriaError when an argument is of the wrong type, an option is out of its range or the prompt does not fit the context; the
   * signal's reason when it is aborted.
   */
  async *generate(prompt: Prompt, options: GenerateOptions = {}): AsyncGenerator<string, void> {
    for await (const { text } of this.pieces(prompt, options)) if (text !== "") yield text;
  }

  /** Gives what {@link generate} does token by token, with ids, and why the text ends. */
  pieces(prompt: Prompt, options: GenerateOptions = {}): AsyncGenerator<TextPiece, void> {
    checkArgument("llama", "the prompt", prompt, is.prompt);
    checkOptions("llama", options, generateRules);
    return generateText(this.#model, this.tokenizer, prompt, withDefaults(defined(options), this.defaults));
  }

  /**
   * Several texts that follow one prompt, which is read once, written at the same time: text i is what {@link pieces} gives with the same seed and choice i.
   * @param count texts to write, at least 1
   */
  choices(prompt: Prompt, count: number, options: GenerateOptions = {}): AsyncGenerator<ChoicePiece, void> {
    checkArgument("llama", "the prompt", prompt, is.prompt);
    checkArgument("llama", "the number of choices", count, is.count);
    checkOptions("llama", options, generateRules);
    return generateChoices(this.#model, this.tokenizer, prompt, count, withDefaults(defined(options), this.defaults));
  }

  /**
   * The likeliest texts behind a prompt that a search finds, best first, as many as there are beams. They end with what ends a text of the model's.
   * @throws CriaError when an option is out of its range or the prompt does not fit the context; the signal's reason when it is aborted
   */
  async beams(prompt: Prompt, options: BeamOptions & PromptOptions): Promise<readonly (BeamText & { readonly text: string })[]> {
    checkOptions("llama", options, { ...promptRules, ...beamRules });
    const { parseSpecial = false, ...search } = defined(options);
    const ids = this.#idsOf(prompt, { parseSpecial });
    const stopIds = [...(search.stopIds ?? this.defaults.stopIds ?? [])];
    const vocabSize = Math.min(this.tokenizer.vocabSize, this.#model.vocabSize);
    const found = await beamSearch(this.#model, ids, { vocabSize, ...search, stopIds });
    return found.map((beam) => ({ ...beam, text: textBehind(this.tokenizer, ids, beam, new Set(stopIds)) }));
  }

  /**
   * How probable the model finds each token of a text, given those before it; the first token has nothing before it: undefined.
   * @param options `top` asks for so many of the most probable tokens beside each
   */
  async logProbabilities(
    text: Prompt,
    options: PromptOptions & { readonly top?: number; readonly signal?: AbortSignal } = {},
  ): Promise<readonly { readonly id: number; readonly told: TokenLogProbability | undefined }[]> {
    checkOptions("llama", options, { ...promptRules, top: is.natural, signal: is.signal });
    const { top = 0, signal, ...prompt } = options;
    const ids = this.#idsOf(text, prompt);
    const told = await promptLogProbabilities(this.#model, ids, top, signal);
    return told.map((one, i) => ({ id: ids[i] ?? 0, told: one }));
  }

  /**
   * Guesses for a larger model, to be given as its `draft`: its texts stay what they are, and come sooner where this model draws the same tokens.
   * @param mostTokens guessed at once, at most
   * @throws CriaError where the two have other tokens
   */
  draftFor(large: LoadedLlama, mostTokens?: number): DraftSource & DraftCounts {
    checkArgument("llama", "the larger model", large, { what: "a loaded model", isRight: (value) => value instanceof LoadedLlama });
    checkSameTokens(this.tokenizer, large.tokenizer);
    return modelDraft(this.#model, mostTokens);
  }

  /** The pages that all texts share, and what was computed since the model was loaded. */
  get counts(): ModelCounts {
    return this.#model.counts;
  }

  /** Rows of a pass in which a text is written while the prompt of another one is read, at most: see `SequenceModelOptions.mixedRows`. */
  get mixedRows(): number {
    return this.#model.mixedRows;
  }

  set mixedRows(rows: number) {
    this.#model.mixedRows = rows;
  }

  /** How many of a prompt's first tokens need not be computed, as the pages are now. */
  cachedTokens(prompt: Prompt, options: PromptOptions & SequenceOptions = {}): number {
    checkOptions("llama", options, { ...promptRules, ...sequenceRules });
    const { cacheSalt, ...encoding } = options;
    return this.#model.cachedTokens(this.#idsOf(prompt, encoding), { cacheSalt });
  }

  #idsOf(prompt: Prompt, options: PromptOptions): ArrayLike<number> {
    checkArgument("llama", "the prompt", prompt, is.prompt);
    return typeof prompt === "string" ? this.promptIds(prompt, options) : prompt;
  }

  /** What {@link generate} follows for these options: they, and the model's defaults where they are silent. */
  optionsOf(options: GenerateOptions): GenerateOptions {
    checkOptions("llama", options, generateRules);
    return withDefaults(defined(options), this.defaults);
  }

  /** The ids that a prompt becomes, with what the tokenizer's template puts around it, as the begin-of-text token. */
  promptIds(prompt: string, options: PromptOptions = {}): Uint32Array {
    checkArgument("llama", "the prompt", prompt, is.text);
    checkOptions("llama", options, promptRules);
    return promptIds(this.tokenizer, prompt, options);
  }

  /**
   * The assistant's next message in a conversation, as it comes, as {@link generate} gives what follows a prompt. It ends with any of the ids that end
   * a turn. A conversation that goes on from an earlier one computes only what is new, where the template writes the earlier messages as before.
   * @throws CriaError as {@link generate}, and as {@link renderChat}
   */
  async *chat(messages: readonly Message[], options: ChatOptions = {}): AsyncGenerator<string, void> {
    for await (const { text } of this.chatPieces(messages, options)) if (text !== "") yield text;
  }

  /** Gives tokens as {@link pieces} does, for a conversation as {@link chat} reads it. */
  chatPieces(messages: readonly Message[], options: ChatOptions = {}): AsyncGenerator<TextPiece, void> {
    checkOptions("llama", options, chatRules);
    const { template, addGenerationPrompt, tools, documents, variables, ...writing } = options;
    const { ids } = this.#chat.encode(messages, { template, addGenerationPrompt, tools, documents, variables });
    return generateText(this.#model, this.tokenizer, ids, withDefaults(defined(writing), this.defaults));
  }

  /**
   * The assistant's next message as what it means: reasoning, content and calls of tools, whose arguments keep to the tools' schemas. It is written as
   * {@link chatPieces} writes; stop strings end it where its content has them.
   * @throws CriaError as {@link openDialogue} and {@link generate}
   */
  chatParts(messages: readonly Message[], options: ChatPartsOptions = {}): AsyncGenerator<ChatPart, void> {
    checkOptions("llama", options, chatPartsRules);
    const { template, tools, toolChoice, parallel, responseFormat, reasoning, ...others } = options;
    const { preamble, constrain, newId, documents, variables, stop, ...writing } = others;
    const asked = { template, tools, toolChoice, parallel, responseFormat, reasoning, preamble, constrain, newId, documents, variables };
    const { ids, writing: form, parser } = this.openDialogue(messages, asked);
    return messageParts(this.pieces(ids, { ...writing, ...form }), parser(stop));
  }

  /**
   * What {@link chatParts} is made of: the ids that a conversation becomes, what its next message is written with, and what reads it.
   * @throws CriaError as {@link renderChat}; naming the tool or the format whose schema is not supported or has no instance; and naming what the model's
   * template knows nothing of: tools, reasoning, or turning that off
   */
  openDialogue(messages: readonly Message[], options: DialogueOptions = {}): OpenDialogue {
    checkOptions("llama", options, dialogueRules);
    return openDialogue(this.#chat, this.tokenizer, messages, options);
  }

  /** The ids that a conversation becomes. @throws CriaError as {@link renderChat} */
  chatIds(messages: readonly Message[], options: RenderOptions = {}): Uint32Array {
    return this.renderChat(messages, options).ids;
  }

  /**
   * A conversation as the model reads it: its text, its ids, whose each character is, and which messages the template leaves out. Special pieces come
   * from the template alone, never from what a message spells. Begin-of-text stands in front where the template writes it, and once.
   * @throws CriaError when the model has no chat template, so that it only continues text; when an argument is of the wrong type or a message is not
   * well-formed; and with the template's own sentence where it refuses the conversation
   */
  renderChat(messages: readonly Message[], options: RenderOptions = {}): RenderedConversation {
    checkOptions("llama", options, renderRules);
    return this.#chat.encode(messages, options);
  }

  /** Frees memory and threads, behind what is running. A backend that was given stays open. */
  async dispose(): Promise<void> {
    await this.#model.dispose();
    await this.#ownBackend?.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/** The text of a beam, without a stop token; spaces at its beginning are as the prompt has them. */
function textBehind(tokenizer: Tokenizer, prompt: ArrayLike<number>, { ids }: BeamText, stopIds: ReadonlySet<number>): string {
  const kept = ids.filter((id, i) => i < ids.length - 1 || !stopIds.has(id));
  const decoder = new StreamDecoder(tokenizer);
  for (const id of Array.from(prompt)) decoder.push(id);
  return kept.map((id) => decoder.push(id)).join("") + decoder.flush();
}

function shortMemory({ contextLength, config }: SequenceModel): string[] {
  if (contextLength === config.contextLength) return [];
  return [
    `memory has room for texts of ${contextLength} tokens, fewer than the model's ${config.contextLength}: keys and values may be stored in fewer bytes (cacheType "f16" or "q8_0")`,
  ];
}

function defaultsOf(generation: ModelThere["generation"], endOfTurn: readonly number[]): GenerateOptions {
  const { bosTokenId: _, ...said } = generation;
  return { ...(saysHowToSample(said) ? transformersSampling : usualSampling), ...said, stopIds: endOfTurn };
}

/** A temperature of 0 does not count: it is how to take the most probable token. */
function saysHowToSample({ temperature = 0, topK, topP, minP, typicalP }: GenerateOptions): boolean {
  return temperature > 0 || [topK, topP, minP, typicalP].some((value) => value !== undefined);
}

/** The caller's limit counts of two that take each other's place, whichever of the two the model has. */
function withDefaults(options: GenerateOptions, defaults: GenerateOptions): GenerateOptions {
  const merged: { -readonly [K in keyof GenerateOptions]: GenerateOptions[K] } = { ...withoutOthers(defaults, options), ...options };
  if (options.maxLength !== undefined && options.maxTokens === undefined) delete merged.maxTokens;
  if (options.minLength !== undefined && options.minTokens === undefined) delete merged.minTokens;
  return merged;
}
