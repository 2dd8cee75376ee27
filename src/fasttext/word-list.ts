// The words of a model by their UTF-8, as plain data in memory that threads share: a million words take 30 MB, where strings and tables took a gigabyte in each
// thread. A word is looked up where it stands, without a string of its own.
import { sharedBuffer } from "./shared-buffer.ts";
import { hashOf, isSameBytes, signedBytes } from "./word-hash.ts";

/** Words and their places in a list. */
export interface WordList {
  readonly length: number;
  /** The UTF-8 of all words, one behind the other. */
  readonly bytes: Int8Array;
  /** Where each word begins, and where the last one ends. */
  readonly starts: Int32Array;
  /** Numbers of words from 1 on by their hashes; 0 is a free place. At most half are taken. */
  readonly places: Int32Array;
}

/** The list of so many words by their UTF-8. @param words gives them, each time in the same order */
export function wordList(length: number, words: () => Iterable<Int8Array>): WordList {
  const starts = new Int32Array(sharedBuffer(4 * (length + 1)));
  let [end, id] = [0, 0];
  for (const word of words()) starts[++id] = end += word.length;
  const list = {
    ...{ length, starts, bytes: new Int8Array(sharedBuffer(end)) },
    places: new Int32Array(sharedBuffer(4 * 2 ** Math.ceil(Math.log2(2 * length + 2)))),
  };
  id = 0;
  for (const word of words()) {
    list.bytes.set(word, starts[id]!);
    list.places[placeOf(list, word, 0, word.length, hashOf(word))] = ++id;
  }
  return list;
}

/** The list of words that are given as strings. */
export function wordListOf(words: readonly string[]): WordList {
  return wordList(words.length, () => words.map(signedBytes));
}

/** The UTF-8 of each word. */
export function* wordsIn({ length, bytes, starts }: WordList): Generator<Int8Array> {
  for (let id = 0; id < length; id++) yield bytes.subarray(starts[id]!, starts[id + 1]!);
}

/** The number of the word between two places of a text's UTF-8; -1 where it is none. @param hash the word's by `hashOf` */
export function wordId(list: WordList, bytes: Int8Array, start: number, end: number, hash: number): number {
  return list.places[placeOf(list, bytes, start, end, hash)]! - 1;
}

function placeOf({ bytes: own, starts, places }: WordList, bytes: Int8Array, start: number, end: number, hash: number): number {
  const mask = places.length - 1;
  let place = hash & mask;
  for (; places[place] !== 0; place = (place + 1) & mask) {
    const first = starts[places[place]! - 1]!;
    const length = starts[places[place]!]! - first;
    if (length === end - start && isSameBytes(own, first, bytes, start, length)) break;
  }
  return place;
}
