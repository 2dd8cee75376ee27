// The second half of the smoothing, see normalise.ts: probabilities of longer n-grams from those of the shorter ones that they end with. In suffix order each
// n-gram comes behind the one that it ends with, so that one walk over all orders at the same time does it. Below single words stands the uniform distribution
// over all words, the unknown one included.
import { check, type Sliced } from "../../base/index.ts";
import { type RecordCursor, type RecordWriter, sliceRecords } from "../records/record.ts";
import { bosId } from "./adjust-counts.ts";
import { type Discounts, discountOf } from "./discounts.ts";

/** Probabilities of single words. `<s>` has 1, so that it costs nothing where it is scored; no other word's depends on it. */
export function wordProbabilities(counts: Float64Array, discounts: Discounts): Float64Array {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const taken = counts.reduce((sum, count) => sum + discountOf(discounts, count), 0);
  const uniform = taken / total / (counts.length - 1);
  const probabilities = counts.map((count) => (count - discountOf(discounts, count)) / total + uniform);
  probabilities[bosId] = 1;
  return probabilities;
}

/** What is walked over, in suffix order. */
export interface InterpolateOptions {
  readonly words: Float64Array;
  /** N-grams of two words, of three, and so on, with u and γ. */
  readonly ngrams: readonly RecordCursor[];
  /** γ of contexts of one word, of two, and so on. */
  readonly weights: readonly RecordCursor[];
  /** Takes n-grams of one word, of two, and so on, with the logarithms of probability and weight; the count is 1 where a longer n-gram ends with one. */
  readonly finished: readonly RecordWriter[];
}

/** Estimates all probabilities. */
export function* interpolate(options: InterpolateOptions, onRecords: (records: number) => void): Sliced<void> {
  const walk = new Walk(options);
  for (let i = 1; walk.step(); i++) {
    if (i % sliceRecords !== 0) continue;
    onRecords(sliceRecords / 2);
    yield;
  }
  for (const writer of options.finished) writer.finish();
}

/** A cursor with what it shows, or undefined behind its last record. */
class Head {
  key: Uint32Array | undefined;
  readonly #cursor: RecordCursor;

  constructor(cursor: RecordCursor) {
    this.#cursor = cursor;
    this.advance();
  }

  get floats(): Float64Array {
    return this.#cursor.floats;
  }

  advance(): void {
    this.key = this.#cursor.next() ? this.#cursor.key : undefined;
  }

  /** Whether the record's key begins as a path does. */
  follows(path: Uint32Array, words: number): boolean {
    if (this.key === undefined) return false;
    for (let i = words - 1; i >= 0; i--) if (this.key[i] !== path[i]) return false;
    return true;
  }
}

/** Goes down to the n-grams that end with the present one, and up again when there are no more. */
class Walk {
  readonly #options: InterpolateOptions;
  readonly #ngrams: readonly Head[];
  readonly #weights: readonly Head[];
  readonly #order: number;
  /** The words of the n-gram, the last one first, and of each length the probability and whether a longer one was found. */
  readonly #path: Uint32Array;
  readonly #keys: readonly Uint32Array[];
  readonly #probabilities: Float64Array;
  readonly #isExtended: Uint8Array;
  readonly #values = new Float64Array(2);
  #words = 0;
  #next = 0;

  constructor(options: InterpolateOptions) {
    this.#options = options;
    [this.#ngrams, this.#weights] = [options.ngrams.map((cursor) => new Head(cursor)), options.weights.map((cursor) => new Head(cursor))];
    this.#order = this.#ngrams.length + 1;
    this.#path = new Uint32Array(this.#order);
    this.#keys = Array.from({ length: this.#order + 1 }, (_, words) => this.#path.subarray(0, words));
    [this.#probabilities, this.#isExtended] = [new Float64Array(this.#order + 1), new Uint8Array(this.#order + 1)];
  }

  /** Goes one way down or up. @returns whether there is more */
  step(): boolean {
    const words = this.#words;
    if (words === 0) return this.#nextWord();
    const longer = this.#ngrams[words - 1];
    if (longer?.follows(this.#path, words)) this.#goDown(longer, words);
    else {
      this.#give(words);
      this.#words--;
    }
    return true;
  }

  #nextWord(): boolean {
    const { words } = this.#options;
    if (this.#next === words.length) {
      const isOver = [...this.#ngrams, ...this.#weights].every(({ key }) => key === undefined);
      check(isOver, "ngrams", () => "n-grams are left whose shorter ones are not there: scratch files were changed meanwhile, train again");
      return false;
    }
    this.#path[0] = this.#next;
    this.#enter(1, words[this.#next++]!);
    return true;
  }

  #goDown(longer: Head, words: number): void {
    const [unsmoothed = 0, weight = 0] = longer.floats;
    this.#path[words] = longer.key![words]!;
    this.#isExtended[words] = 1;
    this.#enter(words + 1, unsmoothed + weight * this.#probabilities[words]!);
    longer.advance();
  }

  #enter(words: number, probability: number): void {
    [this.#words, this.#probabilities[words], this.#isExtended[words]] = [words, probability, 0];
  }

  /** A sum that is rounded may be above 1. */
  #give(words: number): void {
    const weights = this.#weights[words - 1];
    const isContext = weights?.follows(this.#path, words) === true;
    this.#values[0] = Math.min(0, Math.log10(this.#probabilities[words]!));
    this.#values[1] = isContext ? Math.log10(weights.floats[0]!) : -0;
    if (isContext) weights.advance();
    this.#options.finished[words - 1]!.add(this.#keys[words]!, this.#isExtended[words]!, this.#values);
  }
}
