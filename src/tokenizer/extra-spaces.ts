// SentencePiece's rule that one space stays of several in a row and none at the ends of a text (normaliser.ts), on UTF-8: the text is not rewritten,
// but taken in parts that leave out what goes.

const space = 0x20;

/** Calls back with the parts that stay. Every part but the first begins with a space, and what stands in front of it is no space and no ▁. */
export function eachWithoutExtraSpaces(
  bytes: Uint8Array,
  from: number,
  to: number,
  each: (bytes: Uint8Array, from: number, to: number, isFirst: boolean) => void,
): void {
  let start = from;
  while (start < to && bytes[start] === space) start++;
  const end = withoutLastSpaces(bytes, start, to);
  let isFirst = true;
  for (let at = start; at < end; ) {
    const run = doubleSpace(bytes, at, end);
    if (run === end) {
      each(bytes, start, end, isFirst);
      return;
    }
    if (isSpaceMark(bytes, run - 3)) {
      const rest = bytes.slice(start, end).filter((byte, i) => byte !== space || bytes[start + i - 1] !== space || i === 0);
      each(rest, 0, rest.length, isFirst);
      return;
    }
    let last = run;
    while (bytes[last + 1] === space) last++;
    each(bytes, start, run, isFirst);
    isFirst = false;
    start = last;
    at = last;
  }
}

/** The first of two spaces in a row at `from` or behind; `to` where there are none. */
function doubleSpace(bytes: Uint8Array, from: number, to: number): number {
  for (let i = from + 1; i < to; i += 2) {
    if (bytes[i] !== space) continue;
    if (bytes[i - 1] === space) return i - 1;
    if (i + 1 < to && bytes[i + 1] === space) return i;
  }
  return to;
}

/** Spaces and ▁ go. */
function withoutLastSpaces(bytes: Uint8Array, from: number, to: number): number {
  let end = to;
  for (;;) {
    if (end > from && bytes[end - 1] === space) end--;
    else if (end - 3 >= from && isSpaceMark(bytes, end - 3)) end -= 3;
    else return end;
  }
}

/** Whether U+2581 begins at `at`. */
export function isSpaceMark(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0xe2 && bytes[at + 1] === 0x96 && bytes[at + 2] === 0x81;
}
