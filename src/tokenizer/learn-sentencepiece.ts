// Learning merges as SentencePiece's trainer does (sentencepiece, bpe_model_trainer.cc), with its oddities.
import type { CandidateHeap } from "./candidate-heap.ts";
import { type Alphabet, candidatesOf, type Learner, type Symbols } from "./learn-merges.ts";
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
    const { symbols, pairs, heap } = candidatesOf(alphabet, "shorter-piece");
    this.#symbols = symbols;
    this.#pairs = pairs;
    this.#heap = heap;
    for (let pair = 0; pair < pairs.size; pair++) heap.push(pair, pairs.count(pair));
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
    for (const gained of this.#pairs.gained) this.#heap.push(gained, this.#pairs.count(gained));
    return [left, right];
  }
}

/** So many pieces lie between two choices of the active pairs. */
const interval = 100;
/** At least so many pairs are active. */
const fewestActive = 1000;
/** The share of all symbols that are active, in float32. */
const activeShare = Math.fround(0.05);

/**
 * The trainer of SentencePiece up to 0.1.97. It chooses among active pairs: every 100 pieces the most frequent twentieth of all, and the pairs made
 * since. Of two occurrences of a pair that overlap ("aaa") it forgets the second. Where pairs at the edge of the twentieth are equally frequent,
 * its own choice depends on memory addresses; here all of them are active.
 */
export class CachedSentencePieceLearner implements Learner {
  readonly #symbols: Symbols;
  readonly #pairs: PairCounts;
  readonly #heap: CandidateHeap;
  readonly #alphabetSize: number;
  /** Pairs that are not looked up any more, because they are pieces or spell one. */
  readonly #isGone: boolean[] = [];
  #gone = 0;
  readonly #isActive: boolean[] = [];
  /** Pairs of a symbol with itself whose count is out of date. */
  readonly #stale = new Set<number>();
  #made = 0;
  #least = 0;

  /** @param hasUnknown whether some characters of the corpus are no symbols: SentencePiece counts them as one */
  constructor(alphabet: Alphabet, hasUnknown: boolean) {
    const { symbols, pairs, heap } = candidatesOf(alphabet, "shorter-piece");
    this.#symbols = symbols;
    this.#pairs = pairs;
    this.#heap = heap;
    this.#alphabetSize = alphabet.pieces.length + (hasUnknown ? 1 : 0);
    for (let pair = 0; pair < pairs.size; pair++) if (pairs.left(pair) === pairs.right(pair)) this.#stale.add(pair);
  }

  get pieces(): readonly string[] {
    return this.#symbols.pieces;
  }

  next(): Merge | undefined {
    for (;;) {
      if (this.#made % interval === 0) this.#chooseActive();
      const pair = this.#popBest();
      if (pair === undefined) return undefined;
      this.#drop(pair);
      const merge = this.#merge(pair);
      if (merge !== undefined) return merge;
    }
  }

  #popBest(): number | undefined {
    for (;;) {
      const pair = this.#heap.pop();
      if (pair < 0) return undefined;
      if (this.#isGone[pair]) continue;
      const count = this.#pairs.count(pair);
      if (count === this.#heap.poppedCount) return pair;
      this.#heap.push(pair, count);
    }
  }

  #merge(pair: number): Merge | undefined {
    const left = this.#pairs.left(pair);
    const right = this.#pairs.right(pair);
    const piece = this.pieces[left]! + this.pieces[right]!;
    if (this.#symbols.find(piece) !== undefined) {
      this.#pairs.forget(pair);
      return undefined;
    }
    this.#pairs.merge(pair, this.#symbols.add(piece));
    this.#made++;
    for (const lost of this.#pairs.lost) this.#noteLoss(lost);
    for (const gained of this.#pairs.gained) this.#noteGain(gained);
    return [left, right];
  }

  #noteGain(pair: number): void {
    this.#isActive[pair] = true;
    if (this.#pairs.left(pair) === this.#pairs.right(pair)) this.#pairs.recountWithoutOverlaps(pair);
    this.#heap.push(pair, this.#pairs.count(pair));
  }

  #noteLoss(pair: number): void {
    if (this.#isGone[pair]) {
      // It is looked up and so comes back, without the occurrences that it had.
      this.#pairs.forget(pair);
      this.#isGone[pair] = false;
      this.#isActive[pair] = false;
      this.#gone--;
    } else if (this.#pairs.left(pair) === this.#pairs.right(pair)) {
      if (this.#isActive[pair]) this.#pairs.recountWithoutOverlaps(pair);
      else this.#stale.add(pair);
    }
  }

  #drop(pair: number): void {
    this.#isGone[pair] = true;
    this.#gone++;
  }

  #chooseActive(): void {
    const { size } = this.#pairs;
    for (const pair of this.#stale) this.#pairs.recountWithoutOverlaps(pair);
    this.#stale.clear();
    const inCache = this.#alphabetSize + size - this.#gone;
    const wanted = Math.max(fewestActive, Math.trunc(Math.fround(Math.fround(inCache) * activeShare)));
    const least = this.#leastOf(wanted);
    this.#heap.clear();
    for (let pair = 0; pair < size; pair++) {
      this.#isActive[pair] = !this.#isGone[pair] && this.#pairs.count(pair) >= least;
      if (this.#isActive[pair]) this.#heap.push(pair, this.#pairs.count(pair));
    }
  }

  /** The lowest count of the `wanted` most frequent pairs; 0 where there are not so many. */
  #leastOf(wanted: number): number {
    // Counts fall slowly, so that few pairs have to be sorted.
    const near = this.#countsFrom(this.#least * 0.8);
    const counts = near.length >= wanted ? near : this.#countsFrom(0);
    this.#least = counts.length < wanted ? 0 : Float64Array.from(counts).sort()[counts.length - wanted]!;
    return this.#least;
  }

  #countsFrom(least: number): number[] {
    const counts: number[] = [];
    for (let pair = 0; pair < this.#pairs.size; pair++) {
      const count = this.#pairs.count(pair);
      if (count >= least && !this.#isGone[pair]) counts.push(count);
    }
    return counts;
  }
}
