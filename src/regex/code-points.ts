// Sets of code points as sorted ranges: what a character class of a pattern means.

/** The largest code point of Unicode. */
export const lastCodePoint = 0x10ffff;

/** Ranges `[first, last]` in ascending order that neither overlap nor touch. */
export type CodePoints = readonly (readonly [first: number, last: number])[];

/** The set of all code points. */
export const everything: CodePoints = [[0, lastCodePoint]];

/** The set of ranges in any order. */
export function codePoints(ranges: Iterable<readonly [number, number]>): CodePoints {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0]);
  const joined: [number, number][] = [];
  for (const [first, last] of sorted) {
    const before = joined.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else joined.push([first, last]);
  }
  return joined;
}

/** The code points that are in any of the sets. */
export function union(...sets: readonly CodePoints[]): CodePoints {
  return sets.length === 1 ? (sets[0] ?? []) : codePoints(sets.flat());
}

const complements = new WeakMap<CodePoints, CodePoints>();

/** All other code points; of one set always the same object. */
export function complement(set: CodePoints): CodePoints {
  const known = complements.get(set) ?? othersOf(set);
  complements.set(set, known);
  return known;
}

function othersOf(set: CodePoints): CodePoints {
  const rest: [number, number][] = [];
  let next = 0;
  for (const [first, last] of set) {
    if (first > next) rest.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= lastCodePoint) rest.push([next, lastCodePoint]);
  return rest;
}

/** The code points that are in both sets. */
export function intersection(a: CodePoints, b: CodePoints): CodePoints {
  return complement(union(complement(a), complement(b)));
}

/** Whether a code point is in the set; takes logarithmic time. */
export function contains(set: CodePoints, codePoint: number): boolean {
  let low = 0;
  let high = set.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const range = set[middle];
    if (range === undefined || range[0] > codePoint) high = middle;
    else if (range[1] < codePoint) low = middle + 1;
    else return true;
  }
  return false;
}
