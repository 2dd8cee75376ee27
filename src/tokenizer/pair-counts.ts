// How often every adjacent pair of symbols stands in the words, kept up to date as pairs are merged (Sennrich et al. 2016, algorithm 1): a merge
// touches its own occurrences and their neighbours, nothing else. The counts are those of the textbook: every adjacent pair, overlapping ones
// too, times the word's count. All of it lies in typed arrays.
import { grown, grownFloats } from "./grown.ts";
import { PairIndex } from "./pair-index.ts";

/** Words as symbols, one after another, with -1 in front of each and behind the last. */
export interface Words {
  readonly symbols: Int32Array;
  /** One count per word. */
  readonly counts: Float64Array;
}

const separator = -1;
/** A position whose symbol became the right part of a merged one. */
const merged = -2;
/** Positions, as a power of two, for which one number says in which word they begin: as many as share a line of the processor's cache. */
const stretchBits = 4;

/**
 * A symbol covers a span of positions of `symbols`: it stands at the first of them, and each end of the span knows the other. A pair has a list of the
 * positions where its left symbol begins; some of them may be out of date, and then another symbol stands there or follows.
 */
export class PairCounts {
  readonly #symbols: Int32Array;
  readonly #otherEnd: Int32Array;
  /** Stretch of positions → how many words end in front of it. */
  readonly #wordsBefore: Int32Array;
  readonly #wordCounts: Float64Array;
  readonly #mayMerge: (left: number, right: number) => boolean;

  readonly #pairs = new PairIndex(1 << 12);
  #counts = new Float64Array(1 << 12);
  // A pair's list of positions: where it begins among #lists, and how long it is.
  #listStart = new Int32Array(1 << 12);
  #listLength = new Int32Array(1 << 12);
  #lists: Int32Array;
  #listsEnd = 0;

  readonly #neighbours = new Neighbours();
  readonly #changes: number[] = [];

  /** @param words is taken over and changed. @param mayMerge is asked once for a pair that may, and may be asked again for one that may not. */
  constructor({ symbols, counts }: Words, mayMerge: (left: number, right: number) => boolean) {
    this.#symbols = symbols;
    this.#wordCounts = counts;
    this.#mayMerge = mayMerge;
    this.#otherEnd = new Int32Array(symbols.length);
    this.#wordsBefore = new Int32Array((symbols.length >> stretchBits) + 1);
    // Lists of new pairs stand behind those of the first ones: on English text all of them together take 1.65 times the room of the first.
    this.#lists = new Int32Array(2 * symbols.length);
    this.#countAll();
  }

  /** How many different pairs there are or were. Pairs are numbered in the order in which they are found. */
  get size(): number {
    return this.#pairs.size;
  }

  left(pair: number): number {
    return this.#pairs.left(pair);
  }

  right(pair: number): number {
    return this.#pairs.right(pair);
  }

  count(pair: number): number {
    return this.#counts[pair]!;
  }

  /** Copies all counts into an array of the caller's, or into a larger one where that is too short. @returns the array */
  copyCounts(into: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
    const copy = into.length < this.size ? new Float64Array(this.#counts.length) : into;
    copy.set(this.#counts.subarray(0, this.size));
    return copy;
  }

  /**
   * What the last merge did, in the order in which its occurrences show it: the number of a pair that became more frequent, or `~` of one that became
   * rarer.
   */
  get changes(): readonly number[] {
    return this.#changes;
  }

  /** Puts `result` in the place of every occurrence, from left to right where they overlap. */
  merge(pair: number, result: number): void {
    const left = this.#pairs.left(pair);
    const right = this.#pairs.right(pair);
    this.#neighbours.clear();
    this.#replace(pair, result);
    this.#counts[pair] = 0;
    this.#listLength[pair] = 0;
    this.#changes.length = 0;
    this.#neighbours.eachOccurrence((before, after) => {
      if (before >= 0) this.#lose(before >> 1, left, before, pair);
      if (after >= 0) this.#lose(right, after >> 1, after, pair);
      if (before >= 0) this.#gain(before >> 1, result, before);
      if (after >= 0) this.#gain(result, after >> 1, after);
    });
  }

  /** The pair counts nothing from here on, and merging it changes nothing. */
  forget(pair: number): void {
    this.#counts[pair] = 0;
    this.#listLength[pair] = 0;
  }

