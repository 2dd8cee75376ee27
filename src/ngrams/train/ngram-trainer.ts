// Trains a language model of n-grams on sentences, in as much memory as it is given: what does not fit is sorted in scratch files, and merged.
import { check, fail, type OnProgress, type Sliced, wholly } from "../../base/index.ts";
import { mostOrder } from "../ngram-model.ts";
import type { NgramSink } from "../ngram-sink.ts";
import { isNgramWord } from "../ngram-words.ts";
import { RecordSorter } from "../records/record-sorter.ts";
import { inMemory, type RecordSpace } from "../records/scratch.ts";
import { bosId, eosId } from "./adjust-counts.ts";
import type { Discounts } from "./discounts.ts";
import { type EstimatedOrder, estimate } from "./estimate.ts";

const where = "ngrams";
/** Words beyond which numbers do not fit into keys. */
const mostVocabulary = 2 ** 32;

/** How a model is trained. */
export interface NgramTrainerOptions {
  /** Words of the longest n-grams, 2 to 6. @default 5 */
  readonly order?: number;
  /** N-grams that occur so often or less are left out, by their orders, the last number for all beyond; that of single words is 0. @default none */
  readonly prune?: readonly number[];
  /** What is taken from the counts 1, 2, and 3 or more where a text has too few n-grams to tell. @default lmplz's 0.5, 1, 1.5 */
  readonly fallback?: Discounts;
  /** Memory for n-grams, and where those go that it has no room for; the texts of different words are held beside it. @default all in memory */
  readonly space?: RecordSpace;
}

/** What a model was trained on, and what came of each order, single words first. */
export interface TrainedNgrams {
  readonly sentences: number;
  /** Words without the marks. */
  readonly words: number;
  readonly orders: readonly EstimatedOrder[];
}

/** Takes sentences, and makes a model of their n-grams. */
export class NgramTrainer {
  readonly #order: number;
  readonly #prune: readonly number[];
  readonly #fallback: Discounts;
  readonly #space: RecordSpace;
  readonly #vocabulary = ["<unk>", "<s>", "</s>"];
  readonly #ids = new Map<string, number>();
  readonly #counts: RecordSorter;
  readonly #key: Uint32Array;
  #words = 0;
  #sentences = 0;

  /** @throws CriaError where an option is out of its range */
  constructor({ order = 5, prune = [], fallback = [0.5, 1, 1.5], space = inMemory }: NgramTrainerOptions = {}) {
    [this.#order, this.#prune, this.#fallback, this.#space] = [order, prune, fallback, space];
    check(order >= 2 && order <= mostOrder, where, () => `the order is ${order} but must be 2 to ${mostOrder}`);
    const isRising = prune.every((threshold, i) => threshold >= (prune[i - 1] ?? 0));
    check(
      isRising && (prune[0] ?? 0) === 0 && prune.length <= order,
      where,
      () => `the counts to prune at are ${prune.join(", ")}, but must begin with 0 and never fall, with ${order} numbers at most`,
    );
    const isShare = fallback.every((discount, i) => discount >= 0 && discount <= i + 1);
    check(isShare, where, () => `the fallback discounts are ${fallback.join(", ")}, but must be from 0 to 1, 2 and 3`);
    this.#counts = new RecordSorter({ words: order, floats: 0, isSummed: true }, space);
    this.#key = new Uint32Array(order);
  }

  /** The number of a word, for {@link addIds}. @throws CriaError where a model cannot hold it */
  idOf(word: string): number {
    return this.#ids.get(word) ?? this.#learn(word);
  }

  /** Takes a sentence. @throws CriaError where a word is one that a model cannot hold */
  add(sentence: readonly string[]): void {
    this.addIds(Uint32Array.from(sentence, (word) => this.idOf(word)));
  }

  /** Takes a sentence. @param ids its words' numbers, as {@link idOf} has them */
  addIds(ids: ArrayLike<number>): void {
    const key = this.#key.fill(0);
    key[0] = bosId;
    for (let i = 0; i <= ids.length; i++) {
      key.copyWithin(1, 0);
      key[0] = i < ids.length ? ids[i]! : eosId;
      this.#counts.add(key, 1);
    }
    this.#words += ids.length;
    this.#sentences++;
  }

  /** Estimates the model at once, and gives its n-grams to a sink: a model that is to answer, or a file. @throws CriaError where there are no sentences */
  train(sink: NgramSink): TrainedNgrams {
    return wholly(this.training(sink));
  }

  /** The same in slices. No sentences may be added any more, and it goes on once. */
  *training(sink: NgramSink, onProgress: OnProgress = () => undefined): Sliced<TrainedNgrams> {
    check(this.#sentences > 0, where, () => "there are no sentences to train a model on: add some");
    const [prune, fallback, vocabulary, space] = [this.#prune, this.#fallback, this.#vocabulary, this.#space];
    const thresholds = Array.from({ length: this.#order }, (_, i) => prune[i] ?? prune.at(-1) ?? 0);
    const longest = yield* this.#counts.finish(space.memory / 4);
    const total = this.#words + this.#sentences;
    const orders = yield* estimate({ counts: this.#counts, longest, total, vocabulary, thresholds, fallback, space, onProgress }, sink);
    return { sentences: this.#sentences, words: this.#words, orders };
  }

  #learn(word: string): number {
    if (!isNgramWord(word))
      fail(
        where,
        `the word ${JSON.stringify(word)} is none that a model can hold: marks of models and white space have another meaning there, leave it out`,
      );
    check(this.#vocabulary.length < mostVocabulary, where, () => `there are more than ${mostVocabulary} different words: train on pieces`);
    const id = this.#vocabulary.push(word) - 1;
    this.#ids.set(word, id);
    return id;
  }
}
