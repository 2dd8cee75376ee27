// The heart of encoding: given a word's symbols, merge the adjacent pair of the lowest rank, leftmost first, until none is left.
import { check, fail, type Sliced, wholly } from "../base/index.ts";
import { type Merges, mergedPiece, type PieceLookup, type TokenizerModel } from "./model.ts";
import type { PieceTable } from "./piece-table.ts";

/** Which pairs of symbols merge. A rule is a number; the lowest rank goes first, and equal ranks go from left to right. */
export interface MergeRules {
  /** The rule of two symbols, neither of them negative, or -1. */
  find(left: number, right: number): number;
  rankOf(rule: number): number;
  resultOf(rule: number): number;
}

/** Rules that are the merges of a list, by their places in it; of two for one pair the first counts. */
export class PairRules implements MergeRules {
  readonly #merges: Merges;
  readonly #results: Int32Array;
  /** Rule + 1; 0 is free. */
  readonly #slots: Int32Array;

  /** @param results what each merge makes */
  constructor(merges: Merges, results: Int32Array) {
    this.#merges = merges;
    this.#results = results;
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(merges.length + 2)));
    for (let rule = 0; 2 * rule < merges.length; rule++) {
      const slot = this.#slotOf(merges[2 * rule]!, merges[2 * rule + 1]!);
      if (this.#slots[slot] === 0) this.#slots[slot] = rule + 1;
    }
  }

  find(left: number, right: number): number {
    return this.#slots[this.#slotOf(left, right)]! - 1;
  }

  rankOf(rule: number): number {
    return rule;
  }

  resultOf(rule: number): number {
    return this.#results[rule]!;
  }

  /** The slot that a pair has, or the free one where it would be. */
  #slotOf(left: number, right: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(left, right) & mask;
    for (let rule = this.#slots[slot]! - 1; rule >= 0; rule = this.#slots[slot]! - 1) {
      if (this.#merges[2 * rule] === left && this.#merges[2 * rule + 1] === right) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }
}

function hashOf(left: number, right: number): number {
  const mixed = Math.imul(Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 15);
}

/** Every pair whose bytes together are a piece merges, by a rank for every piece. */
export class PieceRules implements MergeRules {
  readonly #table: PieceTable;
  readonly #ranks: Int32Array | undefined;

  /** @param ranks those of all symbols. Absent: a piece's id is its rank */
  constructor(table: PieceTable, ranks?: Int32Array) {
    this.#table = table;
    this.#ranks = ranks;
  }

  find(left: number, right: number): number {
    return this.#table.join(left, right);
  }

  rankOf(symbol: number): number {
    return this.#ranks === undefined ? symbol : this.#ranks[symbol]!;
  }

  resultOf(symbol: number): number {
    return symbol;
  }
}

/**
 * The rules of a list of merges, the first of the lowest rank.
 * @param table pieces by their bytes, where a merge joins the bytes of its parts, so that few results are sought by their strings
 * @throws CriaError where two pieces make none
 */
export function mergeRules(model: TokenizerModel, merges: Merges, ids: PieceLookup, table?: PieceTable): PairRules {
  return wholly(makeMergeRules(model, merges, ids, table));
}

/** Merges between two places where others may get on: less than a millisecond. */
const mergesPerSlice = 4096;

/** {@link mergeRules} in slices. */
export function* makeMergeRules(model: TokenizerModel, merges: Merges, ids: PieceLookup, table?: PieceTable): Sliced<PairRules> {
  const results = new Int32Array(merges.length >> 1);
  let last = 0;
  for (let rank = 0; rank < results.length; rank++) {
    const left = merges[2 * rank]!;
    const right = merges[2 * rank + 1]!;
    const joined = table === undefined ? -1 : joinedNear(table, last, left, right);
    results[rank] = joined >= 0 ? joined : (ids.get(mergedPiece(model, left, right)) ?? refuse(model, left, right, rank));
    last = results[rank]!;
    if (rank % mergesPerSlice === 0) yield;
  }
  return new PairRules(merges, results);
}

/** What two symbols make, or -1. Merges mostly stand in the order of their results, so that the piece before and its successor are tried first. */
function joinedNear(table: PieceTable, last: number, left: number, right: number): number {
  if (!table.has(left) || !table.has(right)) return -1;
  if (table.isJoin(last, left, right)) return last;
  if (last + 1 < table.symbols && table.isJoin(last + 1, left, right)) return last + 1;
  return table.join(left, right);
}

function refuse(model: TokenizerModel, left: number, right: number, rank: number): never {
  const piece = JSON.stringify(mergedPiece(model, left, right));
  return fail("tokenizer", `merge ${rank} makes ${piece}, which is not among the ${model.pieces.length} pieces`);
}

/** The rank of what never merges. */
export const noRank = 0x7fffffff;

/** The most symbols for which the plain search for the minimum is faster than a heap (measured: docs/log/2026-11-28-tokenizer-speed). */
const shortWord = 200;
/** A key is `rank << 8 | position`, so that the lowest key is the leftmost pair of the lowest rank. */
const positionBits = 8;
/** The key of what never merges has this rank. */
const noKeyRank = 2 ** (31 - positionBits) - 1;
const noKey = noKeyRank << positionBits;
/** A heap key is rank · 2^30 + position, and no JavaScript string has 2^30 units. */
const rankUnit = 2 ** 30;

/**
 * What is known of a pair is kept in four words, so that a pair that was met before costs one cache line: `left right key result`, the key for position
 * 0. The rules are asked again where two pairs fall on one slot. Twice as many slots leave the processor's second cache, which costs as much as they save.
 */
const pairWords = 4;
const pairBits = 15;
/** No symbol is this number. */
const noSymbol = -0x80000000;

// A short word's symbols while they are merged: the key and the result of each with the next one, and where these stand. What was merged away has the
// highest key. One word is merged at a time, and the compiler knows where arrays of a module lie.
const keys = new Int32Array(shortWord);
const results = new Int32Array(shortWord);
const next = new Int32Array(shortWord);
const previous = new Int32Array(shortWord);

/** Merges the symbols of words by the rules of a vocabulary. */
export class MergeTable {
  readonly #rules: MergeRules;
  readonly #pairs = new Int32Array(pairWords << pairBits).fill(noSymbol);
  #lastRank = noRank;
  readonly #seen: ((left: number, right: number, result: number) => void) | undefined;

  /**
   * @param rules stay as they are from here on
   * @param seen hears of every pair that could be merged, in the order in which it is found
   */
  constructor(rules: MergeRules, seen?: (left: number, right: number, result: number) => void) {
    this.#seen = seen;
    this.#rules = rules;
  }

  /**
   * Merges `symbols[0 … length)` in place and returns the new length. Negative symbols merge with nothing.
   * O(n log n) at worst: long words go through a heap.
   */
  merge(symbols: Int32Array, length: number): number {
    if (length < 2) return length;
    return length <= shortWord ? this.#mergeShort(symbols, length) : this.#mergeLong(symbols, length);
  }

  /** The rank of the last pair that `merge` has merged. */
  get lastRank(): number {
    return this.#lastRank;
  }

  #mergeShort(symbols: Int32Array, length: number): number {
    const last = length - 1;
    for (let i = 0; i < last; i++) {
      next[i] = i + 1;
      previous[i + 1] = i;
      this.#rate(i, symbols[i]!, symbols[i + 1]!);
    }
    next[last] = length;
    for (let key = lowestKey(last); key < noKey; key = lowestKey(last)) {
      const at = key & ((1 << positionBits) - 1);
      const gone = next[at]!;
      const after = next[gone]!;
      this.#lastRank = key >> positionBits;
      symbols[at] = results[at]!;
      next[at] = after;
      keys[gone] = noKey;
      keys[at] = noKey;
      if (at > 0) this.#rate(previous[at]!, symbols[previous[at]!]!, symbols[at]!);
      if (after === length) continue;
      previous[after] = at;
      this.#rate(at, symbols[at]!, symbols[after]!);
    }
    let kept = 0;
    for (let i = 0; i < length; i = next[i]!) symbols[kept++] = symbols[i]!;
    return kept;
  }

  /** Writes the key and the result of a short word's pair whose first symbol is at `at`. */
  #rate(at: number, left: number, right: number): void {
    const slot = this.#slotOf(left, right);
    keys[at] = this.#pairs[slot + 2]! | at;
    results[at] = this.#pairs[slot + 3]!;
  }

  /** Where `#pairs` has the pair. */
  #slotOf(left: number, right: number): number {
    const pairs = this.#pairs;
    const slot = (Math.imul(Math.imul(left, 0x9e3779b1) ^ right, 0x85ebca6b) >>> (32 - pairBits)) * pairWords;
    if (pairs[slot] !== left || pairs[slot + 1] !== right) this.#learn(slot, left, right);
    if (this.#seen !== undefined && pairs[slot + 2] !== noKey) this.#seen(left, right, pairs[slot + 3]!);
    return slot;
  }

  #learn(slot: number, left: number, right: number): void {
    const rule = left < 0 || right < 0 ? -1 : this.#rules.find(left, right);
    const rank = rule < 0 ? noRank : this.#rules.rankOf(rule);
    check(rank < noKeyRank || rank === noRank, "tokenizer", () => `a pair has rank ${rank}, and ranks are below ${noKeyRank}`);
    this.#pairs[slot] = left;
    this.#pairs[slot + 1] = right;
    this.#pairs[slot + 2] = Math.min(rank, noKeyRank) << positionBits;
    this.#pairs[slot + 3] = rule < 0 ? noSymbol : this.#rules.resultOf(rule);
  }

  #mergeLong(symbols: Int32Array, length: number): number {
    const next = new Int32Array(length);
    const previous = new Int32Array(length);
    for (let i = 0; i < length; i++) {
      next[i] = i + 1;
      previous[i] = i - 1;
    }
    // The rank and the result of each symbol with the next one.
    const ranks = new Int32Array(length).fill(noKeyRank);
    const results = new Int32Array(length);
    const heap = new KeyHeap(length);
    const rate = (at: number) => {
      ranks[at] = noKeyRank;
      if (next[at]! >= length) return;
      const slot = this.#slotOf(symbols[at]!, symbols[next[at]!]!);
      ranks[at] = this.#pairs[slot + 2]! >> positionBits;
      results[at] = this.#pairs[slot + 3]!;
      if (ranks[at] !== noKeyRank) heap.push(ranks[at]! * rankUnit + at);
    };
    for (let i = 0; i + 1 < length; i++) rate(i);
    for (let key = heap.pop(); key >= 0; key = heap.pop()) {
      const at = key % rankUnit;
      if (ranks[at] !== Math.floor(key / rankUnit)) continue; // merged away or changed since it was pushed
      this.#lastRank = ranks[at]!;
      const gone = next[at]!;
      symbols[at] = results[at]!;
      ranks[gone] = noKeyRank;
      next[at] = next[gone]!;
      if (next[at]! < length) previous[next[at]!] = at;
      if (previous[at]! >= 0) rate(previous[at]!);
      rate(at);
    }
    let kept = 0;
    for (let i = 0; i < length; i = next[i]!) symbols[kept++] = symbols[i]!;
    return kept;
  }
}