  /**
   * Counts the pair anew by its list of positions, from which those go that are out of date, and of two that overlap the second: for good, so
   * that it is neither counted nor merged again even where the first one is gone later.
   */
  recountWithoutOverlaps(pair: number): void {
    const left = this.#pairs.left(pair);
    const right = this.#pairs.right(pair);
    const start = this.#listStart[pair]!;
    let length = 0;
    let count = 0;
    let taken = 0; // where the right symbol of the occurrence before stands
    for (let i = start; i < start + this.#listLength[pair]!; i++) {
      const at = this.#lists[i]!;
      const next = this.#otherEnd[at]! + 1;
      const counts = this.#symbols[at] === left && this.#symbols[next] === right && at !== taken;
      taken = counts ? next : 0;
      if (!counts) continue;
      this.#lists[start + length++] = at;
      count += this.#countAt(at);
    }
    this.#listLength[pair] = length;
    this.#counts[pair] = count;
  }

  #countAll(): void {
    const symbols = this.#symbols;
    const pairAt = this.#otherEnd; // free to use until every span is set below
    let word = -1;
    for (let at = 0; at < symbols.length; at++) {
      if ((at & ((1 << stretchBits) - 1)) === 0) this.#wordsBefore[at >> stretchBits] = word;
      pairAt[at] = -1;
      if (symbols[at] === separator) word++;
      else if (symbols[at + 1] !== separator) {
        const pair = this.#findOrAdd(symbols[at]!, symbols[at + 1]!);
        if (pair < 0) continue;
        pairAt[at] = pair;
        this.#counts[pair]! += this.#wordCounts[word]!;
        this.#listLength[pair]!++;
      }
    }
    for (let pair = 0; pair < this.size; pair++) this.#reserve(pair);
    for (let at = 0; at < symbols.length; at++) {
      if (pairAt[at]! >= 0) this.#append(pairAt[at]!, at);
      this.#otherEnd[at] = at;
    }
  }

  /** How often the word of a position stands in the corpus. */
  #countAt(at: number): number {
    const symbols = this.#symbols;
    let word = this.#wordsBefore[at >> stretchBits]!;
    for (let i = (at >> stretchBits) << stretchBits; i < at; i++) word += symbols[i] === separator ? 1 : 0;
    return this.#wordCounts[word]!;
  }

  #replace(pair: number, result: number): void {
    const symbols = this.#symbols;
    const otherEnd = this.#otherEnd;
    const left = this.#pairs.left(pair);
    const right = this.#pairs.right(pair);
    const start = this.#listStart[pair]!;
    const end = start + this.#listLength[pair]!;
    for (let i = start; i < end; i++) {
      const at = this.#lists[i]!;
      const gone = otherEnd[at]! + 1;
      if (symbols[at] !== left || symbols[gone] !== right) continue;
      const last = otherEnd[gone]!;
      symbols[at] = result;
      symbols[gone] = merged;
      otherEnd[at] = last;
      otherEnd[last] = at;
      const count = this.#countAt(at);
      if (symbols[at - 1] !== separator) {
        const previous = otherEnd[at - 1]!;
        this.#neighbours.note(2 * symbols[previous]!, count, previous, i);
      }
      if (symbols[last + 1] !== separator) this.#neighbours.note(2 * symbols[last + 1]! + 1, count, at, i);
    }
  }

  /** Counts what a pair gained by the merge, and lists where. */
  #gain(left: number, right: number, neighbour: number): void {
    const pair = this.#findOrAdd(left, right);
    if (pair < 0) return;
    const known = this.#listLength[pair]!;
    const before = this.#listStart[pair]!;
    this.#counts[pair]! += this.#neighbours.count(neighbour);
    this.#listLength[pair] = known + this.#neighbours.times(neighbour);
    this.#reserve(pair);
    for (let i = 0; i < known; i++) this.#append(pair, this.#lists[before + i]!);
    this.#neighbours.eachPosition(neighbour, (at) => this.#append(pair, at));
    if (known > 0) this.#sort(pair);
    this.#changes.push(pair);
  }

  #lose(left: number, right: number, neighbour: number, merged: number): void {
    const pair = this.#pairs.find(left, right);
    if (pair < 0 || pair === merged) return;
    this.#counts[pair]! -= this.#neighbours.count(neighbour);
    this.#changes.push(~pair);
  }

  /** The pair's number, or -1 if it may not merge. */
  #findOrAdd(left: number, right: number): number {
    const known = this.#pairs.find(left, right);
    if (known >= 0) return known;
    if (!this.#mayMerge(left, right)) return -1;
    if (this.size === this.#counts.length) this.#growPairs();
    return this.#pairs.add(left, right);
  }

  /** Gives the pair room for a list of its length, still empty, behind all others. */
  #reserve(pair: number): void {
    const length = this.#listLength[pair]!;
    while (this.#listsEnd + length > this.#lists.length) this.#lists = grown(this.#lists);
    this.#listStart[pair] = this.#listsEnd;
    this.#listsEnd += length;
    this.#listLength[pair] = 0;
  }

  #append(pair: number, at: number): void {
    this.#lists[this.#listStart[pair]! + this.#listLength[pair]!++] = at;
  }

  /** Occurrences that overlap are merged from left to right. */
  #sort(pair: number): void {
    const start = this.#listStart[pair]!;
    this.#lists.subarray(start, start + this.#listLength[pair]!).sort();
  }

  #growPairs(): void {
    this.#counts = grownFloats(this.#counts);
    this.#listStart = grown(this.#listStart);
    this.#listLength = grown(this.#listLength);
  }
}

