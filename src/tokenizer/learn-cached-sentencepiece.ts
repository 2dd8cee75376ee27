// Learning merges as SentencePiece's trainer did up to 0.1.97 (bpe_model_trainer.cc), with a cache of active pairs.
import type { CandidateHeap } from "./candidate-heap.ts";
import { HashOrder, mostFrequent, pairKey } from "./hash-order.ts";
import { type Alphabet, candidatesOf, type Learner, type Symbols } from "./learn-merges.ts";
import type { Merge } from "./model.ts";
import type { PairCounts } from "./pair-counts.ts";

/** Pieces between two choices of the active pairs. */
const interval = 100;
/** The least number of pairs that are active. */
const fewestActive = 1000;
/** The share of all symbols that are active, in float32. */
const activeShare = Math.fround(0.05);

/**
 * It merges the most frequent of the active pairs: every 100 pieces the most frequent twentieth of all, and the pairs made since. Which of
 * equally frequent pairs are still among the twentieth depends on the order of its hash table. Of two occurrences of a pair that overlap ("aaa")
 * it forgets the second. A second way to spell a piece is never merged, and pairs that stand in no word any more become pieces when none is left.
 */
export class CachedSentencePieceLearner implements Learner {
  readonly #symbols: Symbols;
  readonly #pairs: PairCounts;
  readonly #heap: CandidateHeap;
  /** Symbol → its key in the trainer's table. */
  readonly #keys: bigint[];
  readonly #table = new HashOrder();
  /** Pair → its entry of the table, 0 when it is not there: it became a piece, or spells one. */
  readonly #entryOf: number[] = [];
  /** Entry → its pair, -1 for a character. */
  readonly #pairOf: number[] = [-1];
  /** Pair → how many choices of active pairs there had been when it was active last. */
  readonly #activeIn: number[] = [];
  #choices = 0;
  /** Pairs of a symbol with itself whose count is out of date. */
  readonly #stale = new Set<number>();
  #made = 0;

  /** @param characters those of the words in the order in which they come first, with ▅ for all that are no symbols */
  constructor(alphabet: Alphabet, characters: readonly string[]) {
    const { symbols, pairs, heap } = candidatesOf(alphabet, "shorter-piece");
    this.#symbols = symbols;
    this.#pairs = pairs;
    this.#heap = heap;
    this.#keys = alphabet.pieces.map(characterKey);
    for (const character of characters) this.#pairOf[this.#table.add(characterKey(character))] = -1;
    for (let pair = 0; pair < pairs.size; pair++) {
      this.#enter(pair);
      if (this.#isDouble(pair)) this.#stale.add(pair);
    }
  }

  get pieces(): readonly string[] {
    return this.#symbols.pieces;
  }

  next(): Merge | undefined {
    for (;;) {
      if (this.#made % interval === 0) this.#chooseActive();
      const pair = this.#popBest();
      if (pair === undefined) return undefined;
      const merge = this.#merge(pair);
      this.#table.delete(this.#entryOf[pair]!);
      this.#entryOf[pair] = 0;
      if (merge !== undefined) return merge;
    }
  }

  #popBest(): number | undefined {
    for (;;) {
      const pair = this.#heap.pop();
      if (pair < 0) return undefined;
      if (this.#entryOf[pair] === 0) continue;
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
    this.#keys.push(this.#keyOf(pair));
    this.#pairs.merge(pair, this.#symbols.add(piece));
    this.#made++;
    for (const change of this.#pairs.changes) {
      if (change >= 0) this.#noteGain(change);
      else this.#noteLoss(~change);
    }
    return [left, right];
  }

  #noteGain(pair: number): void {
    this.#enter(pair);
    this.#activeIn[pair] = this.#choices;
    if (this.#isDouble(pair)) this.#pairs.recountWithoutOverlaps(pair);
    this.#heap.push(pair, this.#pairs.count(pair));
  }

  #noteLoss(pair: number): void {
    if (this.#entryOf[pair] === 0) {
      // The trainer looks it up and so makes it again, without the occurrences that it had.
      this.#pairs.forget(pair);
      this.#enter(pair);
    } else if (this.#isDouble(pair)) {
      if (this.#activeIn[pair] === this.#choices) this.#pairs.recountWithoutOverlaps(pair);
      else this.#stale.add(pair);
    }
  }

  #chooseActive(): void {
    for (const pair of this.#stale) this.#pairs.recountWithoutOverlaps(pair);
    this.#stale.clear();
    const listed = this.#listed();
    const wanted = Math.max(fewestActive, Math.trunc(Math.fround(Math.fround(this.#table.size) * activeShare)));
    this.#choices++;
    this.#heap.clear();
    for (const pair of mostFrequent(listed, wanted, (item) => this.#pairs.count(item))) {
      this.#activeIn[pair] = this.#choices;
      this.#heap.push(pair, this.#pairs.count(pair));
    }
  }

  /** The pairs in the table's order. */
  #listed(): Int32Array {
    const listed = new Int32Array(this.#table.size);
    let size = 0;
    for (const entry of this.#table) {
      const pair = this.#pairOf[entry]!;
      if (pair >= 0) listed[size++] = pair;
    }
    return listed.subarray(0, size);
  }

  #enter(pair: number): void {
    const entry = this.#table.add(this.#keyOf(pair));
    this.#entryOf[pair] = entry;
    this.#pairOf[entry] = pair;
  }

  #keyOf(pair: number): bigint {
    return pairKey(this.#keys[this.#pairs.left(pair)]!, this.#keys[this.#pairs.right(pair)]!);
  }

  #isDouble(pair: number): boolean {
    return this.#pairs.left(pair) === this.#pairs.right(pair);
  }
}

function characterKey(character: string): bigint {
  return BigInt(character.codePointAt(0) ?? 0);
}
