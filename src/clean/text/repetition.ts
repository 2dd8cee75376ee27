// How much of a text repeats itself: its lines and paragraphs, and its n-grams of words.
import { countCharacters } from "./python-text.ts";
import { RepeatTable } from "./repeats.ts";
import { hashBase, type Words } from "./words.ts";

/** Parts that stood before, and their characters. */
export interface Repeated {
  readonly parts: number;
  readonly characters: number;
}

/** The parts that equal an earlier one. */
export function repeatedParts(parts: readonly string[]): Repeated {
  const seen = new Set<string>();
  let [count, characters] = [0, 0];
  for (const part of parts) {
    if (!seen.has(part)) seen.add(part);
    else {
      count++;
      characters += countCharacters(part);
    }
  }
  return { parts: count, characters };
}

const inverseBase = inverseOf(hashBase);

/** The number whose product with an odd one is 1 modulo 2^32, by Newton's steps. */
function inverseOf(odd: number): number {
  let inverse = odd;
  for (let i = 0; i < 5; i++) inverse = Math.imul(inverse, 2 - Math.imul(odd, inverse));
  return inverse;
}

/**
 * The n-grams of a text's words. The hash of words i to j joined follows from sums over all words before, because a word that begins at unit u of the
 * joined text adds its hash times the base to the power −u.
 */
export class WordGrams {
  readonly #text: string;
  readonly #words: Words;
  /** Sums of the words' hashes, each times its power; one more than there are words. */
  readonly #sums: Int32Array;
  /** The base to the power of the units up to each word's end. */
  readonly #powers: Int32Array;
  /** Characters up to each word's beginning, white space left out. */
  readonly #characters: Int32Array;
  readonly #table: RepeatTable;

  /** @param table is used for one text after another */
  constructor(text: string, words: Words, table = new RepeatTable()) {
    this.#text = text;
    this.#words = words;
    this.#table = table;
    this.#sums = new Int32Array(words.count + 1);
    this.#powers = new Int32Array(words.count + 1);
    this.#characters = new Int32Array(words.count + 1);
    let [power, inverse] = [1, 1];
    this.#powers[0] = 1;
    for (let i = 0; i < words.count; i++) {
      for (let units = words.ends[i]! - words.starts[i]!; units > 0; units--) {
        power = Math.imul(power, hashBase);
        inverse = Math.imul(inverse, inverseBase);
      }
      this.#sums[i + 1] = (this.#sums[i]! + Math.imul(words.hashes[i]!, inverse)) | 0;
      this.#powers[i + 1] = power;
      this.#characters[i + 1] = this.#characters[i]! + words.lengths[i]!;
    }
  }

  /** The hash of n words joined. */
  #hash(first: number, n: number): number {
    return Math.imul(this.#sums[first + n]! - this.#sums[first]!, this.#powers[first + n]!);
  }

  /** Characters of n words joined. */
  #length(first: number, n: number): number {
    return this.#characters[first + n]! - this.#characters[first]!;
  }

  /** Characters of the most frequent n-gram, of equally frequent ones the first, times its count; 0 where the text has none. */
  topCharacters(n: number): number {
    const grams = this.#words.count - n + 1;
    if (grams < 1) return 0;
    const counts = new Int32Array(grams);
    const equals = (a: number, b: number) => this.#sameWords(a, b, n);
    this.#table.clear(grams);
    let most = 0;
    for (let i = 0; i < grams; i++) most = Math.max(most, ++counts[this.#table.firstOf(i, this.#hash(i, n), equals)]!);
    return most * (this.#length(counts.indexOf(most), n) + n - 1);
  }

  /** Characters of the n-grams that stood before; what repeats is passed over as a whole, and white space does not count. */
  repeatedCharacters(n: number): number {
    const grams = this.#words.count - n + 1;
    if (grams < 1) return 0;
    const equals = (a: number, b: number) => this.#sameJoined(a, b, n);
    this.#table.clear(grams);
    let repeated = 0;
    for (let i = 0; i < grams; ) {
      const isRepeated = this.#table.firstOf(i, this.#hash(i, n), equals) !== i;
      if (isRepeated) repeated += this.#length(i, n);
      i += isRepeated ? n : 1;
    }
    return repeated;
  }

  #sameWords(a: number, b: number, n: number): boolean {
    const { starts, ends } = this.#words;
    for (let k = 0; k < n; k++) {
      const units = ends[a + k]! - starts[a + k]!;
      if (ends[b + k]! - starts[b + k]! !== units || !this.#sameUnits(starts[a + k]!, starts[b + k]!, units)) return false;
    }
    return true;
  }

  /** Whether n words from two places are equal when they are joined, wherever words end. */
  #sameJoined(a: number, b: number, n: number): boolean {
    const { starts, ends } = this.#words;
    if (this.#length(a, n) !== this.#length(b, n)) return false;
    let [i, j, at, other] = [a, b, starts[a]!, starts[b]!];
    for (;;) {
      const units = Math.min(ends[i]! - at, ends[j]! - other);
      if (!this.#sameUnits(at, other, units)) return false;
      at += units;
      other += units;
      if (at === ends[i]!) {
        if (++i === a + n) return j === b + n - 1 && other === ends[j]!;
        at = starts[i]!;
      }
      if (other === ends[j]!) {
        if (++j === b + n) return false;
        other = starts[j]!;
      }
    }
  }

  #sameUnits(a: number, b: number, units: number): boolean {
    for (let k = 0; k < units; k++) if (this.#text.charCodeAt(a + k) !== this.#text.charCodeAt(b + k)) return false;
    return true;
  }
}
