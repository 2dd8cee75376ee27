// Sorting words by their bytes: multikey quicksort (Bentley & Sedgewick 1997), which looks at every byte of a common beginning once per word.

/** Words as bytes one behind another: word i has those from `starts[i]` to `starts[i + 1]`. */
export interface WordBytes {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
}

/** The words' numbers, 0 to `size` - 1, in the order of their bytes; no two words are the same. */
export function sortWords(words: WordBytes, size: number): Uint32Array {
  const order = new Uint32Array(size);
  for (let word = 0; word < size; word++) order[word] = word;
  sortRange(words, order, 0, size, 0);
  return order;
}

/** Sorts words whose first `depth` bytes are the same. The largest of the three parts is the loop's, so that the stack stays at log2 of the size. */
function sortRange(words: WordBytes, order: Uint32Array, from: number, to: number, depth: number): void {
  while (to - from > 1) {
    const pivot = middleKey(words, order, from, to, depth);
    let [less, at, greater] = [from, from, to];
    while (at < greater) {
      const word = order[at]!;
      const key = keyAt(words, word, depth);
      if (key === pivot) at++;
      else if (key < pivot) {
        order[at++] = order[less]!;
        order[less++] = word;
      } else {
        order[at] = order[--greater]!;
        order[greater] = word;
      }
    }
    const [lessSize, sameSize, greaterSize] = [less - from, pivot < 0 ? 0 : greater - less, to - greater];
    if (sameSize >= lessSize && sameSize >= greaterSize) {
      sortRange(words, order, from, less, depth);
      sortRange(words, order, greater, to, depth);
      [from, to, depth] = [less, greater, depth + 1];
    } else {
      sortRange(words, order, less, less + sameSize, depth + 1);
      if (lessSize > greaterSize) {
        sortRange(words, order, greater, to, depth);
        to = less;
      } else {
        sortRange(words, order, from, less, depth);
        from = greater;
      }
    }
  }
}

/** The word's byte at `depth`, -1 behind its end. */
function keyAt({ bytes, starts }: WordBytes, word: number, depth: number): number {
  const at = starts[word]! + depth;
  return at < starts[word + 1]! ? bytes[at]! : -1;
}

function middleKey(words: WordBytes, order: Uint32Array, from: number, to: number, depth: number): number {
  const first = keyAt(words, order[from]!, depth);
  const middle = keyAt(words, order[(from + to) >>> 1]!, depth);
  const last = keyAt(words, order[to - 1]!, depth);
  return Math.max(Math.min(first, middle), Math.min(Math.max(first, middle), last));
}
