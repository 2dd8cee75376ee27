// Learning merges (Sennrich et al. 2016, algorithm 1) with counts kept up to date: a merge touches its own occurrences and their
// neighbours, nothing else. The counts are those of the textbook: every adjacent pair, overlapping ones too, times the word's count.
import { grown, PairIndex } from "./pair-index.ts";

/** Words as symbols, one after another, each closed by -1. */
export interface Words {
  readonly symbols: Int32Array;
  /** One count a word. */
  readonly counts: Float64Array;
}

export interface LearnedMerge {
  readonly left: number;
  readonly right: number;
  readonly result: number;
  /** How often the pair stood in the corpus. */
  readonly count: number;
}

const none = -1;

/**
 * Finds one merge a call. Ties are broken by content alone, so that the order of documents does not matter: the higher count, then the
 * shorter result (UTF-16 units), then the result that comes first in UTF-16 order, then the shorter left part.
 */
export class MergeLearner {
  /** Symbol → its string. Results that spell a string already known are that symbol. */
  readonly pieces: string[];
  readonly #known: Map<string, number>;
  readonly #mayMerge: (left: string, right: string) => boolean;
  readonly #wordCounts: Float64Array;

  // A position holds a symbol and is linked to its neighbours in the word; merged-away positions hold -1.
  readonly #symbols: Int32Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #wordOf: Int32Array;

  // A position also stands for the pair it begins, and is linked to the other positions of that pair.
  readonly #pairAt: Int32Array;
  readonly #nextOfPair: Int32Array;
  readonly #previousOfPair: Int32Array;

  readonly #pairs = new PairIndex(1 << 16);
  #head = new Int32Array(1 << 16).fill(none);
  #counts = new Float64Array(1 << 16);
  #touchedIn = new Int32Array(1 << 16);
  #step = 0;
  #touched: number[] = [];
  readonly #heap: CandidateHeap;

  constructor(words: Words, pieces: readonly string[], mayMerge: (left: string, right: string) => boolean) {
    this.pieces = [...pieces];
    this.#known = new Map(pieces.map((piece, symbol) => [piece, symbol]));
    this.#mayMerge = mayMerge;
    this.#wordCounts = words.counts;
    this.#symbols = words.symbols.slice();
    const size = words.symbols.length;
    this.#next = new Int32Array(size).fill(none);
    this.#previous = new Int32Array(size).fill(none);
    this.#wordOf = new Int32Array(size);
    this.#pairAt = new Int32Array(size).fill(none);
    this.#nextOfPair = new Int32Array(size).fill(none);
    this.#previousOfPair = new Int32Array(size).fill(none);
    this.#heap = new CandidateHeap((a, b) => this.#goesBefore(a, b));
    this.#link();
    this.#pushTouched();
  }

  /** Makes the next merge; undefined when no pair is left that may merge. */
  next(): LearnedMerge | undefined {
    for (;;) {
      const pair = this.#heap.pop();
      if (pair === none) return undefined;
      const count = this.#counts[pair]!;
      if (count === this.#heap.poppedCount) return this.#merge(pair, count);
      if (count > 0) this.#heap.push(pair, count); // it has become rarer since
    }
  }

  #link(): void {
    this.#step++;
    let word = 0;
    for (let at = 0; at < this.#symbols.length; at++) {
      this.#wordOf[at] = word;
      if (this.#symbols[at]! < 0) word++;
      else if (this.#symbols[at + 1]! >= 0) {
        this.#next[at] = at + 1;
        this.#previous[at + 1] = at;
        this.#enter(at);
      }
    }
  }

  #merge(pair: number, count: number): LearnedMerge {
    this.#step++;
    const left = this.#pairs.left(pair);
    const right = this.#pairs.right(pair);
    const result = this.#symbolFor(this.pieces[left]! + this.pieces[right]!);
    for (const at of this.#occurrences(pair, left === right)) {
      // In a run such as "aaa" the merge before this one may have taken the position away.
      if (this.#pairAt[at] === pair) this.#mergeAt(at, result);
    }
    this.#pushTouched();
    return { left, right, result, count };
  }

  /** Positions of the pair; a symbol's pairs with itself overlap and are taken from left to right. */
  #occurrences(pair: number, inOrder: boolean): number[] {
    const positions: number[] = [];
    for (let at = this.#head[pair]!; at !== none; at = this.#nextOfPair[at]!) positions.push(at);
    return inOrder ? positions.sort((a, b) => a - b) : positions;
  }

  #mergeAt(at: number, result: number): void {
    const gone = this.#next[at]!;
    const before = this.#previous[at]!;
    const after = this.#next[gone]!;
    this.#leave(at);
    if (before !== none) this.#leave(before);
    if (after !== none) this.#leave(gone);
    this.#symbols[at] = result;
    this.#symbols[gone] = none;
    this.#next[at] = after;
    if (after !== none) {
      this.#previous[after] = at;
      this.#enter(at);
    }
    if (before !== none) this.#enter(before);
  }

