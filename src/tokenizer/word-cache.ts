// Ordinary text repeats its words: each is merged once and then found again.
import type { IdBuffer } from "./id-buffer.ts";

/** Emptied when full, so that memory stays bounded on text that never repeats. */
const capacity = 1 << 17;
/** Longer words hardly come twice. */
const longest = 64;

/** Appends a word's ids to a buffer, from memory where it was seen before. */
export class WordCache {
  readonly #encode: (word: string, out: IdBuffer) => void;
  readonly #known = new Map<string, number>(); // word → start in #ids: the count, then the ids
  #ids: Uint32Array = new Uint32Array(1 << 16);
  #used = 0;

  constructor(encode: (word: string, out: IdBuffer) => void) {
    this.#encode = encode;
  }

  encode(word: string, out: IdBuffer): void {
    const at = this.#known.get(word);
    if (at !== undefined) {
      out.append(this.#ids, at + 1, this.#ids[at]!);
      return;
    }
    const start = out.size;
    this.#encode(word, out);
    if (word.length <= longest) this.#remember(word, out, start);
  }

  #remember(word: string, out: IdBuffer, start: number): void {
    if (this.#known.size >= capacity) this.#forget();
    const count = out.size - start;
    if (this.#used + count + 1 > this.#ids.length) this.#grow(count + 1);
    this.#known.set(flat(word), this.#used);
    this.#ids[this.#used++] = count;
    for (let i = 0; i < count; i++) this.#ids[this.#used++] = out.at(start + i);
  }

  #forget(): void {
    this.#known.clear();
    this.#used = 0;
  }

  #grow(more: number): void {
    const larger = new Uint32Array(Math.max(this.#ids.length * 2, this.#used + more));
    larger.set(this.#ids);
    this.#ids = larger;
  }
}

/** A copy that does not keep alive the long text it was cut from: V8 makes slices of 13 units and more as views. */
export function flat(word: string): string {
  return word.length < 13 ? word : word.split("").join("");
}
