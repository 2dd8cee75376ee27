// Trains a classifier as `fasttext supervised -loss softmax` does (Joulin et al. 2016, arXiv 1607.01759; fastText 0.9): the mean of the rows of a text's
// words and n-grams goes through a linear layer and a softmax, and SGD with a learning rate that falls to 0 changes both. Other than there, each epoch
// draws an order of its own, so that texts of one label may come in a row, and the learning rate falls with every text instead of every 100 words.
import { check, eventsHandled, type OnProgress, Rng } from "../base/index.ts";
import type { FastTextModel } from "./read-model.ts";
import { SoftmaxLayer } from "./softmax-layer.ts";
import { isSpace, wordsOf } from "./white-space.ts";
import { hashOf, signedBytes } from "./word-hash.ts";
import { wordListOf } from "./word-list.ts";
import { endOfLine, WordRows } from "./word-rows.ts";

const where = "fasttext";

/** How a classifier is trained. */
export interface FastTextTrainerOptions {
  /** Numbers of a row. @default 16 */
  readonly dim?: number;
  /** Passes over the texts. @default 5 */
  readonly epoch?: number;
  /** The learning rate at the beginning. @default 0.1 */
  readonly lr?: number;
  /** Words of the longest n-grams of words; 1 for words alone. @default 2 */
  readonly wordNgrams?: number;
  /** Characters of the shortest and longest n-grams in a word; none where the longest is 0. @default 0 */
  readonly minn?: number;
  readonly maxn?: number;
  /** Buckets that n-grams are hashed to. @default 1000000 */
  readonly bucket?: number;
  /** Words that are rarer have no row of their own. @default 1 */
  readonly minCount?: number;
  /** @default 0 */
  readonly seed?: number;
  /** Words of all texts that are taken at most; each takes four bytes. @default 2^27 */
  readonly mostWords?: number;
}

/** A classifier, and what its file tells of its training. */
export interface TrainedFastText {
  readonly model: FastTextModel;
  readonly training: {
    readonly epoch: number;
    readonly minCount: number;
    /** How often each word was seen, in the order of the model's. */
    readonly wordCounts: readonly number[];
    /** Words, labels and ends of texts. */
    readonly tokens: number;
  };
}

const usual = { dim: 16, epoch: 5, lr: 0.1, wordNgrams: 2, minn: 0, maxn: 0, bucket: 1_000_000, minCount: 1, seed: 0, mostWords: 2 ** 27 };

/** Takes texts with their labels, and makes a classifier of them. The same texts, options and seed make the same model on every machine. */
export class FastTextTrainer {
  readonly #options: Required<FastTextTrainerOptions>;
  readonly #words = new Counted();
  readonly #labels = new Counted();
  /** Numbers of all words, text by text; each text ends with that of {@link endOfLine}. */
  #ids = new Int32Array(1 << 12);
  #count = 0;
  /** Where each text begins, and where the last one ends. */
  readonly #starts = [0];
  readonly #labelOf: number[] = [];

