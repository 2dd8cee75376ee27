// Counts of n-grams as Kneser and Ney (1995) have them, from those of the longest in suffix order (Heafield et al. 2013, "Scalable Modified Kneser-Ney
// Language Model Estimation"): sorted by their last words, then by those before, so that n-grams that are the same stand side by side for every n, and all that
// end with one stand behind it. An n-gram that is not of the longest counts once for each word that it stands behind, except at the beginning of a sentence,
// where nothing does.
import type { Sliced } from "../../base/index.ts";
import { type RecordCursor, sharedWords, sliceRecords } from "../records/record.ts";
import type { RecordSorter } from "../records/record-sorter.ts";

/** The numbers of the marks, which texts don't have as words: an unknown word, and the ends of sentences. */
export const [unknownWord, bosId, eosId] = [0, 1, 2];

/** What came of the counts of an order. */
export interface OrderCounts {
  ngrams: number;
  pruned: number;
  /** How many n-grams have the adjusted count 0, 1, 2, 3 and 4, pruned ones included. */
  readonly having: number[];
}

/** Where adjusted counts go. */
export interface AdjustedCounts {
  /** The adjusted counts of words, by their numbers. */
  readonly words: Float64Array;
  /** N-grams of two words, of three, and so on by their contexts: the last word of the context first, the n-gram's last word last, {@link unknownWord} in its place where n-grams are pruned. */
  readonly byContext: readonly RecordSorter[];
  /** N-grams that occur so often or less are pruned, by their orders. */
  readonly thresholds: readonly number[];
}

/** Adjusts counts. @param longest n-grams in suffix order, with zeros behind the beginning of a sentence @returns what came of each order, single words first */
export function* adjustCounts(
  longest: RecordCursor,
  to: AdjustedCounts,
  onRecords: (records: number) => void,
): Sliced<readonly OrderCounts[]> {
  const adjuster = new Adjuster(longest.key.length, to);
  for (let i = 1; longest.next(); i++) {
    adjuster.take(longest.key, longest.count);
    if (i % sliceRecords !== 0) continue;
    onRecords(sliceRecords);
    yield;
  }
  return adjuster.finish();
}

class Adjuster {
  readonly #order: number;
  readonly #to: AdjustedCounts;
  readonly #orders: readonly OrderCounts[];
  readonly #before: Uint32Array;
  /** The counts of the n-grams that are being counted, by how many words they have, up to `#open`. */
  readonly #adjusted: Float64Array;
  readonly #occurrences: Float64Array;
  readonly #contextKeys: readonly Uint32Array[];
  #open = 0;

  constructor(order: number, to: AdjustedCounts) {
    [this.#order, this.#to, this.#before] = [order, to, new Uint32Array(order)];
    this.#orders = Array.from({ length: order }, () => ({ ngrams: 0, pruned: 0, having: [0, 0, 0, 0, 0] }));
    [this.#adjusted, this.#occurrences] = [new Float64Array(order + 1), new Float64Array(order + 1)];
    this.#contextKeys = Array.from({ length: order + 1 }, (_, words) => new Uint32Array(words));
  }

  take(key: Uint32Array, count: number): void {
    const shared = this.#open === 0 ? 0 : sharedWords(key, this.#before);
    this.#closeTo(shared);
    const begins = key.indexOf(bosId);
    const length = begins < 0 ? this.#order : begins + 1;
    for (let words = 1; words <= length; words++) {
      if (words > shared) this.#adjusted[words] = this.#occurrences[words] = 0;
      const isCountedAsIs = words === this.#order || words - 1 === begins;
      if (isCountedAsIs) this.#adjusted[words]! += count;
      else if (shared <= words) this.#adjusted[words]!++;
      this.#occurrences[words]! += count;
    }
    this.#before.set(key);
    this.#open = length;
  }

  finish(): readonly OrderCounts[] {
    this.#closeTo(0);
    const { words } = this.#to;
    for (const count of words) if (count < 5) this.#orders[0]!.having[count]!++;
    this.#orders[0]!.ngrams = words.length;
    return this.#orders;
  }

  #closeTo(shared: number): void {
    for (; this.#open > shared; this.#open--) this.#close(this.#open);
  }

  #close(words: number): void {
    const [before, count] = [this.#before, this.#adjusted[words]!];
    if (words === 1) {
      this.#to.words[before[0]!] = count;
      return;
    }
    const order = this.#orders[words - 1]!;
    if (count < 5) order.having[count]!++;
    const isKept = this.#occurrences[words]! > this.#to.thresholds[words - 1]!;
    if (isKept) order.ngrams++;
    else order.pruned++;
    const key = this.#contextKeys[words]!;
    for (let i = 1; i < words; i++) key[i - 1] = before[i]!;
    key[words - 1] = isKept ? before[0]! : unknownWord;
    this.#to.byContext[words - 2]!.add(key, count);
  }
}
