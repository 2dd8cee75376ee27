// Estimates a model of sorted and counted n-grams, order by order: counts are adjusted in suffix order, normalised by contexts, and interpolated in suffix order
// again (Heafield et al. 2013). Between these steps n-grams are sorted, in memory or on disk.
import type { OnProgress, Sliced } from "../../base/index.ts";
import { mostOrder } from "../ngram-model.ts";
import type { NgramSink } from "../ngram-sink.ts";
import { type RecordCursor, type RecordForm, RecordReader, RecordWriter, sliceRecords } from "../records/record.ts";
import { RecordSorter } from "../records/record-sorter.ts";
import { type RecordSpace, Spool } from "../records/scratch.ts";
import { adjustCounts, type OrderCounts } from "./adjust-counts.ts";
import { type Discounts, type EstimatedDiscounts, estimateDiscounts } from "./discounts.ts";
import { interpolate, wordProbabilities } from "./interpolate.ts";
import { normalise } from "./normalise.ts";

/** Bytes of a list of records that are written or read together. */
const chunkBytes = 1 << 16;

/** What is estimated. */
export interface EstimateOptions {
  /** The n-grams of the longest order with their counts, in suffix order, and what sorted them; how many there were, those that are the same among them. */
  readonly longest: RecordCursor;
  readonly counts: RecordSorter;
  readonly total: number;
  /** The words by their numbers: `<unk>`, `<s>`, `</s>`, and all others. */
  readonly vocabulary: readonly string[];
  /** N-grams that occur so often or less are pruned, by their orders. */
  readonly thresholds: readonly number[];
  readonly fallback: Discounts;
  readonly space: RecordSpace;
  readonly onProgress: OnProgress;
}

/** What came of an order. */
export interface EstimatedOrder extends EstimatedDiscounts {
  /** N-grams in the model. */
  readonly ngrams: number;
  readonly pruned: number;
}

/** Estimates a model, and gives its n-grams. */
export function* estimate(options: EstimateOptions, sink: NgramSink): Sliced<readonly EstimatedOrder[]> {
  const { longest, counts, total, vocabulary, thresholds, fallback, space, onProgress } = options;
  const order = thresholds.length;
  const lists = new Lists(order, space);
  const words = new Float64Array(vocabulary.length);
  // Half of the memory sorts by contexts, a quarter by suffixes; a quarter is for what is read meanwhile.
  const byContext = sorters(order, (length) => ({ words: length, floats: 0, isSummed: true }), part(space, 1 / (2 * (order - 1))));
  const found = yield* adjustCounts(longest, { words, byContext, thresholds }, telling(onProgress, "counting n-grams", total));
  counts.release();
  const orders = found.map(({ ngrams, pruned, having }) => ({ ...estimateDiscounts(having, fallback), ngrams, pruned }));
  const bySuffix = sorters(order, (length) => ({ words: length, floats: 2, isSummed: false }), part(space, 1 / 4));
  const sorted: RecordCursor[] = [];
  for (const [i, { discounts }] of orders.slice(1).entries()) {
    const tell = telling(onProgress, `normalising ${i + 2}-grams`, ngramsOf(found[i + 1]!));
    yield* normalise(yield* byContext[i]!.finish(), discounts, { bySuffix: bySuffix[i]!, weights: lists.weights[i]! }, tell);
    byContext[i]!.release();
    sorted.push(yield* bySuffix[i]!.finish(space.memory / (4 * order)));
  }
  const probabilities = wordProbabilities(words, orders[0]!.discounts);
  const kept = orders.reduce((sum, { ngrams }) => sum + ngrams, 0);
  const parts = { words: probabilities, ngrams: sorted, weights: lists.weights.map((list) => lists.read(list)), finished: lists.finished };
  yield* interpolate(parts, telling(onProgress, "estimating probabilities", kept));
  for (const sorter of bySuffix) sorter.release();
  for (const { file } of lists.weights) file.remove();
  yield* new ModelGiver(vocabulary, sink).give(orders, lists, telling(onProgress, "writing n-grams", kept));
  return orders;
}

function ngramsOf({ ngrams, pruned }: OrderCounts): number {
  return ngrams + pruned;
}

/** A sorter for each order from two on. */
function sorters(order: number, formOf: (length: number) => RecordForm, space: RecordSpace): readonly RecordSorter[] {
  return Array.from({ length: order - 1 }, (_, i) => new RecordSorter(formOf(i + 2), space));
}

function part({ memory, scratch }: RecordSpace, share: number): RecordSpace {
  return { memory: memory * share, scratch };
}

/** Adds records up, and tells how many of all there have been. */
function telling(onProgress: OnProgress, task: string, total: number): (records: number) => void {
  let done = 0;
  return (records) => {
    done = Math.min(total, done + records);
    onProgress({ task, done, total, unit: "n-grams" });
  };
}

/** Lists of records in suffix order. */
class Lists {
  /** γ of contexts of one word, of two, and so on. */
  readonly weights: readonly RecordWriter[];
  /** N-grams of one word, of two, and so on, with the logarithms of probability and weight. */
  readonly finished: readonly RecordWriter[];
  readonly #forms = new Map<RecordWriter, RecordForm>();

  constructor(order: number, space: RecordSpace) {
    const small = part(space, 1 / 64);
    const list = (words: number, floats: number) => {
      const form = { words, floats, isSummed: false };
      const writer = new RecordWriter(form, new Spool(small), chunkBytes);
      this.#forms.set(writer, form);
      return writer;
    };
    this.weights = Array.from({ length: order - 1 }, (_, i) => list(i + 1, 1));
    this.finished = Array.from({ length: order }, (_, i) => list(i + 1, 2));
  }

  /** Goes through a list that is finished. */
  read(writer: RecordWriter): RecordReader {
    return new RecordReader(this.#forms.get(writer)!, writer.file, chunkBytes);
  }
}

/** Gives one order after another to a sink. */
class ModelGiver {
  readonly #vocabulary: readonly string[];
  readonly #sink: NgramSink;
  /** The numbers that the sink has for the words. */
  readonly #ids: Uint32Array;
  /** Lists for n-grams of one word, of two, and so on. */
  readonly #ngrams = Array.from({ length: mostOrder }, (_, i) => new Uint32Array(i + 1));

  constructor(vocabulary: readonly string[], sink: NgramSink) {
    [this.#vocabulary, this.#sink, this.#ids] = [vocabulary, sink, new Uint32Array(vocabulary.length)];
  }

  *give(orders: readonly EstimatedOrder[], lists: Lists, onRecords: (records: number) => void): Sliced<void> {
    this.#sink.begin(orders.map(({ ngrams }) => ngrams));
    for (const list of lists.finished) {
      const cursor = lists.read(list);
      for (let i = 1; cursor.next(); i++) {
        this.#giveOne(cursor);
        if (i % sliceRecords !== 0) continue;
        onRecords(sliceRecords);
        yield;
      }
      list.file.remove();
      if (this.#sink.endOrder !== undefined) yield* this.#sink.endOrder();
    }
  }

  #giveOne({ key, floats: [probability = 0, weight = 0], count }: RecordCursor): void {
    const last = key.length - 1;
    if (last === 0) {
      this.#ids[key[0]!] = this.#sink.word(this.#vocabulary[key[0]!]!, probability, weight, count === 1);
      return;
    }
    const ngram = this.#ngrams[last]!;
    for (let i = 0; i <= last; i++) ngram[last - i] = this.#ids[key[i]!]!;
    this.#sink.ngram(ngram, probability, weight, count === 1);
  }
}
