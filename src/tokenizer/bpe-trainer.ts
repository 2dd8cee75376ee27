// What the three kinds do differently when they are trained.

import type { Alphabet, Learner } from "./learn-merges.ts";
import type { Merge, TokenizerModel } from "./model.ts";
import type { WordCounts, WordRules } from "./words/index.ts";

/** What one kind of tokenizer brings to training. */
export interface BpeTrainer {
  /** How documents become words. */
  readonly rules: WordRules;
  /** The words as symbols, and the pieces these symbols stand for. */
  /** @param onRead may be called when the words were read for the last time, so that they need not stay in memory while they are laid out */
  layOut(words: WordCounts, onRead: () => void): Promise<Alphabet>;
  /** How the next merge is found. */
  learner(alphabet: Alphabet): Learner;
  /** Pieces that stand beside those learned: special ones and bytes. Text never becomes one of them. */
  readonly reserved: readonly string[];
  /** `pieces` begins with those of `layOut`, the merged ones follow; merges speak of their indices. */
  finish(pieces: readonly string[], merges: readonly Merge[]): TokenizerModel;
}
