// The words of a corpus with their counts, in the form in which training takes them and files keep them: blocks of bytes in a fixed order.

/** Some words, one after another. */
export interface WordBlock {
  /** The UTF-8 of all words of the block. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where each word ends in `bytes`; it begins where the word before it ends, the first at 0. */
  readonly ends: Uint32Array<ArrayBuffer>;
  /** How often each word stands in the corpus: a whole number, exact up to 2^53. */
  readonly counts: Float64Array<ArrayBuffer>;
}

/**
 * Every word of a corpus once, in ascending order of the bytes, so that neither the order of the documents nor who counted which of them matters.
 * `blocks` may be gone through any number of times; a block is valid until the next one is asked for.
 */
export interface WordCounts {
  blocks(): Iterable<WordBlock> | AsyncIterable<WordBlock>;
}

/** Calls back with where each word of a block lies and how often it stands in the corpus. */
export function eachWordOf({ ends, counts }: WordBlock, each: (start: number, end: number, count: number) => void): void {
  let start = 0;
  for (let word = 0; word < counts.length; word++) {
    const end = ends[word]!;
    each(start, end, counts[word]!);
    start = end;
  }
}

/** The same with the words' characters as code points. */
export function eachSpeltWord(block: WordBlock, each: (codePoints: Uint32Array, count: number) => void): void {
  let points = new Uint32Array(64);
  eachWordOf(block, (start, end, count) => {
    if (end - start > points.length) points = new Uint32Array(2 * (end - start));
    each(points.subarray(0, codePoints(block.bytes, start, end, points)), count);
  });
}

/** Writes the characters of valid UTF-8 and returns how many there are. */
function codePoints(bytes: Uint8Array, start: number, end: number, points: Uint32Array): number {
  let size = 0;
  for (let at = start; at < end; ) {
    const first = bytes[at++]!;
    const more = first < 0xc0 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    let point = more === 0 ? first : first & (0x3f >> more);
    for (const stop = at + more; at < stop; at++) point = (point << 6) | (bytes[at]! & 0x3f);
    points[size++] = point;
  }
  return size;
}

/** The bytes from `start` to `end`, not included. */
export interface ByteRange {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** -1, 0 or 1, as the bytes of `a` come before those of `b`, are the same, or come behind; a word comes before those it begins. */
export function compareBytes(a: ByteRange, b: ByteRange): number {
  const [left, right] = [a.bytes, b.bytes];
  const [fromLeft, fromRight] = [a.start, b.start];
  const [sizeLeft, sizeRight] = [a.end - fromLeft, b.end - fromRight];
  const length = Math.min(sizeLeft, sizeRight);
  for (let i = 0; i < length; i++) {
    const difference = left[fromLeft + i]! - right[fromRight + i]!;
    if (difference !== 0) return difference < 0 ? -1 : 1;
  }
  return Math.sign(sizeLeft - sizeRight);
}
