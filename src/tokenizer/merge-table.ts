// The heart of encoding: given a word's symbols, merge the adjacent pair of the lowest rank, leftmost first, until none is left.
import { fail } from "../base/index.ts";
import { eachMerge, type Merges, mergedPiece, type TokenizerModel } from "./model.ts";
import { PairIndex } from "./pair-index.ts";
import type { PieceTable } from "./piece-table.ts";

/** Which pairs of symbols merge. A rule is a number; the lowest rank goes first, and equal ranks go from left to right. */
export interface MergeRules {
  /** The rule of two symbols, neither of them negative, or -1. */
  find(left: number, right: number): number;
  readonly ranks: Int32Array;
  readonly results: Int32Array;
}

/** Rules that name their pairs. */
export class PairRules implements MergeRules {
  readonly #pairs: PairIndex;
  readonly ranks: Int32Array;
  readonly results: Int32Array;

  constructor(size: number) {
    this.#pairs = new PairIndex(size);
    this.ranks = new Int32Array(size).fill(noRank);
    this.results = new Int32Array(size);
  }

  find(left: number, right: number): number {
    return this.#pairs.find(left, right);
  }

  /** Adds a rule; the lower rank counts of two for one pair. */
  add(left: number, right: number, result: number, rank: number): void {
    const rule = this.#pairs.findOrAdd(left, right);
    if (rank >= this.ranks[rule]!) return;
    this.ranks[rule] = rank;
    this.results[rule] = result;
  }
}

/** Every pair whose bytes together are a piece merges, by a rank for every piece. */
export class PieceRules implements MergeRules {
  readonly #table: PieceTable;
  readonly ranks: Int32Array;
  readonly results: Int32Array;

  constructor(table: PieceTable, rankOf: (symbol: number) => number) {
    this.#table = table;
    this.ranks = new Int32Array(table.symbols);
    this.results = new Int32Array(table.symbols);
    for (let symbol = 0; symbol < table.symbols; symbol++) {
      this.ranks[symbol] = table.has(symbol) ? rankOf(symbol) : noRank;
      this.results[symbol] = symbol;
    }
  }

  find(left: number, right: number): number {
    return this.#table.join(left, right);
  }
}

/**
 * The rules of a list of merges, the first of the lowest rank.
 * @param table pieces by their bytes, where a merge joins the bytes of its parts, so that few results are sought by their strings
 * @throws CriaError where two pieces make none
 */
export function mergeRules(model: TokenizerModel, merges: Merges, ids: ReadonlyMap<string, number>, table?: PieceTable): PairRules {
  const rules = new PairRules(merges.length >> 1);
  eachMerge(merges, (left, right, rank) => {
    const joined = table?.has(left) && table.has(right) ? table.join(left, right) : -1;
    rules.add(left, right, joined >= 0 ? joined : (ids.get(mergedPiece(model, left, right)) ?? refuse(model, left, right, rank)), rank);
  });
  return rules;
}

function refuse(model: TokenizerModel, left: number, right: number, rank: number): never {
  const piece = JSON.stringify(mergedPiece(model, left, right));
  return fail("tokenizer", `merge ${rank} makes ${piece}, which is not among the ${model.pieces.length} pieces`);
}

/** The most symbols for which the plain search for the minimum is faster than a heap (measured 2026-11-23 on English letters: they meet near 200). */
const shortWord = 160;
/** The rank of what never merges. */
export const noRank = 0x7fffffff;
/** A heap key is rank · 2^30 + position: exact in a double for 2^23 ranks, and no JavaScript string has 2^30 units. */
const rankUnit = 2 ** 30;

/**
 * What is known of a pair is kept in four words, so that a pair that was met before costs one cache line: `left right rank result`. The rules are
 * asked again where two pairs fall on one slot.
 */
const pairWords = 4;
const pairBits = 16;
/** No symbol is this number. */
const noSymbol = -0x80000000;

/** Merges the symbols of words by the rules of a vocabulary. */
export class MergeTable {
  readonly #rules: MergeRules;
  readonly #pairs = new Int32Array(pairWords << pairBits).fill(noSymbol);
  /** The rank of the pair (i, i + 1), and the symbol that it becomes. */
  readonly #ranks = new Int32Array(shortWord);
  readonly #results = new Int32Array(shortWord);
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
    const ranks = this.#ranks;
    const results = this.#results;
    for (let i = 0; i + 1 < length; i++) this.#rate(i, symbols[i]!, symbols[i + 1]!, ranks, results);
    for (;;) {
      let best = noRank;
      let at = -1;
      for (let i = 0; i + 1 < length; i++) {
        if (ranks[i]! >= best) continue;
        best = ranks[i]!;
        at = i;
      }
      if (at < 0) return length;
      this.#lastRank = best;
      symbols[at] = results[at]!;
      length--;
      for (let i = at + 1; i < length; i++) {
        symbols[i] = symbols[i + 1]!;
        ranks[i] = ranks[i + 1]!;
        results[i] = results[i + 1]!;
      }
      if (at > 0) this.#rate(at - 1, symbols[at - 1]!, symbols[at]!, ranks, results);
      if (at + 1 < length) this.#rate(at, symbols[at]!, symbols[at + 1]!, ranks, results);
    }
  }

  /** Writes the rank and the result of a pair at `at`. */
  #rate(at: number, left: number, right: number, ranks: Int32Array, results: Int32Array): void {
    const pairs = this.#pairs;
    const slot = slotOf(left, right);
    if (pairs[slot] !== left || pairs[slot + 1] !== right) this.#learn(slot, left, right);
    ranks[at] = pairs[slot + 2]!;
    results[at] = pairs[slot + 3]!;
    if (this.#seen !== undefined && ranks[at] !== noRank) this.#seen(left, right, results[at]!);
  }

  #learn(slot: number, left: number, right: number): void {
    const rule = left < 0 || right < 0 ? -1 : this.#rules.find(left, right);
    this.#pairs[slot] = left;
    this.#pairs[slot + 1] = right;
    this.#pairs[slot + 2] = rule < 0 ? noRank : this.#rules.ranks[rule]!;
    this.#pairs[slot + 3] = rule < 0 ? noSymbol : this.#rules.results[rule]!;
  }

  #mergeLong(symbols: Int32Array, length: number): number {
    const next = new Int32Array(length);
    const previous = new Int32Array(length);
    for (let i = 0; i < length; i++) {
      next[i] = i + 1;
      previous[i] = i - 1;
    }
    // The rank and the result of each symbol with the next one.
    const ranks = new Int32Array(length).fill(noRank);
    const results = new Int32Array(length);
    const heap = new KeyHeap(length);
    const rate = (at: number) => {
      if (next[at]! < length) this.#rate(at, symbols[at]!, symbols[next[at]!]!, ranks, results);
      else ranks[at] = noRank;
      if (ranks[at] !== noRank) heap.push(ranks[at]! * rankUnit + at);
    };
    for (let i = 0; i + 1 < length; i++) rate(i);
    for (let key = heap.pop(); key >= 0; key = heap.pop()) {
      const at = key % rankUnit;
      if (ranks[at] !== Math.floor(key / rankUnit)) continue; // merged away or changed since it was pushed
      this.#lastRank = ranks[at]!;
      const gone = next[at]!;
      symbols[at] = results[at]!;
      ranks[gone] = noRank;
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

function slotOf(left: number, right: number): number {
  return (Math.imul(Math.imul(left, 0x9e3779b1) ^ right, 0x85ebca6b) >>> (32 - pairBits)) * pairWords;
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
