// Several texts from one prompt, which is read once: each begins where the prompt ends.
import { check } from "../base/index.ts";
import type { LanguageModel, TokenSequence } from "./generate-tokens.ts";
import type { SequenceOptions } from "./sequence.ts";

/** A model whose texts all begin with the same prompt. Dispose of it when the last text has begun. */
export class SharedPrompt implements LanguageModel, Disposable {
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly #model: LanguageModel;
  readonly #prompt: readonly number[];
  readonly #read: TokenSequence;
  readonly #logits: Float32Array;

  /** Reads the prompt. @throws CriaError where the model cannot fork what it has read */
  static async read(
    model: LanguageModel,
    prompt: ArrayLike<number>,
    { signal, cacheSalt }: SequenceOptions & { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<SharedPrompt> {
    const sequence = model.sequence({ cacheSalt });
    try {
      check(sequence.fork !== undefined, "infer", () => "several texts from one prompt need a model that forks sequences");
      return new SharedPrompt(model, Array.from(prompt), sequence, await sequence.next(prompt, signal));
    } catch (error) {
      sequence[Symbol.dispose]();
      throw error;
    }
  }

  private constructor(model: LanguageModel, prompt: readonly number[], read: TokenSequence, logits: Float32Array) {
    [this.#model, this.vocabSize, this.contextLength] = [model, model.vocabSize, model.contextLength];
    [this.#prompt, this.#read, this.#logits] = [prompt, read, logits.slice()];
  }

  /** A text whose logits are there already where its first tokens are the prompt; where they are others, as of a context that slid, it is read. */
  sequence(options?: SequenceOptions): TokenSequence {
    let base = this.#read.fork!();
    let isBegun = false;
    return {
      cachedTokens: this.#read.cachedTokens ?? 0,
      next: async (ids, signal) => {
        const isFirst = !isBegun;
        isBegun = true;
        if (isFirst && this.#isPrompt(ids)) return this.#logits;
        if (isFirst) {
          base[Symbol.dispose]();
          base = this.#model.sequence(options);
        }
        return base.next(ids, signal);
      },
      ...(base.nextAll !== undefined && { nextAll: async (ids, signal) => base.nextAll?.(ids, signal) ?? [] }),
      truncate: (length) => base.truncate?.(length),
      [Symbol.dispose]: () => base[Symbol.dispose](),
    };
  }

  #isPrompt(ids: ArrayLike<number>): boolean {
    return ids.length === this.#prompt.length && this.#prompt.every((id, i) => id === ids[i]);
  }

  [Symbol.dispose](): void {
    this.#read[Symbol.dispose]();
  }
}
