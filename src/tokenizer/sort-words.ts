// Sorting words by their bytes: multikey quicksort (Bentley & Sedgewick 1997), which looks at every byte of a common beginning once per word.

/** The words' numbers in the order of their bytes; word i has the bytes from `starts[i]` to `starts[i + 1]`, and no two are the same. */
export function sortWords(bytes: Uint8Array, starts: Uint32Array, size: number): Uint32Array {
  const order = new Uint32Array(size);
  for (let word = 0; word < size; word++) order[word] = word;
  sortRange(order, 0, size, 0, bytes, starts);
  return order;
}

/** Sorts words whose first `depth` bytes are the same. The largest of the three parts is the loop's, so that the stack stays at log2 of the size. */
function sortRange(order: Uint32Array, from: number, to: number, depth: number, bytes: Uint8Array, starts: Uint32Array): void {
  while (to - from > 1) {
    const pivot = middleKey(order, from, to, depth, bytes, starts);
    let [less, at, greater] = [from, from, to];
    while (at < greater) {
      const word = order[at]!;
      const key = keyAt(word, depth, bytes, starts);
      if (key === pivot) at++;
      else if (key < pivot) {
        order[at++] = order[less]!;
        order[less++] = word;
      } else {
        order[at] = order[--greater]!;
        order[greater] = word;
      }
    }
    const parts = [
      { from, to: less, depth },
      { from: less, to: pivot < 0 ? less : greater, depth: depth + 1 },
      { from: greater, to, depth },
    ].sort((a, b) => a.to - a.from - (b.to - b.from));
    const [small, middle, large] = parts as [(typeof parts)[0], (typeof parts)[0], (typeof parts)[0]];
    sortRange(order, small.from, small.to, small.depth, bytes, starts);
    sortRange(order, middle.from, middle.to, middle.depth, bytes, starts);
    [from, to, depth] = [large.from, large.to, large.depth];
  }
}

/** The word's byte at `depth`, -1 behind its end. */
function keyAt(word: number, depth: number, bytes: Uint8Array, starts: Uint32Array): number {
  const at = starts[word]! + depth;
  return at < starts[word + 1]! ? bytes[at]! : -1;
}

function middleKey(order: Uint32Array, from: number, to: number, depth: number, bytes: Uint8Array, starts: Uint32Array): number {
  const first = keyAt(order[from]!, depth, bytes, starts);
  const middle = keyAt(order[(from + to) >>> 1]!, depth, bytes, starts);
  const last = keyAt(order[to - 1]!, depth, bytes, starts);
  return Math.max(Math.min(first, middle), Math.min(Math.max(first, middle), last));
}
