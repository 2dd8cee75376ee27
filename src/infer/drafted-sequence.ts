// Speculative decoding (Leviathan et al. 2023, arXiv 2211.17192): tokens that someone guessed are read in one pass with the last token, and as many of their
// logits are used as the guesses were right. A sampler's numbers follow from the place in the text, and a row's bits do not depend on the rows beside
// it, so the text is bit for bit the one without guesses, drawn or greedy; only time differs.
import { check } from "../base/index.ts";
import type { TokenSequence } from "./generate-tokens.ts";
import type { Sampler } from "./sampling.ts";
import type { SequenceOptions } from "./sequence.ts";
import type { TextSoFar } from "./text-so-far.ts";

/** Guesses what comes next in one text. */
export interface Draft extends Disposable {
  /** Tokens that may follow, at most so many, or none. @param text the prompt and all tokens behind it */
  propose(text: readonly number[], most: number, signal?: AbortSignal): Promise<readonly number[]>;
  /** Hears that a guess was right. */
  accept(): void;
}

/** Whether nothing can be drawn behind a text, of the tokens below `vocabSize`. */
export type IsOver = (text: TextSoFar, vocabSize: number) => boolean;

/** Where guesses come from. */
export interface DraftSource {
  /** Tokens that are guessed at once, at most; from 1. */
  readonly mostTokens: number;
  /** Begins to guess for one text. */
  open(text: DraftedText): Draft;
}

/** The text that is guessed for. */
export interface DraftedText extends SequenceOptions {
  /** Makes a sampler that draws as the text's own does. */
  newSampler(): Sampler;
  /** Ids from here on are never drawn. */
  readonly vocabSize: number;
  readonly isOver: IsOver;
}

/** A text whose next tokens are guessed ahead. */
export class DraftedSequence implements TokenSequence {
  readonly #base: TokenSequence;
  readonly #draft: Draft;
  readonly #contextLength: number;
  readonly #most: number;
  /** Tokens that were told to this sequence, all of which the model has read. */
  readonly #text: number[] = [];
  /** Guesses that the model has read behind the text, and the logits behind each. */
  #ahead: { readonly id: number; readonly logits: Float32Array }[] = [];
  /** Guesses of the last round, and how many of them were right so far. */
  #guessed = 0;
  #right = 0;
  /** How many tokens are guessed next: more where all were right, fewer where not (as transformers' assisted generation has it). */
  #wanted: number;

  /** @param base is disposed of with this one @throws CriaError where it cannot read several tokens for their logits, or take some back */
  constructor(base: TokenSequence, contextLength: number, draft: Draft, most: number) {
    this.#base = base;
    this.#draft = draft;
    this.#contextLength = contextLength;
    this.#most = most;
    this.#wanted = Math.min(4, most);
    check(
      this.#base.nextAll !== undefined && this.#base.truncate !== undefined,
      "infer",
      () => "a draft needs a model that gives the logits of all rows and takes tokens back: omit the draft",
    );
  }

  get cachedTokens(): number {
    return this.#base.cachedTokens ?? 0;
  }

  async next(ids: ArrayLike<number>, signal?: AbortSignal): Promise<Float32Array> {
    const [first] = this.#ahead;
    if (ids.length === 1 && first !== undefined && ids[0] === first.id) {
      this.#ahead.shift();
      this.#text.push(first.id);
      this.#right++;
      this.#draft.accept();
      return first.logits;
    }
    this.#learn();
    if (this.#ahead.length > 0) this.#base.truncate?.(this.#text.length);
    this.#ahead = [];
    const isPrompt = this.#text.length === 0;
    for (let i = 0; i < ids.length; i++) this.#text.push(ids[i]!);
    const guesses = isPrompt ? [] : await this.#guess(signal);
    if (guesses.length === 0) return this.#base.next(ids, signal);
    const [logits, ...rows] = (await this.#base.nextAll?.([...Array.from(ids), ...guesses], signal))?.slice(ids.length - 1) ?? [];
    this.#ahead = guesses.map((id, i) => ({ id, logits: rows[i]! }));
    return logits!;
  }

  async #guess(signal: AbortSignal | undefined): Promise<readonly number[]> {
    const room = this.#contextLength - this.#text.length;
    const guesses = room < 1 ? [] : await this.#draft.propose(this.#text, Math.min(room, this.#wanted), signal);
    [this.#guessed, this.#right] = [guesses.length, 0];
    return guesses;
  }

  #learn(): void {
    if (this.#guessed === 0) return;
    this.#wanted = this.#right === this.#guessed ? Math.min(this.#most, this.#wanted + 2) : Math.max(1, this.#wanted - 1);
    this.#guessed = 0;
  }

  [Symbol.dispose](): void {
    this.#base[Symbol.dispose]();
    this.#draft[Symbol.dispose]();
  }
}
