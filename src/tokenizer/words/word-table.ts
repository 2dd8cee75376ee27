// How often each word stands in a text: a hash table with open addressing in typed arrays. A word is its UTF-8 and never a string of its own.

import { sortWords } from "./sort-words.ts";
import { WordBlockBuilder } from "./word-block-builder.ts";
import type { WordBlock, WordCounts } from "./word-counts.ts";

/** Slots are pairs: the hash, and the word's number + 1, which is 0 in a free slot. */
const slotWidth = 2;

/** Room that is left behind all words, for one that is being written. */
const mostBytesOfWord = 1 << 10;

/** How many words there are, and how many bytes they have together. */
export interface WordSizes {
  readonly words: number;
  readonly bytes: number;
}

/** Counts words of UTF-8. */
export class WordTable implements WordCounts {
  #bytes: Uint8Array;
  #view: DataView;
  /** Word → where it begins; one more entry says where the last one ends. */
  #starts: Uint32Array;
  #counts: Float64Array;
  #slots: Int32Array;
  #size = 0;
  /** The bytes that were given last, and a view of them. */
  #source: Uint8Array;
  #sourceView: DataView;

  /** A table that has room for so many words, of so many bytes in all, and grows where that does not do. */
  constructor({ words, bytes }: WordSizes = { words: 1 << 12, bytes: 1 << 16 }) {
    this.#bytes = new Uint8Array(bytes + mostBytesOfWord);
    this.#view = new DataView(this.#bytes.buffer);
    this.#counts = new Float64Array(Math.max(1, words));
    this.#starts = new Uint32Array(this.#counts.length + 1);
    this.#slots = new Int32Array(slotWidth * 2 ** Math.ceil(Math.log2(2 * this.#counts.length)));
    this.#source = this.#bytes;
    this.#sourceView = this.#view;
  }

  /** How many different words there are. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of memory that the words take, without room to grow. */
  get usedBytes(): number {
    const perWord = this.#starts.BYTES_PER_ELEMENT + this.#counts.BYTES_PER_ELEMENT + 2 * slotWidth * this.#slots.BYTES_PER_ELEMENT;
    return this.#starts[this.#size]! + this.#size * perWord;
  }

  /** Counts the word that stands in `text` from `start` to `end`, not empty, `count` times; a lone surrogate becomes U+FFFD. */
  add(text: string, start = 0, end = text.length, count = 1): void {
    const from = this.#starts[this.#size]!;
    // A UTF-16 unit has at most three bytes.
    this.#reserve(from + 3 * (end - start));
    const bytes = this.#bytes;
    let to = from;
    for (let at = start; at < end; at++) {
      const unit = text.charCodeAt(at);
      if (unit < 0x80) bytes[to++] = unit;
      else {
        const width = writeCharacter(bytes, to, text, at, end);
        to += width;
        if (width === 4) at++;
      }
    }
    this.#count(bytes, this.#view, from, to, count);
  }

  /** Counts the word `source[start … end)`, which is UTF-8 and not empty, `count` times. */
  addUtf8(source: Uint8Array, start: number, end: number, count = 1): void {
    if (source !== this.#source) {
      this.#source = source;
      this.#sourceView = new DataView(source.buffer, source.byteOffset, source.byteLength);
    }
    this.#count(source, this.#sourceView, start, end, count);
  }

  /** Counts every word of a block as often as the block says. */
  addBlock({ bytes, ends, counts }: WordBlock): void {
    let start = 0;
    for (let word = 0; word < counts.length; word++) {
      const end = ends[word]!;
      this.addUtf8(bytes, start, end, counts[word]!);
      start = end;
    }
  }

  /** The words in the order of their bytes. */
  blocks(): Generator<WordBlock> {
    return this.#blocksIn(sortWords({ bytes: this.#bytes, starts: this.#starts }, this.#size));
  }

  /** The words from the most frequent to the rarest, equally frequent ones in the order of their bytes. */
  blocksByCount(): Generator<WordBlock> {
    const counts = this.#counts;
    // Sorting is stable.
    return this.#blocksIn(sortWords({ bytes: this.#bytes, starts: this.#starts }, this.#size).sort((a, b) => counts[b]! - counts[a]!));
  }

  *#blocksIn(order: Uint32Array): Generator<WordBlock> {
    const builder = new WordBlockBuilder();
    const starts = this.#starts;
    for (const word of order) {
      builder.push(this.#bytes, starts[word]!, starts[word + 1]!, this.#counts[word]!);
      if (builder.isFull) yield builder.take();
    }
    if (!builder.isEmpty) yield builder.take();
  }

