// Lays counted words out as training wants them.
import { grown, grownFloats } from "./grown.ts";
import type { Words } from "./pair-counts.ts";
import type { WordCounts, WordSizes } from "./words/index.ts";

/** Collects words as symbols, with their counts. */
export class WordsBuilder {
  #symbols: Int32Array;
  #size = 1;
  #counts: Float64Array;
  #words = 0;
  /** What {@link closeOnce} has closed, and where the word behind it begins. */
  readonly #known = new KnownWords();
  #startOfLast = 1;

  /** A builder with room for words of a symbol per byte and one at the end; it grows where that does not do, which takes twice the memory. */
  constructor({ words, bytes }: WordSizes) {
    this.#symbols = new Int32Array(bytes + 2 * words + 2).fill(-1, 0, 1);
    this.#counts = new Float64Array(words + 1);
  }

  /** A builder with room for counted words. */
  static async roomFor(counts: WordCounts): Promise<WordsBuilder> {
    return new WordsBuilder(await sizesOf(counts));
  }

  push(symbol: number): void {
    if (this.#size === this.#symbols.length) this.#symbols = grown(this.#symbols);
    this.#symbols[this.#size++] = symbol;
  }

  /** Ends a word; one without symbols is no word. */
  close(count: number): void {
    if (this.#symbols[this.#size - 1] === -1) return;
    this.push(-1);
    if (this.#words === this.#counts.length) this.#counts = grownFloats(this.#counts);
    this.#counts[this.#words++] = count;
  }

  /** Ends a word. One that was there before counts there, so that each stands where it came first. */
  closeOnce(count: number): void {
    const before = this.#words;
    this.close(count);
    if (this.#words === before) return;
    const known = this.#known.findOrAdd(this.#symbols, this.#startOfLast, this.#size - 1);
    if (known === before) {
      this.#startOfLast = this.#size;
      return;
    }
    this.#counts[known]! += count;
    this.#words = before;
    this.#size = this.#startOfLast;
  }

  build(): Words {
    // The room behind them was never written, so it takes no memory.
    return { symbols: this.#symbols.subarray(0, this.#size), counts: this.#counts.subarray(0, this.#words) };
  }
}

/** How many words were counted, and how many bytes they have together. */
export async function sizesOf(counts: WordCounts): Promise<WordSizes> {
  let [words, bytes] = [0, 0];
  for await (const block of counts.blocks()) {
    words += block.counts.length;
    bytes += block.bytes.length;
  }
  return { words, bytes };
}

/** Numbers different words in the order in which they come first. */
class KnownWords {
  /** Word → where it begins among all symbols, and behind the last one where that ends: a word and its separator lie there. */
  #starts = new Int32Array(1 << 12).fill(1, 0, 1);
  /** Word + 1; 0 is free. */
  #slots = new Int32Array(1 << 13);
  #size = 0;

  /** The number of the word `symbols[from … to)`, behind which one symbol more lies in front of the next. */
  findOrAdd(symbols: Int32Array, from: number, to: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(symbols, from, to) & mask;
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const word = this.#slots[slot]! - 1;
      if (this.#isSame(word, symbols, from, to)) return word;
    }
    const word = this.#size++;
    this.#slots[slot] = word + 1;
    if (word + 1 === this.#starts.length) this.#starts = grown(this.#starts);
    this.#starts[word + 1] = to + 1;
    if (2 * this.#size > this.#slots.length) this.#grow(symbols);
    return word;
  }

  #isSame(word: number, symbols: Int32Array, from: number, to: number): boolean {
    const start = this.#starts[word]!;
    if (this.#starts[word + 1]! - 1 - start !== to - from) return false;
    for (let i = from; i < to; i++) if (symbols[start + i - from] !== symbols[i]) return false;
    return true;
  }

  #grow(symbols: Int32Array): void {
    this.#slots = new Int32Array(2 * this.#slots.length);
    const mask = this.#slots.length - 1;
    for (let word = 0; word < this.#size; word++) {
      let slot = hashOf(symbols, this.#starts[word]!, this.#starts[word + 1]! - 1) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = word + 1;
    }
  }
}

function hashOf(symbols: Int32Array, from: number, to: number): number {
  let hash = to - from;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ symbols[i]! ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}
