// Which rows of the input matrix a word has: its own, and those of its n-grams of characters, which are hashed to buckets (Bojanowski et al. 2017,
// arXiv 1607.04606; fastText 0.9, dictionary.cc).
import { finalised } from "../base/index.ts";
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
  readonly #pruned: PrunedRows | undefined;
  /** The UTF-8 of a word between its marks. */
  #bytes = new Uint8Array(64);

  constructor(model: RowSources) {
    this.#model = model;
    this.#pruned = model.pruned && new PrunedRows(model.pruned);
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
    this.#eachCharacterNgram(word, (row, start, end) =>
      found.push({ ngram: decoder.decode(this.#bytes.subarray(start, end)), kind: "characters", row }),
    );
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

  /** Tells the row of each n-gram, with where it begins and ends in `#bytes`. */
  #eachCharacterNgram(word: string, visit: (row: number, start: number, end: number) => void): void {
    const { minn, maxn, bucket } = this.#model.settings;
    if (word === endOfLine || maxn === 0) return;
    const size = this.#encode(word);
    const bytes = this.#bytes;
    for (let start = 0; start < size; start++) {
      if (isContinued(bytes, start)) continue;
      for (let length = 1, at = start, hash = hashStart; length <= maxn && at < size; length++) {
        do hash = nextHash(hash, bytes[at++]!);
        while (at < size && isContinued(bytes, at));
        // The two marks alone are no n-grams.
        if (length < minn || (length === 1 && (start === 0 || at === size))) continue;
        const row = this.#rowOfBucket((hash >>> 0) % bucket);
        if (row !== undefined) visit(row, start, at);
      }
    }
  }

  /** Puts a word between its marks into `#bytes`. @returns how many bytes it takes */
  #encode(word: string): number {
    // A UTF-16 unit takes three bytes at most.
    if (this.#bytes.length < 3 * word.length + 2) this.#bytes = new Uint8Array(6 * word.length + 4);
    return encoder.encodeInto(`<${word}>`, this.#bytes).written;
  }

  #rowOfBucket(bucket: number): number | undefined {
    const row = this.#pruned === undefined ? bucket : this.#pruned.of(bucket);
    return row === undefined ? undefined : this.#model.words.length + row;
  }
}

/** The rows of the buckets that were kept, in a table of numbers, which is looked up some times faster than a Map. */
class PrunedRows {
  /** Bucket and row of each place, in turns; buckets are counted from 1, as 0 is a free place. At most half of the places are taken. */
  readonly #places: Int32Array;
  readonly #mask: number;

  constructor(rows: ReadonlyMap<number, number>) {
    const places = 2 ** Math.ceil(Math.log2(2 * rows.size + 2));
    this.#places = new Int32Array(2 * places);
    this.#mask = places - 1;
    for (const [bucket, row] of rows) {
      const at = 2 * this.#placeOf(bucket + 1);
      [this.#places[at], this.#places[at + 1]] = [bucket + 1, row];
    }
  }

  of(bucket: number): number | undefined {
    const at = 2 * this.#placeOf(bucket + 1);
    return this.#places[at] === 0 ? undefined : this.#places[at + 1];
  }

  #placeOf(key: number): number {
    let place = finalised(key) & this.#mask;
    while (this.#places[2 * place] !== 0 && this.#places[2 * place] !== (key | 0)) place = (place + 1) & this.#mask;
    return place;
  }
}

function isContinued(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! & 0xc0) === 0x80;
}
