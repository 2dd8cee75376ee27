// The words of a text as near-duplicates and contamination are looked for: in small letters, without punctuation.

import { finalised } from "../../base/index.ts";
import { characterFlags, punctuationFlag, spaceFlag } from "./characters.ts";

/** Hashes of the words of one text after another. */
export class PlainWords {
  #hashes = new Int32Array(1 << 10);
  #ends = new Int32Array(1 << 10);

  /** The hashes of the last text's words; there may be more numbers than words. */
  get hashes(): Int32Array {
    return this.#hashes;
  }

  /** Where each word ends in the text in small letters. */
  get ends(): Int32Array {
    return this.#ends;
  }

  /** Reads a text; what is punctuation alone is no word. @returns how many words it has */
  read(text: string): number {
    const flags = characterFlags();
    const lower = text.toLowerCase();
    let [count, hash, isWord] = [0, 0, false];
    for (let at = 0; at <= lower.length; at++) {
      const unit = at < lower.length ? lower.charCodeAt(at) : 0x20;
      const flag = flags[unit]!;
      if ((flag & spaceFlag) === 0) {
        if ((flag & punctuationFlag) !== 0) continue;
        hash = Math.imul(hash ^ unit, 0x01000193);
        isWord = true;
      } else if (isWord) {
        if (count === this.#hashes.length) this.#grow();
        this.#ends[count] = at;
        this.#hashes[count++] = finalised(hash);
        [hash, isWord] = [0, false];
      }
    }
    return count;
  }

  #grow(): void {
    const [hashes, ends] = [new Int32Array(2 * this.#hashes.length), new Int32Array(2 * this.#hashes.length)];
    hashes.set(this.#hashes);
    ends.set(this.#ends);
    [this.#hashes, this.#ends] = [hashes, ends];
  }
}
