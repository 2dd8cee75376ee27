// What takes the bits of quantised weights apart, four bytes per lane at a time, and puts bits where that takes few operations.
import { iq4Values } from "../../base/index.ts";
import type { Builder, Vec } from "../language.ts";

/** What is added to the values of iq4_nl and iq4_xs where bytes are unsigned. */
export const iq4Zero = 128;

/** These values as bytes that `zero` was added to. */
export function iq4Table(zero: number): number[] {
  return iq4Values.map((value) => (value + zero) & 255);
}

/** Times four bits: bit i at the place of byte i's lowest, with others around it. */
export const bitsOfBytes = 0x00204081;
/** Times the lowest bits of four bytes: these together in the upper byte, that of byte i at place i, with others above them. */
const bytesOfBits = 0x01020408;

/** The lower or the upper four bits of each byte. */
export function nibbles(k: Builder, word: Vec, upper: number): Vec {
  return (upper > 0 ? word.shiftRight(4) : word).and(k.intConstant(0x0f0f0f0f));
}

/** Bits 2i and 2i + 1 of each byte. */
export function pairOfBits(k: Builder, word: Vec, i: number): Vec {
  return movedBits(word, 2 * i, 0).and(k.intConstant(0x03030303));
}

/** Bit i of each byte, at another place of it. */
export function bitOfBytes(k: Builder, word: Vec, i: number, place: number): Vec {
  return movedBits(word, i, place).and(k.intConstant(0x01010101 << place));
}

function movedBits(word: Vec, from: number, to: number): Vec {
  if (from === to) return word;
  return from < to ? word.shiftLeft(to - from) : word.shiftRight(from - to);
}

/** Byte i of every word, unsigned. */
export function byteOf(k: Builder, word: Vec, i: number): Vec {
  const moved = i === 0 ? word : word.shiftRight(8 * i);
  return i === 3 ? moved : moved.and(k.intConstant(0xff));
}

/** Byte i of every word, signed. */
export function signedByteOf(word: Vec, i: number): Vec {
  return (i === 3 ? word : word.shiftLeft(24 - 8 * i)).shiftRightSigned(24);
}

/** Words whose bits lie otherwise in a panel than in the file, so that those of four weights are in four bytes. */
export interface Turn {
  /** Bytes to the first word in a superblock of the file. */
  readonly at: number;
  readonly count: number;
  /** The words for the panel, made of those of the file. */
  there(k: Builder, words: readonly Vec[]): Vec[];
  /** The inverse. */
  back(k: Builder, words: readonly Vec[]): Vec[];
}

const eight = [0, 1, 2, 3, 4, 5, 6, 7] as const;

/** A word has a bit of each of 32 weights: bit i of byte j is that of weight 4i + j in the panel, and bit 4i + j of the word in the file. */
export function bitsOfWeights(at: number): Turn {
  return {
    ...{ at, count: 1 },
    there: (k, [word]) => [
      eight
        .map((i) => {
          const four = movedBits(word!, 4 * i, 0).and(k.intConstant(15));
          return movedBits(four.intMul(k.intConstant(bitsOfBytes)).and(k.intConstant(0x01010101)), 0, i);
        })
        .reduce((a, b) => a.or(b)),
    ],
    back: (k, [word]) => [
      eight
        .map((i) => {
          const four = bitOfBytes(k, word!, i, 0).intMul(k.intConstant(bytesOfBits)).shiftRight(24).and(k.intConstant(15));
          return movedBits(four, 0, 4 * i);
        })
        .reduce((a, b) => a.or(b)),
    ],
  };
}

/** Eight words have a bit of each of 256 weights: bit i of byte j of word w is that of weight 32w + 4i + j in the panel, and bit w of byte j of word i in the file. */
export function bitsOfBlocks(at: number): Turn {
  return { at, count: 8, there: transposeBits, back: transposeBits };
}

/** Bit i of byte j of word w and bit w of byte j of word i change places: squares of one, two and four bits (Warren, Hacker's Delight, section 7-3). */
function transposeBits(k: Builder, words: readonly Vec[]): Vec[] {
  const turned = [...words];
  for (const [size, lower] of [
    [1, 0x55555555],
    [2, 0x33333333],
    [4, 0x0f0f0f0f],
  ] as const)
    for (const i of eight.filter((i) => (i & size) === 0)) {
      const [a, b] = [turned[i]!, turned[i + size]!];
      const differ = a.shiftRight(size).xor(b).and(k.intConstant(lower));
      turned[i] = a.xor(differ.shiftLeft(size));
      turned[i + size] = b.xor(differ);
    }
  return turned;
}
