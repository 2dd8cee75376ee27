// Sums of rows by words, kept as processors keep lines of memory: each word has one set of four places, by its hash, and a new one takes the place of one in
// its set that did not come again since the last new word passed it (the clock algorithm).

/** Places of each set. */
export const ways = 4;
/** A place is four numbers, so that a set is one line of a processor's cache: the word's two hashes, the rows in its sum, and the place's state. */
const [width, otherAt, rowsAt, stateAt] = [4, 1, 2, 3];
const [free, kept, cameAgain] = [0, 1, 2];

/** Places for words and their sums. A word is told by its two hashes, which are those of another of 2^18 words by chance once in 2^46 times. */
export class WordCache {
  /** [places, columns] */
  readonly sums: Float32Array;
  readonly #columns: number;
  /** [places, 4] */
  readonly #words: Int32Array;
  /** The way of each set that is looked at first for a new word. */
  readonly #hands: Uint8Array;
  readonly #places: number;
  /** The highest bits of a word's second hash say which set it has. */
  readonly #shift: number;
  #kept = 0;

  /** @param places a power of two, at least two sets */
  constructor(places: number, columns: number) {
    [this.#places, this.#columns] = [places, columns];
    this.sums = new Float32Array(places * columns);
    this.#words = new Int32Array(places * width);
    this.#hands = new Uint8Array(places / ways);
    this.#shift = 32 - Math.log2(places / ways);
  }

  get places(): number {
    return this.#places;
  }

  /** Places that have a word. */
  get kept(): number {
    return this.#kept;
  }

  /** Where a word is; -1 where it is not kept. */
  find(hash: number, other: number): number {
    const words = this.#words;
    const first = this.#setOf(other) * ways;
    for (let place = first; place < first + ways; place++) {
      const at = place * width;
      if (words[at] !== hash || words[at + otherAt] !== other || words[at + stateAt] === free) continue;
      words[at + stateAt] = cameAgain;
      return place;
    }
    return -1;
  }

  /** Takes a place for a word that is not kept; its sum is to be written. @param rows in the sum */
  take(hash: number, other: number, rows: number): number {
    const words = this.#words;
    const first = this.#setOf(other) * ways;
    let way = this.#hands[first / ways]!;
    for (; words[(first + way) * width + stateAt] === cameAgain; way = (way + 1) % ways) words[(first + way) * width + stateAt] = kept;
    this.#hands[first / ways] = (way + 1) % ways;
    const at = (first + way) * width;
    if (words[at + stateAt] === free) this.#kept++;
    words[at] = hash;
    words[at + otherAt] = other;
    words[at + rowsAt] = rows;
    words[at + stateAt] = kept;
    return first + way;
  }

  /** Rows in the sum at a place. */
  rowsAt(place: number): number {
    return this.#words[place * width + rowsAt]!;
  }

  /** The same words with twice as many places. Those of a set go to two, so that none takes another's place. */
  doubled(): WordCache {
    const more = new WordCache(2 * this.#places, this.#columns);
    for (let place = 0; place < this.#places; place++) if (this.#words[place * width + stateAt] !== free) more.takeFrom(this, place);
    return more;
  }

  /** Takes a place for a word of another cache, with its sum. */
  takeFrom(from: WordCache, place: number): number {
    const words = from.#words;
    const at = place * width;
    const taken = this.take(words[at]!, words[at + otherAt]!, words[at + rowsAt]!);
    const columns = this.#columns;
    for (let i = 0; i < columns; i++) this.sums[taken * columns + i] = from.sums[place * columns + i]!;
    return taken;
  }

  #setOf(other: number): number {
    return other >>> this.#shift;
  }
}
