// Learning merges as SentencePiece's trainer did up to 0.1.97 (bpe_model_trainer.cc), with a cache of active pairs.
import type { CandidateHeap } from "./candidate-heap.ts";
import { grown } from "./grown.ts";
import { HashOrder, mostFrequent, pairKey } from "./hash-order.ts";
import { type Alphabet, candidatesOf, type Learner, type Symbols } from "./learn-merges.ts";
import type { Merge } from "./model.ts";
import type { PairCounts } from "./pair-counts.ts";

/** Pieces between two choices of the active pairs. */
const interval = 100;
/** The least number of pairs that are active. */
const fewestActive = 1000;
/** Stands for a choice that a pair is never among, because it has no occurrences left. */
const never = -1;
/** The share of all symbols that are active, in float32. */
const activeShare = Math.fround(0.05);

/**
 * It merges the most frequent of the active pairs: every 100 pieces the most frequent twentieth of all, and the pairs made since. Of two
 * occurrences of a pair that overlap ("aaa") it forgets the second. A second way to spell a piece is never merged, and pairs that stand in no word
 * any more become pieces when none is left.
 */
export class CachedSentencePieceLearner implements Learner {
  readonly #symbols: Symbols;
  readonly #pairs: PairCounts;
  readonly #heap: CandidateHeap;
  readonly #edge: ActiveEdge;
  /** Pair → 1 where the trainer's table does not hold it: it became a piece, or spells one. */
  readonly #isGone = new NumberList();
  /** Pair → how many choices of active pairs there had been when it was active last. */
  readonly #activeIn = new NumberList();
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
    this.#edge = new ActiveEdge(pairs, alphabet.pieces, characters);
    for (let pair = 0; pair < pairs.size; pair++) {
      this.#edge.enter(pair);
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
      this.#isGone.set(pair, 1);
      this.#edge.leave(pair);
      if (merge !== undefined) return merge;
    }
  }

  #popBest(): number | undefined {
    for (;;) {
      const pair = this.#heap.pop();
      if (pair >= 0 && this.#isGone.at(pair) === 1) continue;
      const count = pair < 0 ? 0 : this.#pairs.count(pair);
      if (pair >= 0 && count !== this.#heap.poppedCount) {
        this.#heap.push(pair, count);
        continue;
      }
      if (this.#edge.isOpen && count <= this.#edge.least) {
        if (pair >= 0) this.#heap.push(pair, count);
        this.#resolveEdge();
        continue;
      }
      return pair < 0 ? undefined : pair;
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
    this.#edge.name(pair);
    this.#pairs.merge(pair, this.#symbols.add(piece));
    this.#made++;
    for (const change of this.#pairs.changes) {
      if (change >= 0) this.#noteGain(change);
      else this.#noteLoss(~change);
    }
    return [left, right];
  }

  #noteGain(pair: number): void {
    this.#edge.enter(pair);
    this.#activeIn.set(pair, this.#choices);
    if (this.#isDouble(pair)) this.#pairs.recountWithoutOverlaps(pair);
    this.#heap.push(pair, this.#pairs.count(pair));
  }

  #noteLoss(pair: number): void {
    if (this.#isGone.at(pair) === 1) {
      // The trainer looks it up and so makes it again, without the occurrences that it had.
      this.#pairs.forget(pair);
      this.#isGone.set(pair, 0);
      this.#activeIn.set(pair, never);
      this.#edge.enter(pair);
    } else if (this.#isDouble(pair)) {
      if (this.#edge.holds(pair)) this.#resolveEdge();
      if (this.#activeIn.at(pair) === this.#choices) this.#pairs.recountWithoutOverlaps(pair);
      else this.#stale.add(pair);
    }
  }

  #chooseActive(): void {
    for (const pair of this.#stale) this.#pairs.recountWithoutOverlaps(pair);
    this.#stale.clear();
    this.#choices++;
    this.#heap.clear();
    this.#edge.choose(this.#isGone);
    for (let pair = 0; pair < this.#pairs.size; pair++)
      if (this.#isGone.at(pair) === 0 && this.#pairs.count(pair) > this.#edge.least) this.#activate(pair);
  }

  #resolveEdge(): void {
    for (const pair of this.#edge.resolve()) if (this.#isGone.at(pair) === 0 && this.#activeIn.at(pair) !== never) this.#activate(pair);
  }

  #activate(pair: number): void {
    this.#activeIn.set(pair, this.#choices);
    this.#heap.push(pair, this.#pairs.count(pair));
  }

  #isDouble(pair: number): boolean {
    return this.#pairs.left(pair) === this.#pairs.right(pair);
  }
}

/**
 * Which pairs are the most frequent twentieth. Those more frequent than its least count are; of those that have just this count it depends on the
 * order of the trainer's table, which is only worked out when one of them might be merged.
 */
class ActiveEdge {
  readonly #pairs: PairCounts;
  /** Symbol → its key in the table. */
  readonly #keys: bigint[];
  readonly #table = new HashOrder();
  /** Pair → its entry of the table, and the other way round; a character's entry has the pair -1. */
  readonly #entryOf = new NumberList();
  readonly #pairOf = new NumberList();
  /** What the table has not been told yet: a pair that enters, or `~` of one that leaves. */
  readonly #untold = new NumberList();
  /** How much of it had happened when the active pairs were chosen, and how many of them there were to be. */
  #toldThen = 0;
  #wanted = 0;
  /** The counts of the pairs that there were then, and room to sort some of them. */
  #countsThen = new Float64Array(0);
  #pairsThen = 0;
  #sorted = new Float64Array(0);
  /** Characters and pairs of the table, as it will be when it is told everything. */
  #size: number;
  /** The lowest count among the active pairs; -1 where all pairs are active. */
  least = 0;
  /** Whether it is not known yet which pairs of the least count are active. */
  isOpen = false;

  constructor(pairs: PairCounts, pieces: readonly string[], characters: readonly string[]) {
    this.#pairs = pairs;
    this.#keys = pieces.map(characterKey);
    this.#size = characters.length;
    for (const character of characters) this.#pairOf.set(this.#table.add(characterKey(character)), -1);
  }

  enter(pair: number): void {
    this.#untold.push(pair);
    this.#size++;
  }

  leave(pair: number): void {
    this.#untold.push(~pair);
    this.#size--;
  }

  /** Says that the pair's result is the next symbol. */
  name(pair: number): void {
    this.#keys.push(this.#keyOf(pair));
  }

  choose(isGone: NumberList): void {
    this.#wanted = Math.max(fewestActive, Math.trunc(Math.fround(Math.fround(this.#size) * activeShare)));
    this.#countsThen = this.#pairs.copyCounts(this.#countsThen);
    this.#pairsThen = this.#pairs.size;
    this.least = this.#leastOf(isGone);
    this.isOpen = this.least >= 0;
    this.#toldThen = this.#untold.size;
  }

  /** Whether it is not known yet if the pair is active. */
  holds(pair: number): boolean {
    return this.isOpen && pair < this.#pairsThen && this.#countsThen[pair] === this.least;
  }

  /** The pairs of the least count that are active. */
  resolve(): number[] {
    this.isOpen = false;
    this.#tell();
    const listed: number[] = [];
    for (const entry of this.#table.listed()) if (this.#pairOf.at(entry) >= 0) listed.push(this.#pairOf.at(entry));
    const counts = Float64Array.from(listed, (pair) => this.#countsThen[pair]!);
    const active = Array.from(mostFrequent(counts, this.#wanted), (at) => listed[at]!);
    return active.filter((pair) => this.#countsThen[pair] === this.least);
  }

  /** Tells the table all that had happened when the active pairs were chosen. */
  #tell(): void {
    for (let i = 0; i < this.#toldThen; i++) {
      const change = this.#untold.at(i);
      const pair = change < 0 ? ~change : change;
      if (change < 0) this.#table.delete(this.#entryOf.at(pair));
      else {
        const entry = this.#table.add(this.#keyOf(pair));
        this.#entryOf.set(pair, entry);
        this.#pairOf.set(entry, pair);
      }
    }
    this.#untold.dropFirst(this.#toldThen);
    this.#toldThen = 0;
  }

  #leastOf(isGone: NumberList): number {
    // Counts fall slowly from one choice to the next, so that few of them have to be sorted.
    const near = this.#countsFrom(Math.max(0, this.least) * 0.8, isGone);
    const counts = near.length >= this.#wanted ? near : this.#countsFrom(0, isGone);
    return counts.length <= this.#wanted ? -1 : counts.sort()[counts.length - this.#wanted]!;
  }

  #countsFrom(least: number, isGone: NumberList): Float64Array {
    if (this.#sorted.length < this.#pairsThen) this.#sorted = new Float64Array(this.#countsThen.length);
    let size = 0;
    for (let pair = 0; pair < this.#pairsThen; pair++)
      if (this.#countsThen[pair]! >= least && isGone.at(pair) === 0) this.#sorted[size++] = this.#countsThen[pair]!;
    return this.#sorted.subarray(0, size);
  }

  #keyOf(pair: number): bigint {
    return pairKey(this.#keys[this.#pairs.left(pair)]!, this.#keys[this.#pairs.right(pair)]!);
  }
}

function characterKey(character: string): bigint {
  return BigInt(character.codePointAt(0) ?? 0);
}

/** A list of whole numbers in half the memory of an array; what was never set is 0. */
class NumberList {
  #numbers = new Int32Array(1 << 12);
  /** One more than the highest place that was set. */
  size = 0;

  at(place: number): number {
    return place < this.size ? this.#numbers[place]! : 0;
  }

  set(place: number, value: number): void {
    while (place >= this.#numbers.length) this.#numbers = grown(this.#numbers);
    this.#numbers[place] = value;
    this.size = Math.max(this.size, place + 1);
  }

  push(value: number): void {
    this.set(this.size, value);
  }

  dropFirst(count: number): void {
    this.#numbers.copyWithin(0, count, this.size);
    this.size -= count;
  }
}
