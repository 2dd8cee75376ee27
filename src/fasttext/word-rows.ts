// Which rows of the input matrix a word has: its own, and those of its n-grams of characters, which are hashed to buckets (Bojanowski et al. 2017,
// arXiv 1607.04606; fastText 0.9, dictionary.cc).
import { BucketRows } from "./bucket-rows.ts";
import type { FastTextModel } from "./read-model.ts";
import { hashOf, hashStart, isSameBytes, nextHash, signedBytes } from "./word-hash.ts";
import { wordId } from "./word-list.ts";
import { WordNgramHash } from "./word-ngram-hash.ts";

/** The word that stands for a line's end. */
export const endOfLine = "</s>";

/** "<" and ">", which stand for a word's beginning and end. */
const [beginMark, endMark] = [0x3c, 0x3e];
const endOfLineBytes = signedBytes(endOfLine);
/** So many rows are found at once, and those of one character more. */
const mostAtOnce = 1 << 10;

/** What rows follow from: a model without its matrices. */
export type RowSources = Pick<FastTextModel, "settings" | "words" | "pruned">;

/** A row, and what it stands for. */
export interface NamedRow {
  readonly ngram: string;
  readonly kind: "word" | "characters";
  readonly row: number;
}

/** Finds the rows of words. */
export class WordRows {
  readonly #model: RowSources;
  readonly #ngram = new WordNgramHash();
  readonly #buckets: BucketRows;
  /** The rows that {@link find} found last, `count` of them. */
  found = new Int32Array(2 * mostAtOnce);
  count = 0;

  constructor(model: RowSources) {
    this.#model = model;
    this.#buckets = new BucketRows(model.pruned);
  }

  /** The rows of a word and of its n-grams; those that were pruned have none. */
  of(word: string): number[] {
    const bytes = signedBytes(` ${word} `);
    const end = bytes.length - 1;
    const rows: number[] = [];
    for (let from = 0; from <= end; ) {
      from = this.find(bytes, 1, end, from);
      rows.push(...this.found.subarray(0, this.count));
    }
    return rows;
  }

  /** The rows of a word and of its n-grams with what they stand for, each by a string of its own; "<" and ">" are the word's beginning and end. */
  named(word: string): readonly NamedRow[] {
    const { minn, maxn, bucket } = this.#model.settings;
    const bytes = signedBytes(word);
    const id = wordId(this.#model.words, bytes, 0, bytes.length, hashOf(bytes));
    const found: NamedRow[] = id < 0 ? [] : [{ ngram: word, kind: "word", row: id }];
    const marked = word === endOfLine ? [] : Array.from(`<${word}>`);
    for (let start = 0; start < marked.length; start++)
      for (let length = Math.max(1, minn); length <= maxn && start + length <= marked.length; length++) {
        // The two marks alone are no n-grams.
        if (length === 1 && (start === 0 || start === marked.length - 1)) continue;
        const ngram = marked.slice(start, start + length).join("");
        const row = this.#rowOfBucket((hashOf(signedBytes(ngram)) >>> 0) % bucket);
        if (row >= 0) found.push({ ngram, kind: "characters", row });
      }
    return found;
  }

  /** Tells the row of each two to n words in a row, with where they begin and end. @param hashes of words, as signed numbers of 32 bits */
  eachWordNgram(hashes: ArrayLike<number>, visit: (row: number, start: number, end: number) => void): void {
    const { wordNgrams, bucket } = this.#model.settings;
    for (let start = 0; start < hashes.length; start++) {
      this.#ngram.begin(hashes[start]!);
      for (let end = start + 1; end < Math.min(hashes.length, start + wordNgrams); end++) {
        this.#ngram.add(hashes[end]!);
        const row = this.#rowOfBucket(this.#ngram.bucket(bucket));
        if (row >= 0) visit(row, start, end + 1);
      }
    }
  }

  /**
   * Finds the rows of a word, and of the n-grams of its characters, a stretch at a time, since words such as lines of Chinese may be long.
   * @param bytes the word's UTF-8 between `start` and `end`; the bytes before and behind it become its marks
   * @param from where the first n-gram begins, at first before the word
   * @returns where the next n-gram begins; behind `end` when all are found
   */
  find(bytes: Int8Array, start: number, end: number, from: number): number {
    this.count = 0;
    if (from < start) {
      const id = wordId(this.#model.words, bytes, start, end, hashOf(bytes, start, end));
      if (id >= 0) this.found[this.count++] = id;
      const isEndOfLine = end - start === endOfLineBytes.length && isSameBytes(bytes, start, endOfLineBytes, 0, end - start);
      if (isEndOfLine || this.#model.settings.maxn === 0) return end + 1;
      bytes[start - 1] = beginMark;
      bytes[end] = endMark;
    }
    const before = this.count;
    const next = this.#findBuckets(bytes, start, end, from);
    this.#takeRows(before);
    return next;
  }

  /** Puts the buckets of n-grams into `found`, without a branch for whether one was kept, which no processor could predict. */
  #findBuckets(bytes: Int8Array, start: number, end: number, from: number): number {
    const { minn, maxn, bucket: buckets } = this.#model.settings;
    const found = this.#roomFor(Math.min(maxn, end - start + 2));
    const { bits } = this.#buckets;
    const mask = bits.length - 1;
    const inverse = 1 / buckets;
    let [next, count] = [from, this.count];
    while (next <= end && count < mostAtOnce) {
      const first = next;
      let [hash, at] = [hashStart, first];
      for (let length = 1; length <= maxn && at <= end; length++) {
        do hash = nextHash(hash, bytes[at++]!);
        while (at <= end && isContinued(bytes[at]!));
        if (length === 1) next = at;
        // The two marks alone are no n-grams.
        if (length < minn || (length === 1 && (first < start || at > end))) continue;
        // The remainder by a product: the half keeps quotients of multiples from being rounded down, and is less than any other remainder.
        const bucket = (hash - Math.imul(buckets, ((hash >>> 0) + 0.5) * inverse)) | 0;
        found[count] = bucket;
        count += (bits[(bucket >>> 5) & mask]! >>> bucket) & 1;
      }
    }
    this.count = count;
    return next;
  }

  /** Makes rows of the buckets in `found` behind so many rows, as far as they were kept. */
  #takeRows(before: number): void {
    const found = this.found;
    let count = before;
    for (let i = before; i < this.count; i++) {
      const row = this.#rowOfBucket(found[i]!);
      if (row >= 0) found[count++] = row;
    }
    this.count = count;
  }

  /** `found`, with room for the n-grams that begin at one character beside those that are found at once. */
  #roomFor(ngrams: number): Int32Array {
    if (this.found.length <= mostAtOnce + ngrams) {
      const grown = new Int32Array(2 * (mostAtOnce + ngrams));
      grown.set(this.found.subarray(0, this.count));
      this.found = grown;
    }
    return this.found;
  }

  /** The row of a bucket; below 0 where it was pruned. */
  #rowOfBucket(bucket: number): number {
    const row = this.#buckets.of(bucket);
    return row < 0 ? row : this.#model.words.length + row;
  }
}

/** Whether a byte of UTF-8 goes on with a character. */
function isContinued(byte: number): boolean {
  return byte < -0x40;
}
