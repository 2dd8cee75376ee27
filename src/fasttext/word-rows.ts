// Which rows of the input matrix a word has: its own, and those of its n-grams of characters, which are hashed to buckets (Bojanowski et al. 2017,
// arXiv 1607.04606; fastText 0.9, dictionary.cc).
import type { FastTextModel } from "./read-model.ts";

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

/** Finds the rows of words. */
export class WordRows {
  readonly #model: FastTextModel;
  readonly #ids: ReadonlyMap<string, number>;

  constructor(model: FastTextModel) {
    this.#model = model;
    this.#ids = new Map(model.words.map((word, id) => [word, id]));
  }

  /** The rows of a word and of its n-grams; those that were pruned have none. */
  of(word: string): number[] {
    const id = this.#ids.get(word);
    const rows = id === undefined ? [] : [id];
    const { minn, maxn } = this.#model.settings;
    if (word === endOfLine || maxn === 0) return rows;
    const bytes = encoder.encode(`<${word}>`);
    for (let start = 0; start < bytes.length; start++) {
      if (isContinued(bytes, start)) continue;
      for (let length = 1, at = start, hash = hashStart; length <= maxn && at < bytes.length; length++) {
        do hash = nextHash(hash, bytes[at++]!);
        while (isContinued(bytes, at));
        // The two marks alone are no n-grams.
        if (length >= minn && !(length === 1 && (start === 0 || at === bytes.length)))
          this.#addBucket(rows, (hash >>> 0) % this.#model.settings.bucket);
      }
    }
    return rows;
  }

  /** The row of words in a row, from the hashes of each; undefined where it was pruned. @param hashes as signed numbers of 32 bits */
  ofWordNgram(hashes: readonly number[]): number[] {
    const rows: number[] = [];
    let hash = BigInt.asUintN(64, BigInt(hashes[0] ?? 0));
    for (const next of hashes.slice(1)) hash = BigInt.asUintN(64, hash * 116049371n + BigInt(next));
    this.#addBucket(rows, Number(hash % BigInt(this.#model.settings.bucket)));
    return rows;
  }

  #addBucket(rows: number[], bucket: number): void {
    const { pruned, words } = this.#model;
    const row = pruned === undefined ? bucket : pruned.get(bucket);
    if (row !== undefined) rows.push(words.length + row);
  }
}

function isContinued(bytes: Uint8Array, at: number): boolean {
  return at < bytes.length && (bytes[at]! & 0xc0) === 0x80;
}
