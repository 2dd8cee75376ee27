// All n-grams of a text in one sorted list: its words by themselves, those before them, and so on (the suffix order of Heafield et al. 2013, "Scalable
// Modified Kneser-Ney Language Model Estimation"). N-grams that are the same stand side by side for every n, and all that end with one stand behind it.

/** The number of the mark that begins every sentence. */
export const bosId = 1;

/** Bits of a word's number that are sorted at a time. */
const digitBits = 11;

/** The words of a text, sorted by what ends with them. */
export interface SuffixOrder {
  /** Where the words stand, those of `<s>` left out. */
  readonly positions: Uint32Array;
  /** How many words each has in common with the one before it in the list, counted from the last; as many as the order where all are the same. */
  readonly shared: Uint8Array;
  /** Words from the sentence's beginning on, which is one of them, but at most the order. */
  readonly lengths: Uint8Array;
}

/** Sorts the words of sentences. @param words numbers, `bosId` at the beginning of every sentence @param vocabulary above all numbers @param order at most so many words count */
export function suffixOrder(words: Uint32Array, vocabulary: number, order: number): SuffixOrder {
  const positions = sortedPositions(words, vocabulary, order);
  const shared = new Uint8Array(positions.length);
  const lengths = new Uint8Array(positions.length);
  for (let i = 0; i < positions.length; i++) {
    lengths[i] = lengthAt(words, positions[i]!, order);
    if (i > 0) shared[i] = sharedWords(words, positions[i - 1]!, positions[i]!, order);
  }
  return { positions, shared, lengths };
}

/** A radix sort from the least word to the most, the last of the n-gram. What stands before a sentence sorts, too, but makes no n-gram another one. */
function sortedPositions(words: Uint32Array, vocabulary: number, order: number): Uint32Array {
  let positions = new Uint32Array(words.reduce((count, word) => count + (word === bosId ? 0 : 1), 0));
  for (let at = 0, i = 0; at < words.length; at++) if (words[at] !== bosId) positions[i++] = at;
  let sorted = new Uint32Array(positions.length);
  for (let back = order - 1; back >= 0; back--)
    for (let shift = 0; vocabulary >> shift > 0; shift += digitBits) {
      sortByDigit(words, { back, shift }, positions, sorted);
      [positions, sorted] = [sorted, positions];
    }
  return positions;
}

interface Digit {
  /** How many words before the position. */
  readonly back: number;
  readonly shift: number;
}

function sortByDigit(words: Uint32Array, { back, shift }: Digit, from: Uint32Array, to: Uint32Array): void {
  const starts = new Uint32Array((1 << digitBits) + 1);
  const mask = (1 << digitBits) - 1;
  const digitAt = (position: number) => (position < back ? 0 : (words[position - back]! >>> shift) & mask);
  for (let i = 0; i < from.length; i++) starts[digitAt(from[i]!) + 1]!++;
  for (let digit = 1; digit < starts.length; digit++) starts[digit]! += starts[digit - 1]!;
  for (let i = 0; i < from.length; i++) to[starts[digitAt(from[i]!)]!++] = from[i]!;
}

function lengthAt(words: Uint32Array, position: number, order: number): number {
  let length = 1;
  while (length < order && words[position - length + 1] !== bosId) length++;
  return length;
}

function sharedWords(words: Uint32Array, a: number, b: number, order: number): number {
  for (let back = 0; back < order; back++) {
    if (words[a - back] !== words[b - back]) return back;
    if (words[a - back] === bosId) return order;
  }
  return order;
}
