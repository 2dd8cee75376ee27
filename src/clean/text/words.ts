// The words of a text: what stands between white space, as Python's `str.split` has it. One pass finds them with all that rules ask of them.
import { characterFlags, letterFlag, punctuationFlag, spaceFlag } from "./characters.ts";

/** The word has a character that is not punctuation. */
export const hasOther = 1;
/** The word has a letter. */
export const hasLetter = 2;

/** What one UTF-16 unit adds to a hash: `hash · hashBase + unit`, modulo 2^32. */
export const hashBase = 0x01000193;

/** The words of a text in their order. Arrays may be longer than there are words, and serve one text after another. */
export class Words {
  /** The text that was read last. */
  text = "";
  count = 0;
  /** Where each begins, in UTF-16 units. */
  starts = new Int32Array(0);
  /** Where each ends. */
  ends = new Int32Array(0);
  /** Characters of each, as code points. */
  lengths = new Int32Array(0);
  /** {@link hasOther} and {@link hasLetter} of each. */
  kinds = new Uint8Array(0);
  /** Hashes of their units by {@link hashBase}: those of equal words are equal. */
  hashes = new Int32Array(0);

  constructor(text = "") {
    this.read(text);
  }

  /** Finds the words of another text, in the place of those that were there. */
  read(text: string): void {
    [this.text, this.count] = [text, 0];
    const room = (text.length >> 2) + 8;
    if (room > this.starts.length) this.#makeRoom(room);
    this.#scan(text);
  }

  /** All white space is below the surrogates, so that a unit tells it. */
  #scan(text: string): void {
    const flags = characterFlags();
    for (let at = 0; at < text.length; ) {
      if ((flags[text.charCodeAt(at)]! & spaceFlag) !== 0) at++;
      else at = this.#scanWord(text, at, flags);
    }
  }

  /** @returns where the word ends */
  #scanWord(text: string, start: number, flags: Uint8Array): number {
    let [at, hash, pairs, others, letters] = [start, 0, 0, 0, 0];
    for (; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      let flag = flags[unit]!;
      if ((flag & spaceFlag) !== 0) break;
      hash = (Math.imul(hash, hashBase) + unit) | 0;
      if (unit >= 0xd800 && unit < 0xdc00) {
        const point = text.codePointAt(at)!;
        if (point > 0xffff) {
          flag = flags[point]!;
          pairs++;
          hash = (Math.imul(hash, hashBase) + text.charCodeAt(++at)) | 0;
        }
      }
      others |= ~flag & punctuationFlag;
      letters |= flag & letterFlag;
    }
    if (this.count === this.starts.length) this.#makeRoom(2 * this.count);
    const index = this.count++;
    this.starts[index] = start;
    this.ends[index] = at;
    this.lengths[index] = at - start - pairs;
    this.kinds[index] = (others === 0 ? 0 : hasOther) | (letters === 0 ? 0 : hasLetter);
    this.hashes[index] = hash;
    return at;
  }

  #makeRoom(room: number): void {
    this.starts = grown(this.starts, room);
    this.ends = grown(this.ends, room);
    this.lengths = grown(this.lengths, room);
    this.hashes = grown(this.hashes, room);
    const kinds = new Uint8Array(room);
    kinds.set(this.kinds);
    this.kinds = kinds;
  }
}

/** How many words a text has, and the characters of the longest, where nothing else is asked of them. */
export function measureWords(text: string): { readonly count: number; readonly longest: number } {
  const flags = characterFlags();
  let [count, longest, length] = [0, 0, 0];
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if ((flags[unit]! & spaceFlag) !== 0) length = 0;
    else {
      if (length++ === 0) count++;
      if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) at++;
      if (length > longest) longest = length;
    }
  }
  return { count, longest };
}

function grown(array: Int32Array, room: number): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(room);
  copy.set(array);
  return copy;
}

/** The hash that {@link Words} has for a word. */
export function hashOf(word: string): number {
  let hash = 0;
  for (let at = 0; at < word.length; at++) hash = (Math.imul(hash, hashBase) + word.charCodeAt(at)) | 0;
  return hash;
}
