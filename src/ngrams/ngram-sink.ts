// What takes the n-grams of a model one after another: a model that is to answer, an ARPA file, a file of ours. Readers and the trainer give them.
import type { Sliced } from "../base/index.ts";

/** Takes n-grams, those of one word first, then those of two, and so on. */
export interface NgramSink {
  /** @param counts n-grams of each order that follow, unigrams first */
  begin(counts: readonly number[]): void;
  /**
   * @returns the word's number
   * @param probability log10, at most 0
   * @param backoff log10 of the weight; -0 where no n-gram is known to begin with the word
   * @param isExtended whether some longer n-gram may end with the word; it may when absent
   */
  word(word: string, probability: number, backoff: number, isExtended?: boolean): number;
  /** Takes an n-gram as {@link word} takes a word. @param ids the numbers of its words, the first one first; the list is another n-gram's in the next call @param backoff 0 for the longest n-grams */
  ngram(ids: ArrayLike<number>, probability: number, backoff: number, isExtended?: boolean): void;
  /** All n-grams of an order have been given. Readers of texts don't call it. */
  endOrder?(): Sliced<void>;
}
