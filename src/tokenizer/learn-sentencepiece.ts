// Learning merges as SentencePiece's trainer does (sentencepiece 0.2.3, bpe_model_trainer.cc).
import type { CandidateHeap } from "./candidate-heap.ts";
import { type Alphabet, allCandidatesOf, type Learner, type Symbols } from "./learn-merges.ts";
import type { Merge } from "./model.ts";
import type { PairCounts } from "./pair-counts.ts";

/**
 * The trainer of SentencePiece 0.2.3: the most frequent pair at every step, but a second way to spell a piece is never merged, and when no pair
 * is left in the words, those that once stood there become pieces, too.
 */
export class SentencePieceLearner implements Learner {
  readonly #symbols: Symbols;
  readonly #pairs: PairCounts;
  readonly #heap: CandidateHeap;
  readonly #isGone: boolean[] = [];

  constructor(alphabet: Alphabet) {
    const { symbols, pairs, heap } = allCandidatesOf(alphabet, "shorter-piece");
    this.#symbols = symbols;
    this.#pairs = pairs;
    this.#heap = heap;
  }

  get pieces(): readonly string[] {
    return this.#symbols.pieces;
  }

  next(): Merge | undefined {
    for (;;) {
      const pair = this.#heap.pop();
      if (pair < 0) return undefined;
      if (this.#isGone[pair]) continue;
      const count = this.#pairs.count(pair);
      if (count !== this.#heap.poppedCount) {
        this.#heap.push(pair, count);
        continue;
      }
      this.#isGone[pair] = true;
      const merge = this.#merge(pair);
      if (merge !== undefined) return merge;
    }
  }

  #merge(pair: number): Merge | undefined {
    const left = this.#pairs.left(pair);
    const right = this.#pairs.right(pair);
    const piece = this.pieces[left]! + this.pieces[right]!;
    if (this.#symbols.find(piece) !== undefined) return undefined;
    this.#pairs.merge(pair, this.#symbols.add(piece));
    for (const change of this.#pairs.changes) if (change >= 0) this.#heap.push(change, this.#pairs.count(change));
    return [left, right];
  }
}