/**
 * Symbols beside a merged pair: how often each stands there, weighed by words, and where. A neighbour is twice the symbol in front of the pair, or twice
 * the symbol behind it and one.
 */
class Neighbours {
  /** Neighbours in the order in which they are found, and in which occurrence of the pair. */
  readonly #found: number[] = [];
  readonly #foundIn: number[] = [];
  #counts = new Float64Array(1 << 10);
  #times = new Int32Array(1 << 10);
  // A neighbour's positions are linked, from the first to the last; links are indices of positions, and 0 ends them.
  #first = new Int32Array(1 << 10);
  #last = new Int32Array(1 << 10);
  #positions = new Int32Array(1 << 10);
  #next = new Int32Array(1 << 10);
  #size = 1;

  clear(): void {
    for (const neighbour of this.#found) {
      this.#counts[neighbour] = 0;
      this.#times[neighbour] = 0;
      this.#first[neighbour] = 0;
    }
    this.#found.length = 0;
    this.#foundIn.length = 0;
    this.#size = 1;
  }

  /** @param position where the pair of this neighbour and the merged symbol begins */
  note(neighbour: number, count: number, position: number, occurrence: number): void {
    while (neighbour >= this.#counts.length) this.#growNeighbours();
    if (this.#size === this.#positions.length) this.#growPositions();
    const at = this.#size++;
    this.#positions[at] = position;
    this.#next[at] = 0;
    if (this.#first[neighbour] === 0) {
      this.#found.push(neighbour);
      this.#foundIn.push(occurrence);
      this.#first[neighbour] = at;
    } else this.#next[this.#last[neighbour]!] = at;
    this.#last[neighbour] = at;
    this.#counts[neighbour]! += count;
    this.#times[neighbour]!++;
  }

  count(neighbour: number): number {
    return this.#counts[neighbour]!;
  }

  times(neighbour: number): number {
    return this.#times[neighbour]!;
  }

  /** Calls back with the neighbours that are found first in an occurrence, -1 where there is none on that side. */
  eachOccurrence(visit: (before: number, after: number) => void): void {
    for (let i = 0; i < this.#found.length; i++) {
      const neighbour = this.#found[i]!;
      if (neighbour % 2 === 1) visit(-1, neighbour);
      else if (this.#foundIn[i] === this.#foundIn[i + 1]) visit(neighbour, this.#found[++i]!);
      else visit(neighbour, -1);
    }
  }

  eachPosition(neighbour: number, visit: (position: number) => void): void {
    for (let at = this.#first[neighbour]!; at !== 0; at = this.#next[at]!) visit(this.#positions[at]!);
  }

  #growNeighbours(): void {
    this.#counts = grownFloats(this.#counts);
    this.#times = grown(this.#times);
    this.#first = grown(this.#first);
    this.#last = grown(this.#last);
  }

  #growPositions(): void {
    this.#positions = grown(this.#positions);
    this.#next = grown(this.#next);
  }
}
