// Pairs of documents whose keys differ in few bits. Every key is held against the earlier ones of its block; where a document of the same key stands among
// them, that pair alone is given, as the other's neighbours are its own.
import type { NearKeys } from "../clean/index.ts";
import type { PartKeys } from "./clusters.ts";

/** The pairs of each document with earlier ones whose keys are near. @returns both numbers of each pair, in turns */
export function nearPairsOf(parts: readonly PartKeys[], { sameBits, distance }: NearKeys): Uint32Array {
  /** Different keys of each block: lower half, upper half and the first document, in turns. */
  const blocks = new Map<number, number[]>();
  const pairs: number[] = [];
  for (const { keys, first } of parts)
    for (let i = 0; i < keys.length; i += 3) {
      const [low, high, document] = [keys[i]!, keys[i + 1]!, first + keys[i + 2]!];
      const block = high >>> (32 - sameBits);
      const known = blocks.get(block);
      if (known === undefined) blocks.set(block, [low, high, document]);
      else if (!addPairs(known, { low, high, document, distance }, pairs)) known.push(low, high, document);
    }
  return Uint32Array.from(pairs);
}

interface Compared {
  readonly low: number;
  readonly high: number;
  readonly document: number;
  readonly distance: number;
}

/** @returns whether a document of the same key was there */
function addPairs(known: readonly number[], { low, high, document, distance }: Compared, pairs: number[]): boolean {
  const before = pairs.length;
  for (let i = 0; i < known.length; i += 3) {
    const bits = bitsOf(known[i]! ^ low) + bitsOf(known[i + 1]! ^ high);
    if (bits === 0) {
      pairs.length = before;
      pairs.push(known[i + 2]!, document);
      return true;
    }
    if (bits <= distance) pairs.push(known[i + 2]!, document);
  }
  return false;
}

/** How many bits of a number of 32 bits are 1 (Warren, Hacker's Delight, section 5-1). */
function bitsOf(number: number): number {
  const pairs = number - ((number >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
