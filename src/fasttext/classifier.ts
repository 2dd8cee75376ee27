// Labels of texts by a linear classifier over the mean of the rows of all words and n-grams (Joulin et al. 2016, arXiv 1607.01759), as fastText's
// predict-prob has it: a text is one line, and its end is a word too.
import { addRow } from "./add-row.ts";
import { HuffmanTree } from "./huffman-tree.ts";
import { mostProbable } from "./most-probable.ts";
import { narrowModel } from "./narrow-model.ts";
import type { FastTextModel } from "./read-model.ts";
import { isSpace } from "./white-space.ts";
import { hashOf, signedBytes } from "./word-hash.ts";
import { bytesAtOnce, viewed } from "./word-keys.ts";
import { endOfLine, WordRows } from "./word-rows.ts";
import { WordSums } from "./word-sums.ts";

/** A label and how probable it is. */
export interface LabelProbability {
  readonly label: string;
  readonly probability: number;
}

/** A text is encoded so many units at a time and up to the next white space, so that long ones take no more memory than short ones. */
const stretchUnits = 1 << 13;

/** A model that is ready for texts. Words that come again cost one look-up. */
export class FastTextClassifier {
  readonly labels: readonly string[];
  readonly #model: FastTextModel;
  readonly #rows: WordRows;
  readonly #tree: HuffmanTree | undefined;
  readonly #words: WordSums;
  /** The sum of rows, and then their mean. */
  readonly #mean: Float64Array;
  /** The UTF-8 of a stretch of text between two spaces. */
  #encoded = viewed(new Int8Array(roomFor(0)));

  constructor(model: FastTextModel) {
    this.#model = narrowModel(model);
    this.labels = model.labels;
    this.#rows = new WordRows(model);
    this.#words = new WordSums(this.#model);
    this.#tree = model.settings.loss === 1 ? new HuffmanTree(model.labelCounts) : undefined;
    this.#mean = this.#words.total;
  }

  /** The most probable labels of a text, at most so many; none where no word of it has a row. Line ends count as white space. */
  classify(text: string, most = 1): readonly LabelProbability[] {
    if (!this.#takeMean(text)) return [];
    const found = this.#tree?.mostProbable((node) => this.#score(node), most) ?? mostProbable(this.#probabilities(), most);
    return found.map(({ index, probability }) => ({ label: this.labels[index]!, probability }));
  }

  /** The probability of each label of a text, in the order of `labels`; undefined where no word of it has a row. */
  probabilities(text: string): Float64Array | undefined {
    return this.#takeMean(text) ? this.#probabilities() : undefined;
  }

  /** Takes the mean of the rows of all words and n-grams; the end of the text is the last word. @returns whether there are any */
  #takeMean(text: string): boolean {
    const mean = this.#mean.fill(0);
    const hashes: number[] = [];
    let rows = 0;
    for (let from = 0; from < text.length; ) {
      const end = stretchEnd(text, from);
      rows += this.#addWords(this.#encode(from === 0 && end === text.length ? text : text.slice(from, end)), hashes);
      from = end;
    }
    rows += this.#words.add(endOfText, 1, endOfText.bytes.length - 1);
    this.#words.finish();
    rows += this.#addWordNgrams(hashes);
    for (let i = 0; i < mean.length; i++) mean[i]! /= rows;
    return rows > 0;
  }

  /** Puts a stretch into `#encoded`, with a space behind it. @returns where that stands */
  #encode(stretch: string): number {
    // What a long word needed is not kept.
    const room = roomFor(stretch.length);
    if (this.#encoded.bytes.length < room || this.#encoded.bytes.length > 64 * room) this.#encoded = viewed(new Int8Array(room));
    const { bytes } = this.#encoded;
    const { written } = encoder.encodeInto(stretch, new Uint8Array(bytes.buffer, 1));
    bytes[written + 1] = space;
    return written + 1;
  }

  /** Adds the rows of the words in `#encoded`, which stand between fastText's white space. @returns how many rows there are */
  #addWords(end: number, hashes: number[]): number {
    const encoded = this.#encoded;
    const { bytes } = encoded;
    const hasNgrams = this.#model.settings.wordNgrams > 1;
    let rows = 0;
    for (let at = 1; at < end; at++) {
      let byte = bytes[at]!;
      if (isSpace(byte)) continue;
      const start = at;
      do byte = bytes[++at]!;
      while (byte > space || byte < 0 || !isSpace(byte)); // nearly every byte is told by the first two
      if (hasNgrams) hashes.push(hashOf(bytes, start, at));
      rows += this.#words.add(encoded, start, at);
    }
    return rows;
  }

  /** Adds the rows of words in a row. @returns how many there are */
  #addWordNgrams(hashes: number[]): number {
    if (this.#model.settings.wordNgrams === 1) return 0;
    let rows = 0;
    this.#rows.eachWordNgram([...hashes, endHash], (row) => {
      addRow(this.#mean, this.#model.input.values, row);
      rows++;
    });
    return rows;
  }

  /** The score of a row of the output. */
  #score(row: number): number {
    const { values, columns } = this.#model.output;
    const mean = this.#mean;
    let sum = 0;
    for (let i = 0, at = row * columns; i < columns; i++, at++) sum += values[at]! * mean[i]!;
    return sum;
  }

  #probabilities(): Float64Array {
    if (this.#tree !== undefined) return this.#tree.probabilities((node) => this.#score(node));
    const scores = new Float64Array(this.#model.output.rows);
    for (let row = 0; row < scores.length; row++) scores[row] = this.#score(row);
    return this.#model.settings.loss === 3 ? softmax(scores) : scores.map(sigmoid);
  }
}

const encoder = new TextEncoder();
const space = 0x20;
/** The word that ends a text, between two spaces. */
const endOfText = viewed(signedBytes(` ${endOfLine} `));
const endHash = hashOf(signedBytes(endOfLine));

/** Bytes that a stretch of so many units may take, of which a UTF-16 unit takes three at most, with what stands around it. */
function roomFor(units: number): number {
  return 3 * Math.max(units, stretchUnits) + 1 + bytesAtOnce;
}

/** Where the stretch of a text ends: behind so many units, with the word that stands there. */
function stretchEnd(text: string, from: number): number {
  let end = from + stretchUnits;
  while (end < text.length && !isSpace(text.charCodeAt(end))) end++;
  return Math.min(end, text.length);
}

/** The logistic function by fastText's table: 512 steps from -8 to 8, 0 and 1 outside. */
function sigmoid(x: number): number {
  if (Math.abs(x) > 8) return x < 0 ? 0 : 1;
  return 1 / (1 + Math.exp(8 - Math.floor((x + 8) * 32) / 32));
}

function softmax(scores: Float64Array): Float64Array {
  let [largest, total] = [-Infinity, 0];
  for (const score of scores) largest = Math.max(largest, score);
  for (let i = 0; i < scores.length; i++) total += scores[i] = Math.exp(scores[i]! - largest);
  for (let i = 0; i < scores.length; i++) scores[i]! /= total;
  return scores;
}
