// Our own compact form of a model, a third of KenLM's tables and of ARPA's text. Numbers are varints, seven bits per byte from the lowest on, and
// float32, little-endian; what an n-gram has in common with the one before it is left out:
//
//   | "cria n-grams 1\n" | order | n-grams of each order |
//   | a word: bytes, UTF-8 | probability f32 | back-off weight f32 | …
//   | an n-gram: a bit per word, 1 where it is another one than before | the numbers of those | probability f32 | weight f32, except of the longest | …
//   | "end\n" |
import type { NgramSink } from "./ngram-sink.ts";

/** How the form begins. */
export const packedMagic = "cria n-grams 1\n";
/** How the form ends. */
export const packedEnd = "end\n";

/** Bytes that are written together. */
const chunkBytes = 1 << 16;
/** Bytes that an n-gram takes at most. */
const mostBytes = 64;

/** Takes n-grams, and writes them in the compact form. */
export class PackedWriter implements NgramSink {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #bytes = new Uint8Array(chunkBytes + mostBytes);
  readonly #view = new DataView(this.#bytes.buffer);
  /** The n-gram before; zeros in front of the first one of an order. */
  #before = new Uint32Array(0);
  #at = 0;
  #longest = 0;
  #words = 0;

  /** @param write takes the file's bytes, one part after another */
  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  begin(counts: readonly number[]): void {
    this.#longest = counts.length;
    this.#text(packedMagic);
    this.#varint(counts.length);
    for (const count of counts) this.#varint(count);
  }

  word(word: string, probability: number, backoff: number): number {
    const bytes = new TextEncoder().encode(word);
    this.#varint(bytes.length);
    this.#flush();
    this.#write(bytes);
    this.#float(probability);
    this.#float(backoff);
    return this.#words++;
  }

  ngram(ids: ArrayLike<number>, probability: number, backoff: number): void {
    if (this.#at > chunkBytes) this.#flush();
    if (this.#before.length !== ids.length) this.#before = new Uint32Array(ids.length);
    const mask = this.#at++;
    this.#bytes[mask] = 0;
    for (let i = 0; i < ids.length; i++) {
      if (this.#before[i] === ids[i]) continue;
      this.#bytes[mask]! |= 1 << i;
      this.#before[i] = ids[i]!;
      this.#varint(ids[i]!);
    }
    this.#float(probability);
    if (ids.length < this.#longest) this.#float(backoff);
  }

  /** Writes the end of the file. */
  finish(): void {
    this.#text(packedEnd);
    this.#flush();
  }

  #text(text: string): void {
    for (const character of text) this.#bytes[this.#at++] = character.charCodeAt(0);
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.#bytes[this.#at++] = (rest % 128) | 128;
    this.#bytes[this.#at++] = rest;
  }

  #float(value: number): void {
    this.#view.setFloat32(this.#at, value, true);
    this.#at += 4;
  }

  #flush(): void {
    if (this.#at > 0) this.#write(this.#bytes.slice(0, this.#at));
    this.#at = 0;
  }
}
