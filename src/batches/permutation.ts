// A shuffled order of any length without a list of it: a Feistel network as a block cipher on numbers, walked until it lands inside
// (Black & Rogaway 2002, "Ciphers with arbitrary finite domains", section 5).
import type { Rng } from "../base/index.ts";

const rounds = 6;

/**
 * A pseudo-random permutation of 0 … size - 1; less than four steps of the cipher on average, no memory.
 * @param size from 1 to 2^48
 * @param rng draws the keys
 */
export function permutation(size: number, rng: Rng): (index: number) => number {
  const keys = Array.from({ length: rounds }, () => rng.uint32());
  let half = 2 ** 1; // numbers a half can hold: half² ≥ size
  while (half * half < size) half *= 2;
  return (index) => {
    let image = index;
    do image = encipher(image, half, keys);
    while (image >= size);
    return image;
  };
}

function encipher(value: number, half: number, keys: readonly number[]): number {
  let left = Math.floor(value / half);
  let right = value % half;
  for (const key of keys) [left, right] = [right, (left ^ mix(right ^ key)) & (half - 1)];
  return left * half + right;
}

/** murmur3's finaliser (Appleby 2011). */
function mix(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
