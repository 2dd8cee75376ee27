// Labels of texts by a linear classifier over the mean of the rows of all words and n-grams (Joulin et al. 2016, arXiv 1607.01759), as fastText's
// predict-prob has it: a text is one line, and its end is a word too.
import { HuffmanTree } from "./huffman-tree.ts";
import type { FastTextModel } from "./read-model.ts";
import { endOfLine, hashOf, WordRows } from "./word-rows.ts";

/** A label and how probable it is. */
export interface LabelProbability {
  readonly label: string;
  readonly probability: number;
}

/** Words whose sums are kept. */
const mostKept = 1 << 18;

/** A model that is ready for texts. Words that come again cost one look-up. */
export class FastTextClassifier {
  readonly labels: readonly string[];
  readonly #model: FastTextModel;
  readonly #rows: WordRows;
  readonly #tree: HuffmanTree | undefined;
  /** Where the sum of a word's rows is kept. */
  readonly #places = new Map<string, number>();
  /** [places, dim], how many rows are in each sum, and the word's hash. */
  #sums = new Float32Array(0);
  #counts = new Int32Array(0);
  #hashes = new Int32Array(0);
  readonly #mean: Float32Array;

  constructor(model: FastTextModel) {
    this.#model = model;
    this.labels = model.labels;
    this.#rows = new WordRows(model);
    this.#tree = model.settings.loss === 1 ? new HuffmanTree(model.labelCounts) : undefined;
    this.#mean = new Float32Array(model.settings.dim);
  }

  /** The most probable labels of a text, at most so many; none where no word of it has a row. Line ends count as white space. */
  classify(text: string, most = 1): readonly LabelProbability[] {
    const mean = this.#meanOf(text);
    if (mean === undefined) return [];
    const probabilities = this.#probabilities(mean);
    const found: number[] = [];
    for (let i = 0; i < probabilities.length; i++) {
      let at = found.length;
      while (at > 0 && probabilities[found[at - 1]!]! < probabilities[i]!) at--;
      if (at < most) found.splice(at, 0, i);
      if (found.length > most) found.pop();
    }
    return found.map((i) => ({ label: this.labels[i]!, probability: probabilities[i]! }));
  }

  /** The probability of each label of a text, in the order of `labels`; undefined where no word of it has a row. */
  probabilities(text: string): Float64Array | undefined {
    const mean = this.#meanOf(text);
    return mean && this.#probabilities(mean);
  }

  #meanOf(text: string): Float32Array | undefined {
    const { settings } = this.#model;
    const mean = this.#mean.fill(0);
    const hashes: number[] = [];
    let rows = 0;
    eachWord(text, (word) => {
      const place = this.#places.get(word) ?? this.#keep(word);
      rows += this.#counts[place]!;
      const sums = this.#sums;
      const start = place * mean.length;
      for (let i = 0; i < mean.length; i++) mean[i]! += sums[start + i]!;
      if (settings.wordNgrams > 1) hashes.push(this.#hashes[place]!);
    });
    for (const ngram of ngramsOf(hashes, settings.wordNgrams))
      for (const row of this.#rows.ofWordNgram(ngram)) {
        this.#addRow(mean, 0, row);
        rows++;
      }
    if (rows === 0) return undefined;
    for (let i = 0; i < mean.length; i++) mean[i]! /= rows;
    return mean;
  }

  /** Sums a word's rows up. @returns where the sum is kept; all are forgotten where they become too many */
  #keep(word: string): number {
    const { dim } = this.#model.settings;
    if (this.#places.size === mostKept) this.#places.clear();
    const place = this.#places.size;
    if (place === this.#counts.length) this.#grow();
    const rows = this.#rows.of(word);
    this.#sums.fill(0, place * dim, (place + 1) * dim);
    for (const row of rows) this.#addRow(this.#sums, place * dim, row);
    this.#counts[place] = rows.length;
    this.#hashes[place] = hashOf(new TextEncoder().encode(word));
    this.#places.set(word, place);
    return place;
  }

  #grow(): void {
    const places = Math.min(mostKept, Math.max(1024, 2 * this.#counts.length));
    const [sums, counts, hashes] = [new Float32Array(places * this.#model.settings.dim), new Int32Array(places), new Int32Array(places)];
    sums.set(this.#sums);
    counts.set(this.#counts);
    hashes.set(this.#hashes);
    [this.#sums, this.#counts, this.#hashes] = [sums, counts, hashes];
  }

  #addRow(sums: Float32Array, start: number, row: number): void {
    const { values, columns } = this.#model.input;
    for (let i = 0; i < columns; i++) sums[start + i]! += values[row * columns + i]!;
  }

  #probabilities(mean: Float32Array): Float64Array {
    const { output, settings } = this.#model;
    const scores = Float64Array.from({ length: output.rows }, (_, row) => dot(output.values, row * output.columns, mean));
    if (this.#tree !== undefined) return this.#tree.probabilities(scores);
    return settings.loss === 3 ? softmax(scores) : scores.map(sigmoid);
  }
}

/** Words stand between fastText's white space, which is ASCII's alone; the end of the text is the last one. */
function eachWord(text: string, take: (word: string) => void): void {
  for (let at = 0; at < text.length; ) {
    if (isSpace(text.charCodeAt(at))) at++;
    else {
      const start = at;
      while (at < text.length && !isSpace(text.charCodeAt(at))) at++;
      take(text.slice(start, at));
    }
  }
  take(endOfLine);
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || (unit >= 0x9 && unit <= 0xd) || unit === 0;
}

/** Two to n words in a row, wherever they begin. */
function* ngramsOf(hashes: readonly number[], n: number): Generator<readonly number[]> {
  for (let start = 0; start < hashes.length; start++)
    for (let end = start + 2; end <= Math.min(hashes.length, start + n); end++) yield hashes.slice(start, end);
}

function dot(values: Float32Array, start: number, vector: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += values[start + i]! * vector[i]!;
  return sum;
}

/** The logistic function by fastText's table: 512 steps from -8 to 8, 0 and 1 outside. */
function sigmoid(x: number): number {
  if (Math.abs(x) > 8) return x < 0 ? 0 : 1;
  return 1 / (1 + Math.exp(8 - Math.floor((x + 8) * 32) / 32));
}

function softmax(scores: Float64Array): Float64Array {
  const largest = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
