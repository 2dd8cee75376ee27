// Pairs of documents whose keys differ in few bits. Every key is held against the earlier ones of its block; where a document of the same key stands among
// them, that pair alone is given, as the other's neighbours are its own.
import type { NearKeys } from "../clean/index.ts";
import type { NumberedKeys } from "./clusters.ts";
import type { PairWriter } from "./pairs.ts";

/** Bytes of memory that a key of a block takes. */
const keyBytes = 64;

/** Gives the pairs of each document with earlier ones whose keys are near. @param bytes of memory that the blocks which are compared together may take; one block is compared at least */
export async function findNearPairs(
  parts: readonly NumberedKeys[],
  { sameBits, distance }: NearKeys,
  pairs: Pick<PairWriter, "add" | "settle">,
  bytes: number,
): Promise<void> {
  const slices = Math.max(1, Math.ceil((keyBytes * parts.reduce((sum, { keys }) => sum + keys.count, 0)) / bytes));
  for (let slice = 0; slice < slices; slice++) {
    /** Different keys of each block: lower half, upper half and the first document, in turns. */
    const blocks = new Map<number, number[]>();
    for (const { keys, first } of parts)
      for await (const some of keys.read()) {
        for (let i = 0; i < some.length; i += 3) {
          const [low, high, document] = [some[i]!, some[i + 1]!, first + some[i + 2]!];
          const block = high >>> (32 - sameBits);
          if (block % slices !== slice) continue;
          const known = blocks.get(block);
          if (known === undefined) blocks.set(block, [low, high, document]);
          else if (!addPairs(known, { low, high, document, distance }, pairs)) known.push(low, high, document);
        }
        await pairs.settle();
      }
  }
}

interface Compared {
  readonly low: number;
  readonly high: number;
  readonly document: number;
  readonly distance: number;
}

/** @returns whether a document of the same key was there */
function addPairs(known: readonly number[], { low, high, document, distance }: Compared, pairs: Pick<PairWriter, "add">): boolean {
  const near: number[] = [];
  for (let i = 0; i < known.length; i += 3) {
    const bits = bitsOf(known[i]! ^ low) + bitsOf(known[i + 1]! ^ high);
    if (bits === 0) {
      pairs.add(known[i + 2]!, document);
      return true;
    }
    if (bits <= distance) near.push(known[i + 2]!);
  }
  for (const earlier of near) pairs.add(earlier, document);
  return false;
}

/** How many bits of a number of 32 bits are 1 (Warren, Hacker's Delight, section 5-1). */
function bitsOf(number: number): number {
  const pairs = number - ((number >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
