// What becomes of a text that is longer than a model's context: it stops there, the context slides over it, or it is refused before it begins.
import { check, fail } from "../base/index.ts";
import type { TokenSequence } from "./generate-tokens.ts";
import type { TopLogits, TopWanted } from "./sequence.ts";

/** All that may happen at a context's end. */
export const contextEnds = ["stop", "slide", "refuse"] as const;
/** What happens where a text reaches the end of the context. */
export type ContextEnd = (typeof contextEnds)[number];

/** How a text goes on, or does not, where the context ends. */
export interface ContextOptions {
  /**
   * "stop" ends the text, and the reason is "context". "slide" drops the oldest half of it, the first `contextKeep` tokens excepted, computes what is
   * left again at its new positions, and goes on; a prompt that is too long is halved likewise until it fits. "refuse" takes nothing that might not fit:
   * prompt and tokens asked for together are an error before anything is computed. @default "stop"
   */
  readonly contextEnd?: ContextEnd;
  /** Tokens at the beginning of a text that stay where the context slides: from 0, below the context; only with "slide". @default 1, mostly begin-of-text */
  readonly contextKeep?: number;
}

/** Attention rests on the first token (Xiao et al. 2023, arXiv 2309.17453), so that texts fall apart without it. */
const usualKeep = 1;

/**
 * What stays of a text that is longer than the context: the first `keep` tokens, and the later half of the others, as often as it takes to fit. Of an
 * odd number of others the smaller part stays.
 */
export function slid(ids: readonly number[], keep: number, contextLength: number): readonly number[] {
  let others = ids.length - keep;
  while (keep + others > contextLength) others = Math.floor(others / 2);
  return [...ids.slice(0, keep), ...ids.slice(ids.length - others)];
}

/** @returns how many tokens stay where the context slides @throws CriaError for options out of their range */
export function keptTokens({ contextEnd = "stop", contextKeep }: ContextOptions, contextLength: number): number {
  check(
    contextEnds.includes(contextEnd),
    "infer",
    () => `contextEnd is ${JSON.stringify(contextEnd)} but must be ${contextEnds.map((name) => `"${name}"`).join(", ")}`,
  );
  check(
    contextKeep === undefined || contextEnd === "slide",
    "infer",
    () => `contextKeep is ${contextKeep}, but with contextEnd "${contextEnd}" nothing is dropped: omit it, or take contextEnd "slide"`,
    { ways: ["contextEnd"] },
  );
  const keep = contextKeep ?? Math.min(usualKeep, contextLength - 1);
  check(
    Number.isSafeInteger(keep) && keep >= 0 && keep < contextLength,
    "infer",
    () => `contextKeep is ${keep} but must be an integer from 0 to ${contextLength - 1}, as the context holds ${contextLength} tokens`,
  );
  return keep;
}

/** @throws CriaError where the context might end before the text, which "refuse" excludes */
export function checkFits(promptLength: number, maxTokens: number, contextLength: number): void {
  check(
    maxTokens !== Number.POSITIVE_INFINITY,
    "infer",
    () =>
      `contextEnd is "refuse", but no limit says whether the text fits the context of ${contextLength} tokens: set maxTokens or maxLength`,
    { ways: ["maxTokens"] },
  );
  const read = promptLength + maxTokens - 1; // nothing is asked of what follows the last one
  check(
    read <= contextLength,
    "infer",
    () =>
      `the prompt has ${promptLength} tokens, and with ${maxTokens} more the model reads ${read}, but the context holds ${contextLength}: shorten the prompt, ask for fewer tokens (maxTokens), or take contextEnd "stop" or "slide"`,
    { ways: ["maxTokens", "contextEnd"] },
  );
}

/** A text of which the model sees what its context holds: when it is full, another sequence reads what stays. */
export class SlidingSequence implements TokenSequence {
  readonly #open: () => TokenSequence;
  readonly #keep: number;
  readonly #contextLength: number;
  #base: TokenSequence;
  /** What the model has read of the text. */
  #seen: number[] = [];
  /** Tokens dropped so far. */
  dropped = 0;

  /** @param open gives a sequence that has no token yet, which is disposed of with this one */
  constructor(open: () => TokenSequence, keep: number, contextLength: number) {
    [this.#open, this.#keep, this.#contextLength] = [open, keep, contextLength];
    this.#base = open();
    const { nextTop } = this.#base;
    if (nextTop !== undefined)
      this.nextTop = (ids, wanted, signal) =>
        this.#read(
          ids,
          (base, unread) =>
            base.nextTop?.(unread, wanted, signal) ?? fail("infer", "a sequence cannot give the largest logits, but the one before could"),
        );
  }

  get cachedTokens(): number {
    return this.#base.cachedTokens ?? 0;
  }

  next(ids: ArrayLike<number>, signal?: AbortSignal): Promise<Float32Array> {
    return this.#read(ids, (base, unread) => base.next(unread, signal));
  }

  readonly nextTop?: (ids: ArrayLike<number>, wanted: TopWanted, signal?: AbortSignal) => Promise<TopLogits>;

  #read<Result>(ids: ArrayLike<number>, read: (base: TokenSequence, unread: readonly number[]) => Promise<Result>): Promise<Result> {
    const unread = Array.from(ids);
    this.#seen.push(...unread);
    if (this.#seen.length <= this.#contextLength) return read(this.#base, unread);
    const left = slid(this.#seen, this.#keep, this.#contextLength);
    this.dropped += this.#seen.length - left.length;
    this.#seen = [...left];
    this.#base[Symbol.dispose]();
    this.#base = this.#open();
    return read(this.#base, left);
  }

  [Symbol.dispose](): void {
    this.#base[Symbol.dispose]();
  }
}