  /** Counts a word, which may have been written behind the others already. */
  #count(source: Uint8Array, view: DataView, from: number, to: number, count: number): void {
    const hash = hashOf(source, view, from, to);
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = (hash << 1) & mask; ; slot = (slot + slotWidth) & mask) {
      const word = slots[slot + 1]! - 1;
      if (word < 0) {
        this.#insert(slot, this.#write(source, from, to), hash, count);
        return;
      }
      if (slots[slot] === hash && this.#isSame(word, source, view, from, to)) {
        this.#counts[word]! += count;
        return;
      }
    }
  }

  #isSame(word: number, source: Uint8Array, view: DataView, from: number, to: number): boolean {
    let other = this.#starts[word]!;
    if (this.#starts[word + 1]! - other !== to - from) return false;
    let at = from;
    for (; at + 4 <= to; at += 4, other += 4) if (view.getInt32(at, true) !== this.#view.getInt32(other, true)) return false;
    for (; at < to; at++, other++) if (source[at] !== this.#bytes[other]) return false;
    return true;
  }

  /** Writes a word behind the others and returns where it ends. */
  #write(source: Uint8Array, from: number, to: number): number {
    const start = this.#starts[this.#size]!;
    if (source === this.#bytes) return to;
    this.#reserve(start + to - from);
    const bytes = this.#bytes;
    let end = start;
    for (let at = from; at < to; at++) bytes[end++] = source[at]!;
    return end;
  }

  #insert(slot: number, to: number, hash: number, count: number): void {
    const word = this.#size++;
    this.#slots[slot] = hash;
    this.#slots[slot + 1] = word + 1;
    if (word === this.#counts.length) this.#growWords();
    this.#starts[word + 1] = to;
    this.#counts[word] = count;
    if (2 * slotWidth * this.#size > this.#slots.length) this.#growSlots();
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, length));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }

  #growWords(): void {
    const counts = new Float64Array(2 * this.#counts.length);
    counts.set(this.#counts);
    this.#counts = counts;
    const starts = new Uint32Array(counts.length + 1);
    starts.set(this.#starts);
    this.#starts = starts;
  }

  #growSlots(): void {
    const before = this.#slots;
    const slots = new Int32Array(2 * before.length);
    const mask = slots.length - 1;
    for (let at = 0; at < before.length; at += slotWidth) {
      if (before[at + 1] === 0) continue;
      let slot = (before[at]! << 1) & mask;
      while (slots[slot + 1] !== 0) slot = (slot + slotWidth) & mask;
      slots[slot] = before[at]!;
      slots[slot + 1] = before[at + 1]!;
    }
    this.#slots = slots;
  }
}

/** A hash whose low bits, which choose the slot, depend on every byte; four of them at a time. */
function hashOf(bytes: Uint8Array, view: DataView, from: number, to: number): number {
  let hash = to - from;
  let at = from;
  for (; at + 4 <= to; at += 4) hash = mixed(hash ^ view.getInt32(at, true));
  let rest = 0;
  for (; at < to; at++) rest = (rest << 8) | bytes[at]!;
  hash = mixed(hash ^ rest);
  return hash ^ (hash >>> 13);
}

function mixed(hash: number): number {
  const product = Math.imul(hash, 0x9e3779b1);
  return product ^ (product >>> 15);
}

/** Writes the UTF-8 of a character above U+007F and returns its width. */
function writeCharacter(bytes: Uint8Array, at: number, text: string, index: number, end: number): number {
  let code = text.charCodeAt(index);
  if (code < 0x800) {
    bytes[at] = 0xc0 | (code >> 6);
    bytes[at + 1] = 0x80 | (code & 63);
    return 2;
  }
  if (code >= 0xd800 && code <= 0xdfff) {
    const point = index + 1 < end ? (text.codePointAt(index) ?? 0) : 0;
    if (point > 0xffff) {
      bytes[at] = 0xf0 | (point >> 18);
      bytes[at + 1] = 0x80 | ((point >> 12) & 63);
      bytes[at + 2] = 0x80 | ((point >> 6) & 63);
      bytes[at + 3] = 0x80 | (point & 63);
      return 4;
    }
    code = 0xfffd;
  }
  bytes[at] = 0xe0 | (code >> 12);
  bytes[at + 1] = 0x80 | ((code >> 6) & 63);
  bytes[at + 2] = 0x80 | (code & 63);
  return 3;
}
