// A row of tokens in memory.
import { check } from "../base/index.ts";
import type { Tokens } from "./token-store.ts";

/** Arrays of numbers that a range is copied from. */
type TokenArray = Int32Array | Uint32Array | Uint16Array;

const where = "data";

/**
 * Tokens that are in memory already; they are not copied.
 * @param starts where documents begin, as indices of their first tokens in rising order; omit them where documents are not known
 */
export function memoryTokens(values: TokenArray, starts?: readonly number[]): Tokens {
  const { length } = values;
  const checkRange = (first: number, count: number) => {
    const inside = first >= 0 && count >= 0 && first + count <= length;
    check(inside, where, () => `tokens ${first} to ${first + count} asked for, but there are ${length}`);
  };
  const read = async (first: number, count: number) => {
    checkRange(first, count);
    return Int32Array.from(values.subarray(first, first + count));
  };
  if (starts === undefined) return { length, read };
  checkStarts(starts, length);
  const startsWithin = async (first: number, count: number) => {
    checkRange(first, count);
    return starts.slice(firstNotBelow(starts, first), firstNotBelow(starts, first + count));
  };
  return { length, read, startsWithin };
}

/** Tokens of documents one after another, and where each begins. */
export function joinDocuments(documents: Iterable<ArrayLike<number>>): Tokens {
  const parts = [...documents];
  const values = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  const starts: number[] = [];
  let at = 0;
  for (const part of parts) {
    starts.push(at);
    values.set(part, at);
    at += part.length;
  }
  return memoryTokens(values, starts);
}

function checkStarts(starts: readonly number[], length: number): void {
  const wrong = starts.findIndex((start, i) => !Number.isSafeInteger(start) || start < (starts[i - 1] ?? 0) || start > length);
  check(
    wrong < 0,
    where,
    () =>
      `starts[${wrong}] is ${starts[wrong]} but must be an index from ${starts[wrong - 1] ?? 0} to ${length}: give them in rising order`,
  );
}

/** The index of the first start at or behind a token, by bisection. */
function firstNotBelow(starts: readonly number[], token: number): number {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]! < token) low = middle + 1;
    else high = middle;
  }
  return low;
}
