// Labels of texts by a linear classifier over the mean of the rows of all words and n-grams (Joulin et al. 2016, arXiv 1607.01759), as fastText's
// predict-prob has it: a text is one line, and its end is a word too.
import { HuffmanTree } from "./huffman-tree.ts";
import type { FastTextModel } from "./read-model.ts";
import { isSpace } from "./white-space.ts";
import { endOfLine, WordRows } from "./word-rows.ts";
import { nextHash, WordSums } from "./word-sums.ts";

/** A label and how probable it is. */
export interface LabelProbability {
  readonly label: string;
  readonly probability: number;
}

/** A model that is ready for texts. Words that come again cost one look-up. */
export class FastTextClassifier {
  readonly labels: readonly string[];
  readonly #model: FastTextModel;
  readonly #rows: WordRows;
  readonly #tree: HuffmanTree | undefined;
  readonly #words: WordSums;
  readonly #mean: Float32Array;

  constructor(model: FastTextModel) {
    this.#model = model;
    this.labels = model.labels;
    this.#rows = new WordRows(model);
    this.#words = new WordSums(model);
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

  /** The mean of the rows of all words and n-grams. Words stand between fastText's white space; the end of the text is the last one. */
  #meanOf(text: string): Float32Array | undefined {
    const mean = this.#mean.fill(0);
    const hashes: number[] | undefined = this.#model.settings.wordNgrams > 1 ? [] : undefined;
    let rows = 0;
    for (let at = 0; at < text.length; ) {
      if (isSpace(text.charCodeAt(at))) at++;
      else {
        const start = at;
        let hash = 0;
        for (let unit = text.charCodeAt(at); at < text.length && !isSpace(unit); unit = text.charCodeAt(++at)) hash = nextHash(hash, unit);
        rows += this.#addWord(mean, this.#words.placeOf(text, start, at, hash), hashes);
      }
    }
    rows += this.#addWord(mean, this.#words.placeOf(endOfLine, 0, endOfLine.length, endHash), hashes);
    if (hashes !== undefined)
      this.#rows.eachWordNgram(hashes, (row) => {
        this.#addRow(mean, row);
        rows++;
      });
    if (rows === 0) return undefined;
    for (let i = 0; i < mean.length; i++) mean[i]! /= rows;
    return mean;
  }

  /** @returns how many rows came */
  #addWord(mean: Float32Array, place: number, hashes: number[] | undefined): number {
    const { sums, counts } = this.#words;
    for (let i = 0, at = place * mean.length; i < mean.length; i++, at++) mean[i]! += sums[at]!;
    hashes?.push(this.#words.hashes[place]!);
    return counts[place]!;
  }

  #addRow(mean: Float32Array, row: number): void {
    const { values, columns } = this.#model.input;
    for (let i = 0; i < columns; i++) mean[i]! += values[row * columns + i]!;
  }

  #probabilities(mean: Float32Array): Float64Array {
    const { output, settings } = this.#model;
    const scores = Float64Array.from({ length: output.rows }, (_, row) => dot(output.values, row * output.columns, mean));
    if (this.#tree !== undefined) return this.#tree.probabilities(scores);
    return settings.loss === 3 ? softmax(scores) : scores.map(sigmoid);
  }
}

const endHash = Array.from(endOfLine).reduce((hash, mark) => nextHash(hash, mark.charCodeAt(0)), 0);

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