  #symbolFor(piece: string): number {
    const known = this.#known.get(piece);
    if (known !== undefined) return known;
    this.#known.set(piece, this.pieces.length);
    return this.pieces.push(piece) - 1;
  }

  /** Counts the pair that begins at this position. */
  #enter(at: number): void {
    const pair = this.#pairs.findOrAdd(this.#symbols[at]!, this.#symbols[this.#next[at]!]!);
    if (pair >= this.#head.length) this.#growPairs();
    this.#pairAt[at] = pair;
    const head = this.#head[pair]!;
    this.#nextOfPair[at] = head;
    this.#previousOfPair[at] = none;
    if (head !== none) this.#previousOfPair[head] = at;
    this.#head[pair] = at;
    this.#counts[pair]! += this.#wordCounts[this.#wordOf[at]!]!;
    if (this.#touchedIn[pair] === this.#step) return;
    this.#touchedIn[pair] = this.#step;
    this.#touched.push(pair);
  }

  #leave(at: number): void {
    const pair = this.#pairAt[at]!;
    const next = this.#nextOfPair[at]!;
    const previous = this.#previousOfPair[at]!;
    if (previous === none) this.#head[pair] = next;
    else this.#nextOfPair[previous] = next;
    if (next !== none) this.#previousOfPair[next] = previous;
    this.#pairAt[at] = none;
    this.#counts[pair]! -= this.#wordCounts[this.#wordOf[at]!]!;
  }

  #growPairs(): void {
    const size = this.#head.length;
    this.#head = grown(this.#head).fill(none, size);
    this.#touchedIn = grown(this.#touchedIn);
    const counts = new Float64Array(size * 2);
    counts.set(this.#counts);
    this.#counts = counts;
  }

  /** Only pairs that gained go into the heap; what lost is found out when it is popped. */
  #pushTouched(): void {
    for (const pair of this.#touched) {
      const count = this.#counts[pair]!;
      if (count > 0 && this.#mayMerge(this.pieces[this.#pairs.left(pair)]!, this.pieces[this.#pairs.right(pair)]!))
        this.#heap.push(pair, count);
    }
    this.#touched = [];
  }

  #goesBefore(a: number, b: number): boolean {
    const { pieces } = this;
    const [leftA, rightA] = [pieces[this.#pairs.left(a)]!, pieces[this.#pairs.right(a)]!];
    const [leftB, rightB] = [pieces[this.#pairs.left(b)]!, pieces[this.#pairs.right(b)]!];
    const longer = leftA.length + rightA.length - leftB.length - rightB.length;
    if (longer !== 0) return longer < 0;
    const pieceA = leftA + rightA;
    const pieceB = leftB + rightB;
    return pieceA === pieceB ? leftA.length < leftB.length : pieceA < pieceB;
  }
}

/** A binary heap of (pair, count), the highest count on top; `isBefore` decides between equal counts. */
class CandidateHeap {
  #pairs = new Int32Array(1 << 16);
  #counts = new Float64Array(1 << 16);
  #size = 0;
  readonly #isBefore: (a: number, b: number) => boolean;
  /** The count that the last popped pair was pushed with. */
  poppedCount = 0;

  constructor(isBefore: (a: number, b: number) => boolean) {
    this.#isBefore = isBefore;
  }

  push(pair: number, count: number): void {
    if (this.#size === this.#pairs.length) this.#grow();
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#precedes(pair, count, parent)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#pairs[at] = pair;
    this.#counts[at] = count;
  }

  /** The best pair, or -1 when empty. */
  pop(): number {
    if (this.#size === 0) return none;
    const top = this.#pairs[0]!;
    this.poppedCount = this.#counts[0]!;
    const last = --this.#size;
    const pair = this.#pairs[last]!;
    const count = this.#counts[last]!;
    let at = 0;
    for (let child = 1; child < last; child = 2 * at + 1) {
      if (child + 1 < last && this.#precedes(this.#pairs[child + 1]!, this.#counts[child + 1]!, child)) child++;
      if (this.#precedes(pair, count, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#pairs[at] = pair;
    this.#counts[at] = count;
    return top;
  }

  #precedes(pair: number, count: number, at: number): boolean {
    const other = this.#counts[at]!;
    return count === other ? this.#isBefore(pair, this.#pairs[at]!) : count > other;
  }

  #move(from: number, to: number): void {
    this.#pairs[to] = this.#pairs[from]!;
    this.#counts[to] = this.#counts[from]!;
  }

  #grow(): void {
    this.#pairs = grown(this.#pairs);
    const counts = new Float64Array(this.#size * 2);
    counts.set(this.#counts);
    this.#counts = counts;
  }
}