/** The lowest of `keys[0 … size)`, none of them negative, without a branch per key: which key is lower cannot be predicted. */
function lowestKey(size: number): number {
  let best = noKey;
  for (let i = 0; i < size; i++) {
    const difference = (keys[i]! - best) | 0;
    best = (best + (difference & (difference >> 31))) | 0;
  }
  return best;
}

/** Room for the symbols of a word, which is kept for the next one unless it is large. */
export class SymbolScratch {
  #symbols = new Int32Array(256);

  of(length: number): Int32Array {
    if (length > mostKept) return new Int32Array(length);
    if (length > this.#symbols.length) this.#symbols = new Int32Array(2 * length);
    return this.#symbols;
  }
}

const mostKept = 1 << 16;

/** A binary heap of non-negative doubles, smallest first; `pop` gives -1 when empty. */
class KeyHeap {
  #keys: Float64Array;
  #size = 0;

  constructor(expected: number) {
    this.#keys = new Float64Array(expected + 16);
  }

  push(key: number): void {
    if (this.#size === this.#keys.length) {
      const larger = new Float64Array(this.#size * 2);
      larger.set(this.#keys);
      this.#keys = larger;
    }
    const keys = this.#keys;
    let at = this.#size++;
    for (let parent = (at - 1) >> 1; at > 0 && keys[parent]! > key; at = parent, parent = (at - 1) >> 1) keys[at] = keys[parent]!;
    keys[at] = key;
  }

  pop(): number {
    if (this.#size === 0) return -1;
    const keys = this.#keys;
    const top = keys[0]!;
    const key = keys[--this.#size]!;
    let at = 0;
    for (let child = 1; child < this.#size; child = 2 * at + 1) {
      if (child + 1 < this.#size && keys[child + 1]! < keys[child]!) child++;
      if (keys[child]! >= key) break;
      keys[at] = keys[child]!;
      at = child;
    }
    keys[at] = key;
    return top;
  }
}
