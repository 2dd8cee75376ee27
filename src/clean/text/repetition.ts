// How much of a text repeats itself: its lines and paragraphs, and its n-grams of words.
import { countCharacters } from "./python-text.ts";
import { RepeatTable } from "./repeats.ts";
import { hashBase, Words } from "./words.ts";

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

/** Powers of a number up to the units of most words. */
function powersOf(base: number): Int32Array {
  const powers = new Int32Array(64).fill(1);
  for (let i = 1; i < powers.length; i++) powers[i] = Math.imul(powers[i - 1]!, base);
  return powers;
}

const [basePowers, inversePowers] = [powersOf(hashBase), powersOf(inverseBase)];

/** A number to the power of the units of a word. */
function powerOf(powers: Int32Array, units: number): number {
  let power = 1;
  const last = powers.length - 1;
  for (; units > last; units -= last) power = Math.imul(power, powers[last]!);
  return Math.imul(power, powers[units]!);
}

/**
 * The n-grams of a text's words. The hash of words i to j joined follows from sums over all words before, because a word that begins at unit u of the
 * joined text adds its hash times the base to the power −u. Arrays and tables serve one text after another.
 */
export class WordGrams {
  #text = "";
  #words = new Words();
  /** Sums of the words' hashes, each times its power; one more than there are words. */
  #sums = new Int32Array(0);
  /** The base to the power of the units up to each word's end. */
  #powers = new Int32Array(0);
  /** Characters up to each word's beginning, white space left out. */
  #characters = new Int32Array(0);
  readonly #table = new RepeatTable();
  /** How often n-grams of each of so many remainders of hashes came. */
  #counts = new Int32Array(0);

  /** Takes the next text. */
  read(text: string, words: Words): void {
    [this.#text, this.#words] = [text, words];
    if (!fits(this.#sums, words.count + 1)) {
      const room = 2 * words.count + 1;
      [this.#sums, this.#powers, this.#characters] = [new Int32Array(room), new Int32Array(room), new Int32Array(room)];
    }
    const [sums, powers, characters] = [this.#sums, this.#powers, this.#characters];
    let [sum, power, inverse] = [0, 1, 1];
    powers[0] = 1;
    for (let i = 0; i < words.count; i++) {
      const units = words.ends[i]! - words.starts[i]!;
      power = Math.imul(power, powerOf(basePowers, units));
      inverse = Math.imul(inverse, powerOf(inversePowers, units));
      sum = (sum + Math.imul(words.hashes[i]!, inverse)) | 0;
      [sums[i + 1], powers[i + 1]] = [sum, power];
      characters[i + 1] = characters[i]! + words.lengths[i]!;
    }
  }

  /** Zeros for the counts of n-grams. @returns the mask of as many remainders as there are, a power of two */
  #clearCounts(places: number): number {
    const room = 2 ** Math.ceil(Math.log2(places));
    if (!fits(this.#counts, room)) this.#counts = new Int32Array(room);
    else this.#counts.fill(0, 0, room);
    return room - 1;
  }

  /**
   * What {@link topCharacters} is at most. N-grams of one remainder are counted together, without a look at whether they are the same, which is some
   * times faster and says of nearly every text that no n-gram is frequent enough.
   */
  topBound(n: number): number {
    const grams = this.#words.count - n + 1;
    const mask = this.#clearCounts(Math.max(1, 2 * grams));
    const counts = this.#counts;
    let bound = 0;
    for (let i = 0; i < grams; i++) {
      const place = mixed(this.#hash(i, n)) & mask;
      const count = counts[place]! + 1;
      counts[place] = count;
      bound = Math.max(bound, count * (this.#length(i, n) + n - 1));
    }
    return bound;
  }

  /** What {@link repeatedCharacters} is at most: the characters of all words in n-grams of whose remainder another one came before. */
  repeatedBound(n: number): number {
    const grams = this.#words.count - n + 1;
    const mask = this.#clearCounts(Math.max(1, 4 * grams)); // 32 bits each: 128 remainders per n-gram
    const seen = this.#counts;
    let [bound, end] = [0, 0];
    for (let i = 0; i < grams; i++) {
      const hash = mixed(this.#hash(i, n));
      const place = (hash >>> 5) & mask;
      const before = seen[place]!;
      seen[place] = before | (1 << hash);
      if (((before >>> hash) & 1) === 0) continue;
      const first = Math.max(i, end);
      end = i + n;
      bound += this.#length(first, end - first);
    }
    return bound;
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

/** Whether an array has room for so many numbers, and not, from a long text before, for far more. */
function fits(array: Int32Array, numbers: number): boolean {
  return array.length >= numbers && array.length <= 64 * Math.max(numbers, 1 << 12);
}

function mixed(hash: number): number {
  const half = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return half ^ (half >>> 13);
}
