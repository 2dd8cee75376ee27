// Several texts from one prompt, which is read once: each begins where the prompt ends.
import { check } from "../base/index.ts";
import type { LanguageModel, TokenSequence } from "./generate-tokens.ts";
import type { SequenceOptions } from "./sequence.ts";

/** A model whose texts all begin with the same prompt. Dispose of it when the last text has begun. */
export class SharedPrompt implements LanguageModel, Disposable {
  readonly vocabSize: number;
  readonly contextLength: number;
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
    [this.vocabSize, this.contextLength] = [model.vocabSize, model.contextLength];
    [this.#prompt, this.#read, this.#logits] = [prompt, read, logits.slice()];
  }

  /** A text whose first tokens must be the prompt's; its logits are there already. */
  sequence(): TokenSequence {
    const fork = this.#read.fork!();
    const [prompt, logits] = [this.#prompt, this.#logits];
    let isBegun = false;
    return {
      cachedTokens: this.#read.cachedTokens ?? 0,
      next: async (ids, signal) => {
        if (isBegun) return fork.next(ids, signal);
        isBegun = true;
        check(ids.length === prompt.length, "infer", () => `a text of ${ids.length} tokens begins where the prompt has ${prompt.length}`);
        return logits;
      },
      ...(fork.nextAll !== undefined && { nextAll: fork.nextAll.bind(fork) }),
      truncate: (length) => fork.truncate?.(length),
      [Symbol.dispose]: () => fork[Symbol.dispose](),
    };
  }

  [Symbol.dispose](): void {
    this.#read[Symbol.dispose]();
  }
}