  /** @throws CriaError where an option is out of its range */
  constructor(options: FastTextTrainerOptions = {}) {
    this.#options = { ...usual, ...options };
    checkOptions(this.#options);
  }

  /** Takes a text; what stands between white space is a word. @throws CriaError where the label cannot be one, or there are too many words */
  add(label: string, text: string): void {
    const isWord = label !== "" && !Array.from(label).some((mark) => isSpace(mark.charCodeAt(0)));
    check(isWord, where, () => `the label ${JSON.stringify(label)} is empty or has white space in it: name it in one word`);
    // A word that ends a line in fastText's files would end the text before its end.
    const words = wordsOf(text).filter((word) => word !== endOfLine);
    const needed = this.#count + words.length + 1;
    const { mostWords } = this.#options;
    check(needed <= mostWords, where, () => `${needed} words are more than ${mostWords}, as many as are taken: train on fewer texts`);
    if (needed > this.#ids.length) this.#grow(needed);
    for (const word of words) this.#ids[this.#count++] = this.#words.add(word);
    this.#ids[this.#count++] = this.#words.add(endOfLine);
    this.#labelOf.push(this.#labels.add(label));
    this.#starts.push(this.#count);
  }

  /** Trains on all texts. @throws CriaError where there are fewer than two labels, and the signal's reason when it is aborted */
  async train({ progress, signal }: { progress?: OnProgress; signal?: AbortSignal } = {}): Promise<TrainedFastText> {
    const labels = this.#labels.common(1);
    check(
      labels.length >= 2,
      where,
      () => `there are texts of ${labels.length} labels, but a classifier tells two or more apart: add others`,
    );
    const model = this.#emptyModel(labels);
    const texts = new TextRows(model, this.#words.all);
    const layer = new SoftmaxLayer(model);
    const places = this.#labels.places(labels);
    const { epoch, lr, seed, minCount } = this.#options;
    const rng = new Rng(seed).fork("order");
    const order = Int32Array.from(this.#labelOf, (_, i) => i);
    const total = epoch * this.#count;
    let done = 0;
    for (let pass = 0; pass < epoch; pass++) {
      shuffle(order, rng);
      for (const [i, text] of order.entries()) {
        const words = this.#ids.subarray(this.#starts[text], this.#starts[text + 1]);
        layer.learn(texts.rowsOf(words), places[this.#labelOf[text]!]!, lr * (1 - done / total));
        done += words.length;
        if (i % 1024 !== 0) continue;
        progress?.({ task: "training", done, total, unit: "words" });
        await eventsHandled();
        signal?.throwIfAborted();
      }
    }
    const wordCounts = this.#words.countsOf(this.#words.common(minCount));
    return { model, training: { epoch, minCount, wordCounts, tokens: this.#count + this.#labelOf.length } };
  }

  #emptyModel(labels: readonly string[]): FastTextModel {
    const { dim, wordNgrams, minn, maxn, seed, minCount } = this.#options;
    const bucket = wordNgrams > 1 || maxn > 0 ? this.#options.bucket : 0;
    const words = this.#words.common(minCount);
    const rows = words.length + bucket;
    const rng = new Rng(seed).fork("rows");
    const values = new Float32Array(rows * dim);
    for (let i = 0; i < values.length; i++) values[i] = (2 * rng.uniform() - 1) / dim;
    return {
      settings: { dim, wordNgrams, loss: 3, bucket, minn, maxn },
      ...{ words: wordListOf(words), labels, labelCounts: this.#labels.countsOf(labels), pruned: undefined },
      input: { rows, columns: dim, values },
      output: { rows: labels.length, columns: dim, values: new Float32Array(labels.length * dim) },
    };
  }

  #grow(needed: number): void {
    const grown = new Int32Array(Math.max(needed, Math.min(2 * this.#ids.length, this.#options.mostWords)));
    grown.set(this.#ids.subarray(0, this.#count));
    this.#ids = grown;
  }
}

function checkOptions({ dim, epoch, lr, wordNgrams, minn, maxn, bucket, minCount }: Required<FastTextTrainerOptions>): void {
  for (const [name, value] of Object.entries({ dim, epoch, wordNgrams, bucket, minCount }))
    check(Number.isSafeInteger(value) && value >= 1, where, () => `${name} is ${value} but must be an integer, at least 1`);
  check(bucket < 2 ** 31 && dim <= 4096, where, () => `bucket is ${bucket} and dim ${dim}, but may be at most ${2 ** 31 - 1} and 4096`);
  check(lr > 0 && lr <= 10, where, () => `lr is ${lr} but must be above 0 and at most 10`);
  const isRange = Number.isSafeInteger(minn) && Number.isSafeInteger(maxn) && minn >= 0 && (maxn === 0 ? minn === 0 : maxn >= minn);
  check(isRange, where, () => `n-grams have ${minn} to ${maxn} characters: give a range such as 2 to 4, or 0 and 0 for none`);
}

/** Names with numbers in the order in which they came first, and how often each came. */
class Counted {
  readonly #numbers = new Map<string, number>();
  readonly #counts: number[] = [];

  /** @returns the name's number */
  add(name: string): number {
    const known = this.#numbers.get(name);
    const number = known ?? this.#counts.push(0) - 1;
    if (known === undefined) this.#numbers.set(name, number);
    this.#counts[number]!++;
    return number;
  }

  get all(): readonly string[] {
    return [...this.#numbers.keys()];
  }

  /** The names that came so often or more, the most common first; equally common ones as they came. */
  common(least: number): readonly string[] {
    const counts = this.#counts;
    const kept = [...this.#numbers].filter(([, number]) => counts[number]! >= least);
    return kept.sort(([, a], [, b]) => counts[b]! - counts[a]!).map(([name]) => name);
  }

  countsOf(names: readonly string[]): readonly number[] {
    return names.map((name) => this.#counts[this.#numbers.get(name) ?? -1] ?? 0);
  }

  /** Where each number's name stands in a list of all of them. */
  places(names: readonly string[]): Int32Array {
    const places = new Int32Array(names.length);
    for (const [place, name] of names.entries()) places[this.#numbers.get(name) ?? 0] = place;
    return places;
  }
}

/** The rows of texts by the numbers of their words; those of each word are found once. */
class TextRows {
  readonly #rows: WordRows;
  readonly #hasNgrams: boolean;
  readonly #ofWord: readonly number[][];
  readonly #hashes: Int32Array;

  constructor(model: FastTextModel, words: readonly string[]) {
    this.#rows = new WordRows(model);
    this.#hasNgrams = model.settings.wordNgrams > 1;
    this.#ofWord = words.map((word) => this.#rows.of(word));
    this.#hashes = Int32Array.from(words, (word) => hashOf(signedBytes(word)));
  }

  rowsOf(words: Int32Array): readonly number[] {
    const rows: number[] = [];
    for (const word of words) for (const row of this.#ofWord[word]!) rows.push(row);
    if (this.#hasNgrams)
      this.#rows.eachWordNgram(
        words.map((word) => this.#hashes[word]!),
        (row) => rows.push(row),
      );
    return rows;
  }
}

/** Fisher and Yates' shuffle, in place. */
function shuffle(order: Int32Array, rng: Rng): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
}
