// Learning merges (Sennrich et al. 2016, algorithm 1): the most frequent adjacent pair at every step.
import { CandidateHeap } from "./candidate-heap.ts";
import type { Merge } from "./model.ts";
import { PairCounts, type Words } from "./pair-counts.ts";
import type { PieceRules } from "./piece-rules.ts";
import { goesBeforeBy, type TieRule } from "./tie-rules.ts";

/** Makes one merge per call. */
export interface Learner {
  /** Symbol → its piece. */
  readonly pieces: readonly string[];
  /** The two symbols of the next merge; undefined when no pair is left that may merge. */
  next(): Merge | undefined;
}

/** What a training begins with. */
export interface Alphabet {
  /** They are taken over and changed. */
  readonly words: Words;
  /** Symbol → its piece. */
  readonly pieces: readonly string[];
  readonly rules: PieceRules;
  /** The bytes that a piece stands for. */
  readonly bytesOf: (piece: string) => Uint8Array;
  /** Whether a piece's length counts its bytes, and not its characters. */
  readonly areBytes: boolean;
}

/** The symbols of a training: pieces in the order in which they come to be, none twice. */
export class Symbols {
  readonly pieces: string[] = [];
  readonly #known = new Map<string, number>();
  readonly #lengths: number[] = [];
  readonly #bytes: string[] = [];
  readonly #alphabet: Alphabet;

  constructor(alphabet: Alphabet) {
    this.#alphabet = alphabet;
    for (const piece of alphabet.pieces) this.add(piece);
  }

  find(piece: string): number | undefined {
    return this.#known.get(piece);
  }

  add(piece: string): number {
    const bytes = unitPerByte(this.#alphabet.bytesOf(piece));
    this.#bytes.push(bytes);
    this.#lengths.push(this.#alphabet.areBytes ? bytes.length : Array.from(piece).length);
    this.#alphabet.rules.add(piece);
    this.#known.set(piece, this.pieces.length);
    return this.pieces.push(piece) - 1;
  }

  lengthOf(symbol: number): number {
    return this.#lengths[symbol]!;
  }

  bytesOf(symbol: number): string {
    return this.#bytes[symbol]!;
  }
}

/** Bytes that one call takes as arguments. */
const stretch = 1 << 12;

function unitPerByte(bytes: Uint8Array): string {
  let units = "";
  for (let at = 0; at < bytes.length; at += stretch) units += String.fromCharCode(...bytes.subarray(at, at + stretch));
  return units;
}

/** The pairs of a training and their candidates in order. */
export function candidatesOf(alphabet: Alphabet, ties: TieRule) {
  const symbols = new Symbols(alphabet);
  const pairs = new PairCounts(alphabet.words, (left, right) => alphabet.rules.mayMerge(left, right));
  const goesBefore = goesBeforeBy(ties);
  const heap = new CandidateHeap((a, b) => goesBefore(symbols, pairs.left(a), pairs.right(a), pairs.left(b), pairs.right(b)));
  return { symbols, pairs, heap };
}

/** The same with every pair among the candidates from the start. */
export function allCandidatesOf(alphabet: Alphabet, ties: TieRule) {
  const candidates = candidatesOf(alphabet, ties);
  const { pairs, heap } = candidates;
  for (let pair = 0; pair < pairs.size; pair++) heap.push(pair, pairs.count(pair));
  return candidates;
}

/** Exact: two merges that spell one piece are both made, and their results are one symbol. */
export class MergeLearner implements Learner {
  readonly #symbols: Symbols;
  readonly #pairs: PairCounts;
  readonly #heap: CandidateHeap;

  constructor(alphabet: Alphabet, ties: TieRule) {
    const { symbols, pairs, heap } = allCandidatesOf(alphabet, ties);
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
      const count = this.#pairs.count(pair);
      if (count === 0) continue;
      if (count === this.#heap.poppedCount) return this.#merge(pair);
      this.#heap.push(pair, count); // it has become rarer since
    }
  }

  #merge(pair: number): Merge {
    const left = this.#pairs.left(pair);
    const right = this.#pairs.right(pair);
    const piece = this.pieces[left]! + this.pieces[right]!;
    this.#pairs.merge(pair, this.#symbols.find(piece) ?? this.#symbols.add(piece));
    for (const change of this.#pairs.changes) if (change >= 0) this.#heap.push(change, this.#pairs.count(change));
    return [left, right];
  }
}
