// A loaded model that writes: what the Llama of Node and the one of a page have in common. Where its files come from and where it computes is theirs.
import type { Backend } from "../backend/index.ts";
import { fail, type Sliced, wholly } from "../base/index.ts";
import type { Message } from "../chat/index.ts";
import {
  type AttentionWeightsOptions,
  attentionWeights,
  type BeamOptions,
  type BeamText,
  beamSearch,
  type ChoicePiece,
  type DraftCounts,
  type DraftSource,
  type EmbedOptions,
  embedTexts,
  generateChoices,
  generateText,
  joinScores,
  type ModelCounts,
  modelDraft,
  type PromptOptions,
  promptIdsSliced,
  promptLogProbabilities,
  type RestoreOptions,
  rollingWindows,
  type Score,
  type ScoreOptions,
  type SequenceModel,
  type SequenceOptions,
  scoreTexts,
  type TextPiece,
  type TokenLogProbability,
} from "../infer/index.ts";
import type { LlamaConfig } from "../model/index.ts";
import type { OpenChat, RenderedConversation } from "../open/index.ts";
import { StreamDecoder, type Tokenizer } from "../tokenizer/index.ts";
import { checkArgument, checkOptions, defined, is } from "./check-arguments.ts";
import { defaultsOf, withDefaults } from "./defaults.ts";
import type { ModelThere } from "./model-there.ts";
import { type ChatPart, type DialogueOptions, messageParts, type OpenDialogue, openDialogue } from "./open-dialogue.ts";
import {
  attentionRules,
  beamRules,
  type ChatOptions,
  type ChatPartsOptions,
  chatPartsRules,
  chatRules,
  dialogueRules,
  embedRules,
  type GenerateOptions,
  generateRules,
  type Prompt,
  promptRules,
  type RenderOptions,
  type RestoredText,
  renderRules,
  restoreRules,
  type SaveOptions,
  saveRules,
  scoreRules,
  sequenceRules,
} from "./options.ts";
import { checkSameTokens } from "./same-tokens.ts";
import { inside, prefixOf, textToScore } from "./texts-to-score.ts";

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
   * How probable the model finds a continuation of a prompt: the sum of its tokens' log-probabilities, each of them, and whether all are the most probable
   * ones. Texts are encoded as lm-evaluation-harness does: white space at the prompt's end counts as the continuation's.
   * @throws CriaError where the continuation has no token or both do not fit the context; the signal's reason when it is aborted
   */
  async score(prompt: Prompt, continuation: Prompt, options: ScoreOptions = {}): Promise<Score> {
    const [score] = await this.scoreAll(prompt, [continuation], options);
    return score ?? fail("llama", "a continuation was not scored");
  }

  /** Scores several continuations of one prompt, as {@link score} does each: what they have in common is computed once, and they are computed together. */
  async scoreAll(prompt: Prompt, continuations: readonly Prompt[], options: ScoreOptions = {}): Promise<readonly Score[]> {
    checkArgument("llama", "the prompt", prompt, is.prompt);
    checkArgument("llama", "the list of continuations", continuations, is.prompts);
    checkOptions("llama", options, scoreRules);
    const texts = continuations.map((continuation) => textToScore(this.tokenizer, prompt, continuation));
    return scoreTexts(this.#model, texts, options);
  }

  /**
   * How probable the model finds a text of any length: each token once, given those before it in its window of the context. A begin-of-text or
   * end-of-text token stands in front.
   * @param options `overlap` is the least number of tokens in front of the first that a window scores: 1 by default, as in lm-evaluation-harness
   */
  async scoreRolling(text: Prompt, options: ScoreOptions & { readonly overlap?: number } = {}): Promise<Score> {
    checkArgument("llama", "the text", text, is.prompt);
    checkOptions("llama", options, { ...scoreRules, overlap: is.count });
    const { overlap = 1, ...others } = options;
    const windows = rollingWindows(inside(this.tokenizer, text), prefixOf(this.tokenizer), this.contextLength, overlap);
    return joinScores(await scoreTexts(this.#model, windows, others));
  }

  /**
   * Texts as vectors of as many numbers as the model is wide: the mean of what its last layer, behind the final norm, makes of all tokens, or the last
   * token's. Texts are computed together.
   * @throws CriaError naming a text that does not fit the context, before anything is computed; the signal's reason when it is aborted
   */
  async embed(texts: readonly Prompt[], options: EmbedOptions & PromptOptions = {}): Promise<readonly Float32Array[]> {
    checkArgument("llama", "the list of texts", texts, is.prompts);
    checkOptions("llama", options, { ...embedRules, ...promptRules });
    const { parseSpecial = false, ...embedding } = options;
    return embedTexts(
      this.#model,
      // A text without tokens is not refused here, but where it is named by its number.
      texts.map((text) => (typeof text === "string" ? this.tokenizer.encode(text, { template: true, parseSpecial }) : text)),
      embedding,
    );
  }

  /**
   * How much each token of a text looks at itself and those before it in a layer: for each head [T, T], row by row, so that memory grows with the
   * text's length squared.
   * @throws CriaError where the model has no such layer, or the text does not fit the context; the signal's reason when it is aborted
   */
  async attentionWeights(text: Prompt, options: AttentionWeightsOptions & PromptOptions): Promise<readonly Float32Array[]> {
    checkOptions("llama", options, attentionRules);
    const { parseSpecial = false, ...others } = options;
    return attentionWeights(this.#model, this.#idsOf(text, { parseSpecial }), others);
  }

  /**
   * What the model knows of a text, as bytes: its tokens, and keys and values, which are computed where no earlier text had them. {@link restoreBytes}
   * puts them back, in this process or another one, so that texts which go on from it compute only what is new.
   * @param options `note` is a value of JSON that comes back with it, such as the messages of a chat
   * @throws CriaError where the text does not fit the context; the signal's reason when it is aborted
   */
  async saveBytes(text: Prompt, options: SaveOptions = {}): Promise<Uint8Array> {
    checkOptions("llama", options, saveRules);
    const { note, signal, cacheSalt, parseSpecial = false } = options;
    const ids = this.#idsOf(text, { parseSpecial });
    using sequence = this.#model.sequence({ cacheSalt });
    await this.#model.run([{ sequence, ids, logits: "none" }], signal);
    return sequence.save(note);
  }

  /**
   * Puts back what {@link saveBytes} gave. `generate([...ids, …])` goes on from it, as long as no other text needs its pages.
   * @throws CriaError where the bytes are damaged, no saved text, or of another version, model or type of cache
   */
  async restoreBytes(bytes: Uint8Array, options: RestoreOptions = {}): Promise<RestoredText> {
    checkArgument("llama", "what was saved", bytes, is.bytes);
    checkOptions("llama", options, restoreRules);
    const { sequence, note, restoredTokens, target } = await this.#model.restore(bytes, options);
    using restored = sequence;
    const { ids } = restored;
    return { ids, text: this.tokenizer.decode(ids), note, restoredTokens, target };
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
    return wholly(this.promptIdsSliced(prompt, options));
  }

  /** {@link promptIds} in slices. */
  promptIdsSliced(prompt: string, options: PromptOptions = {}): Sliced<Uint32Array> {
    checkArgument("llama", "the prompt", prompt, is.text);
    checkOptions("llama", options, promptRules);
    return promptIdsSliced(this.tokenizer, prompt, options);
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
    return wholly(this.openDialogueSliced(messages, options));
  }

  /** {@link openDialogue} in slices, between which others may get on: a long conversation takes tens of milliseconds. */
  openDialogueSliced(messages: readonly Message[], options: DialogueOptions = {}): Sliced<OpenDialogue> {
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
    return wholly(this.renderChatSliced(messages, options));
  }

  /** {@link renderChat} in slices. */
  renderChatSliced(messages: readonly Message[], options: RenderOptions = {}): Sliced<RenderedConversation> {
    checkOptions("llama", options, renderRules);
    return this.#chat.encodeSliced(messages, options);
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
