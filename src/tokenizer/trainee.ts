// What the three kinds do differently when they are trained.
import type { Words } from "./learn-merges.ts";
import type { Merge, TokenizerModel } from "./model.ts";
import type { WordCounts } from "./word-counts.ts";
import type { WordTable } from "./word-table.ts";

/** What one kind of tokenizer brings to training. */
export interface Trainee {
  /** Cuts a document into words. Words never reach from one document into the next. */
  count(text: string, words: WordTable): void;
  /** The words as symbols, and the pieces these symbols stand for. */
  layOut(words: WordCounts): Promise<{ readonly words: Words; readonly pieces: readonly string[] }>;
  /** Whether a piece `left + right` is allowed. */
  mayMerge(left: string, right: string): boolean;
  /** Pieces that stand beside those learned: special ones and bytes. Text never becomes one of them. */
  readonly reserved: readonly string[];
  /** `pieces` begins with those of `layOut`, the merged ones follow; merges speak of their indices. */
  finish(pieces: readonly string[], merges: readonly Merge[]): TokenizerModel;
}
