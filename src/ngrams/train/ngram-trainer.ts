// Trains a language model of n-grams on sentences, in memory.
import { check, fail } from "../../base/index.ts";
import { mostOrder } from "../ngram-model.ts";
import type { NgramSink } from "../ngram-sink.ts";
import { isNgramWord } from "../ngram-words.ts";
import type { Discounts } from "./discounts.ts";
import { type EstimatedOrder, estimate } from "./estimate.ts";
import { bosId } from "./suffix-order.ts";

const where = "ngrams";
const eosId = 2;

/** How a model is trained. */
export interface NgramTrainerOptions {
  /** Words of the longest n-grams, 2 to 6. @default 5 */
  readonly order?: number;
  /** N-grams that occur so often or less are left out, by their orders, the last number for all beyond; that of single words is 0. @default none */
  readonly prune?: readonly number[];
  /** What is taken from the counts 1, 2, and 3 or more where a text has too few n-grams to tell. @default lmplz's 0.5, 1, 1.5 */
  readonly fallback?: Discounts;
  /** Words with the marks of the sentences' beginnings and ends that are taken at most; training takes some 130 bytes of memory for each where nearly every n-gram is new. @default 2^24 */
  readonly mostWords?: number;
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
  readonly #mostWords: number;
  readonly #vocabulary = ["<unk>", "<s>", "</s>"];
  readonly #ids = new Map<string, number>();
  #words = new Uint32Array(1 << 12);
  #count = 0;
  #sentences = 0;

  /** @throws CriaError where an option is out of its range */
  constructor({ order = 5, prune = [], fallback = [0.5, 1, 1.5], mostWords = 2 ** 24 }: NgramTrainerOptions = {}) {
    [this.#order, this.#prune, this.#fallback, this.#mostWords] = [order, prune, fallback, mostWords];
    check(order >= 2 && order <= mostOrder, where, () => `the order is ${order} but must be 2 to ${mostOrder}`);
    const isRising = prune.every((threshold, i) => threshold >= (prune[i - 1] ?? 0));
    check(
      isRising && (prune[0] ?? 0) === 0 && prune.length <= order,
      where,
      () => `the counts to prune at are ${prune.join(", ")}, but must begin with 0 and never fall, with ${order} numbers at most`,
    );
    const isShare = fallback.every((discount, i) => discount >= 0 && discount <= i + 1);
    check(isShare, where, () => `the fallback discounts are ${fallback.join(", ")}, but must be from 0 to 1, 2 and 3`);
  }

  /** Takes a sentence. @throws CriaError where a word is one that a model cannot hold, or there are too many */
  add(sentence: readonly string[]): void {
    const needed = this.#count + sentence.length + 2;
    check(
      needed <= this.#mostWords,
      where,
      () =>
        `${needed} words and marks of sentences are more than ${this.#mostWords}, as many as are taken: train on less, or allow more with its memory`,
    );
    if (needed > this.#words.length) this.#grow(needed);
    const start = this.#count;
    this.#words[this.#count++] = bosId;
    try {
      for (const word of sentence) this.#words[this.#count++] = this.#idOf(word);
    } catch (error) {
      this.#count = start;
      throw error;
    }
    this.#words[this.#count++] = eosId;
    this.#sentences++;
  }

  /** Estimates the model, and gives its n-grams to a sink: a model that is to answer, or a file. @throws CriaError where there are no sentences */
  train(sink: NgramSink): TrainedNgrams {
    check(this.#sentences > 0, where, () => "there are no sentences to train a model on: add some");
    const [order, prune, fallback, vocabulary] = [this.#order, this.#prune, this.#fallback, this.#vocabulary];
    const orders = estimate({ words: this.#words.subarray(0, this.#count), vocabulary, order, prune, fallback }, sink);
    return { sentences: this.#sentences, words: this.#count - 2 * this.#sentences, orders };
  }

  #idOf(word: string): number {
    return this.#ids.get(word) ?? this.#learn(word);
  }

  #learn(word: string): number {
    if (!isNgramWord(word))
      fail(
        where,
        `the word ${JSON.stringify(word)} is none that a model can hold: marks of models and white space have another meaning there, leave it out`,
      );
    const id = this.#vocabulary.push(word) - 1;
    this.#ids.set(word, id);
    return id;
  }

  #grow(needed: number): void {
    const grown = new Uint32Array(Math.max(needed, Math.min(2 * this.#words.length, this.#mostWords)));
    grown.set(this.#words.subarray(0, this.#count));
    this.#words = grown;
  }
}
