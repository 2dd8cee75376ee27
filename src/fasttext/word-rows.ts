// Which rows of the input matrix a word has: its own, and those of its n-grams of characters, which are hashed to buckets (Bojanowski et al. 2017,
// arXiv 1607.04606; fastText 0.9, dictionary.cc).
import type { FastTextModel } from "./read-model.ts";
import { WordNgramHash } from "./word-ngram-hash.ts";

/** The word that stands for a line's end. */
export const endOfLine = "</s>";

const encoder = new TextEncoder();

/** FNV-1a of bytes, which are taken as signed, as fastText takes them. */
export function hashOf(bytes: Uint8Array): number {
  return bytes.reduce(nextHash, hashStart) >>> 0;
}

const hashStart = 0x811c9dc5 | 0;

function nextHash(hash: number, byte: number): number {
  return Math.imul(hash ^ ((byte << 24) >> 24), 0x01000193);
}

/** What rows follow from: a model without its matrices. */
export type RowSources = Pick<FastTextModel, "settings" | "words" | "pruned">;

/** Finds the rows of words. */
export class WordRows {
  readonly #model: RowSources;
  readonly #ids: ReadonlyMap<string, number>;
  readonly #ngram = new WordNgramHash();

  constructor(model: RowSources) {
    this.#model = model;
    this.#ids = new Map(model.words.map((word, id) => [word, id]));
  }

  /** The rows of a word and of its n-grams; those that were pruned have none. */
  of(word: string): number[] {
    const id = this.#ids.get(word);
    const rows = id === undefined ? [] : [id];
    this.#eachCharacterNgram(word, (row) => rows.push(row));
    return rows;
  }

  /** The rows of a word and of its n-grams with what they stand for; "<" and ">" are the word's beginning and end. */
  named(word: string): { readonly ngram: string; readonly kind: "word" | "characters"; readonly row: number }[] {
    const id = this.#ids.get(word);
    const found: ReturnType<WordRows["named"]> = id === undefined ? [] : [{ ngram: word, kind: "word", row: id }];
    const decoder = new TextDecoder();
    this.#eachCharacterNgram(word, (row, bytes) => found.push({ ngram: decoder.decode(bytes), kind: "characters", row }));
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
        if (row !== undefined) visit(row, start, end + 1);
      }
    }
  }

  #eachCharacterNgram(word: string, visit: (row: number, bytes: Uint8Array) => void): void {
    const { minn, maxn, bucket } = this.#model.settings;
    if (word === endOfLine || maxn === 0) return;
    const bytes = encoder.encode(`<${word}>`);
    for (let start = 0; start < bytes.length; start++) {
      if (isContinued(bytes, start)) continue;
      for (let length = 1, at = start, hash = hashStart; length <= maxn && at < bytes.length; length++) {
        do hash = nextHash(hash, bytes[at++]!);
        while (isContinued(bytes, at));
        // The two marks alone are no n-grams.
        if (length < minn || (length === 1 && (start === 0 || at === bytes.length))) continue;
        const row = this.#rowOfBucket((hash >>> 0) % bucket);
        if (row !== undefined) visit(row, bytes.subarray(start, at));
      }
    }
  }

  #rowOfBucket(bucket: number): number | undefined {
    const { pruned, words } = this.#model;
    const row = pruned === undefined ? bucket : pruned.get(bucket);
    return row === undefined ? undefined : words.length + row;
  }
}

function isContinued(bytes: Uint8Array, at: number): boolean {
  return at < bytes.length && (bytes[at]! & 0xc0) === 0x80;
}
