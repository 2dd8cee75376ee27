// Who guesses: a small model that draws as the large one will, or the text itself, where it says the same again.
import { check } from "../base/index.ts";
import type { Draft, DraftedText, DraftSource } from "./drafted-sequence.ts";
import type { LanguageModel, TokenSequence } from "./generate-tokens.ts";
import type { Sampler } from "./sampling.ts";
import { GrowingText } from "./text-so-far.ts";

/** Tokens that a draft guesses at once, at most, where nothing else is said. */
const usualMost = 16;

/** Counts guesses. */
export interface DraftCounts {
  /** Tokens that were guessed. */
  proposed: number;
  /** Guesses that were right, so that they took no pass of their own. */
  accepted: number;
}

/**
 * Guesses by a small model of the same tokens. It draws with the numbers that the large one will draw with, so that both draw the same token where their
 * probabilities are alike.
 * @param mostTokens guessed at once, at most; from 1 @throws CriaError where it is not
 */
export function modelDraft(model: LanguageModel, mostTokens = usualMost): DraftSource & DraftCounts {
  checkMost(mostTokens);
  const counts = { proposed: 0, accepted: 0 };
  return Object.assign(counts, {
    mostTokens,
    open: (text: DraftedText) => new ModelDraft(model, text, counts),
  });
}

class ModelDraft implements Draft {
  readonly #model: LanguageModel;
  readonly #drawn: DraftedText;
  readonly #sampler: Sampler;
  readonly #vocabSize: number;
  readonly #sequence: TokenSequence;
  readonly #counts: DraftCounts;
  /** What the small model has read. */
  #read: number[] = [];
  #promptLength: number | undefined;

  constructor(model: LanguageModel, drawn: DraftedText, counts: DraftCounts) {
    [this.#model, this.#drawn, this.#counts] = [model, drawn, counts];
    this.#sampler = drawn.newSampler();
    this.#vocabSize = Math.min(drawn.vocabSize, model.vocabSize);
    this.#sequence = model.sequence({ cacheSalt: drawn.cacheSalt });
  }

  async propose(text: readonly number[], most: number, signal?: AbortSignal): Promise<readonly number[]> {
    // The text is asked for behind its first token at the earliest, which is no part of the prompt.
    this.#promptLength ??= text.length - 1;
    const growing = new GrowingText(text.slice(0, this.#promptLength));
    for (const id of text.slice(this.#promptLength)) growing.push(id);
    let unread = this.#unread(text);
    const [vocabSize, { isOver }] = [this.#vocabSize, this.#drawn];
    const guesses: number[] = [];
    if (unread.some((id) => id >= this.#model.vocabSize)) return guesses; // a token that only the large model has
    while (guesses.length < most && this.#read.length + unread.length <= this.#model.contextLength && !isOver(growing, vocabSize)) {
      const logits = await this.#sequence.next(unread, signal);
      this.#read.push(...unread);
      const id = this.#sampler.next(logits.subarray(0, vocabSize), growing);
      guesses.push(id);
      growing.push(id);
      unread = [id];
    }
    this.#counts.proposed += guesses.length;
    return guesses;
  }

  /** Takes back what was guessed wrongly. @returns what is still to be read of the text, at least its last token */
  #unread(text: readonly number[]): readonly number[] {
    let same = 0;
    while (same < this.#read.length && same < text.length - 1 && this.#read[same] === text[same]) same++;
    if (same < this.#read.length) this.#sequence.truncate?.(same);
    this.#read.length = same;
    return text.slice(same);
  }

  accept(): void {
    this.#counts.accepted++;
  }

  [Symbol.dispose](): void {
    this.#sequence[Symbol.dispose]();
  }
}

/** The last tokens that are looked for earlier in the text, at most and at least. */
const [longestMatch, shortestMatch] = [4, 2];

/**
 * Guesses that what followed the text's last tokens before follows them again (prompt look-up decoding, Saxena 2023): right where an answer quotes its prompt,
 * and free.
 * @param mostTokens guessed at once, at most; from 1 @throws CriaError where it is not
 */
export function lookupDraft(mostTokens = usualMost): DraftSource & DraftCounts {
  checkMost(mostTokens);
  const counts = { proposed: 0, accepted: 0 };
  const propose = async (text: readonly number[], most: number) => {
    const guesses = repeatedAfter(text, most);
    counts.proposed += guesses.length;
    return guesses;
  };
  return Object.assign(counts, { mostTokens, open: () => ({ propose, accept: () => void counts.accepted++, [Symbol.dispose]() {} }) });
}

/** What followed the latest earlier place of the longest end of the text that stands there too. */
export function repeatedAfter(text: readonly number[], most: number): readonly number[] {
  const end = text.length;
  for (let length = Math.min(longestMatch, end - 1); length >= shortestMatch; length--)
    for (let start = end - length - 1; start >= 0; start--) {
      let same = 0;
      while (same < length && text[start + same] === text[end - length + same]) same++;
      if (same === length) return text.slice(start + length, start + length + most);
    }
  return [];
}

function checkMost(most: number): void {
  check(Number.isSafeInteger(most) && most >= 1, "infer", () => `a draft guesses ${most} tokens at once but must guess 1 at least`);
}
