// Sums of rows by words, kept as processors keep lines of memory: each word has one set of four ways, by its hash, and a new one takes the way of one in its
// set that did not come again since the last new word passed it (the clock algorithm). Places are given in the order in which words come, so that the
// frequent ones, which come first, lie together, and fit into the near caches of a processor.

/** Ways of each set. */
const ways = 4;
/** A place has four numbers: the word's two hashes, the rows in its sum, and whether the word came again. */
const [width, otherAt, rowsAt, cameAgainAt] = [4, 1, 2, 3];
/** A way is 0 where it is free, or has a place, counted from 1, in its lower bits, and the upper ones of the word's hash. */
const placeBits = 19;
const placeMask = 2 ** placeBits - 1;
/** The most words that a cache can keep. */
export const mostPlaces = 2 ** (placeBits - 1);

/** Places for words and their sums. A word is told by its two hashes, which are those of another of 2^18 words by chance once in 2^46 times. */
export class WordCache {
  readonly #columns: number;
  /** [sets, 4] */
  readonly #ways: Int32Array;
  /** The way of each set that is looked at first for a new word. */
  readonly #hands: Uint8Array;
  /** The highest bits of a word's second hash say which set it has. */
  readonly #shift: number;
  /** [places + 1, columns] */
  #sums: Float32Array;
  /** [places + 1, 4] */
  #words: Int32Array;
  #count = 0;

  /** @param most words that are kept: a power of two, from 8 to {@link mostPlaces} */
  constructor(most: number, columns: number) {
    this.#columns = columns;
    this.#ways = new Int32Array(most);
    this.#hands = new Uint8Array(most / ways);
    this.#shift = 32 - Math.log2(most / ways);
    this.#sums = new Float32Array(256 * columns);
    this.#words = new Int32Array(256 * width);
  }

  /** Sums by places, [places + 1, columns]; another array where words were taken since. */
  get sums(): Float32Array {
    return this.#sums;
  }

  /** Where a word is; 0 where it is not kept. */
  find(hash: number, other: number): number {
    const words = this.#words;
    const first = (other >>> this.#shift) * ways;
    for (let way = first; way < first + ways; way++) {
      const entry = this.#ways[way]!;
      if ((entry ^ hash) >>> placeBits !== 0) continue;
      const place = entry & placeMask;
      const at = place * width;
      if (place === 0 || words[at] !== hash || words[at + otherAt] !== other) continue;
      words[at + cameAgainAt] = 1;
      return place;
    }
    return 0;
  }

  /** Whether taking a place for a word takes that of another one. */
  isFullFor(other: number): boolean {
    const first = (other >>> this.#shift) * ways;
    for (let way = first; way < first + ways; way++) if (this.#ways[way] === 0) return false;
    return true;
  }

  /** Takes a place for a word that is not kept; its sum is to be written. @param rows in the sum */
  take(hash: number, other: number, rows: number): number {
    const way = this.#freeWay(other >>> this.#shift);
    const place = this.#ways[way]! & placeMask || this.#newPlace();
    const at = place * width;
    this.#ways[way] = (hash & ~placeMask) | place;
    this.#words[at] = hash;
    this.#words[at + otherAt] = other;
    this.#words[at + rowsAt] = rows;
    this.#words[at + cameAgainAt] = 0;
    return place;
  }

  /** Rows in the sum at a place. */
  rowsAt(place: number): number {
    return this.#words[place * width + rowsAt]!;
  }

  #freeWay(set: number): number {
    let way = this.#hands[set]!;
    for (; ; way = (way + 1) % ways) {
      const at = (this.#ways[set * ways + way]! & placeMask) * width + cameAgainAt;
      if (this.#words[at] === 0) break; // place 0 has 0 too, so that free ways are taken
      this.#words[at] = 0;
    }
    this.#hands[set] = (way + 1) % ways;
    return set * ways + way;
  }

  #newPlace(): number {
    const place = ++this.#count;
    if (place * width === this.#words.length) {
      const [sums, words] = [new Float32Array(2 * place * this.#columns), new Int32Array(2 * place * width)];
      sums.set(this.#sums);
      words.set(this.#words);
      [this.#sums, this.#words] = [sums, words];
    }
    return place;
  }
}
