// What a panel of quantised weights holds of a superblock, and how weights, scales and minima are read from it: one row per type (ggml-common.h).
import type { Builder, Vec } from "../language.ts";
import {
  bitOfBytes,
  bitsOfBlocks,
  bitsOfWeights,
  byteOf,
  iq4Table,
  nibbles,
  pairOfBits,
  signedByteOf,
  type Turn,
} from "./quantised-bits.ts";
import { blockWeights, type QuantisedType, quantisedLayouts, weightByteOf } from "./quantised-blocks.ts";

/** A word of a superblock, or of a lot, by its number. */
type Find = (i: number) => Vec;
/** A half float of a superblock by its number, or another 16 bits there. */
type FindHalf = (i: number, type?: "f16" | "u16") => Vec;

/** What a panel holds of a superblock, and how blocks are read from it. */
export interface PanelLayout {
  /** Where the half floats are in the file's superblock. */
  readonly halves: readonly number[];
  /** The words, which are all other bytes: in the order in which they are read, because memory is slower in any other. */
  readonly words: readonly Run[];
  /** Bits of words that are the other way round in the panel where its bytes are unsigned. */
  readonly flip?: number;
  /** Words whose bits lie otherwise in the panel. */
  readonly turn?: Turn;
  /** Blocks whose weights share words, how many words these are, and how often such lots follow each other behind the other words. */
  readonly lots: { readonly count: number; readonly blocks: number; readonly words: number };
  /** Vector operations that {@link quad} takes, on average. */
  readonly operations: number;
  /** Weights 4 · quad to 4 · quad + 3 of a block of a lot, a {@link WeightByte} each, from the words of the lot. */
  quad(k: Builder, word: Find, quad: number, block: number): Vec;
  /** The numbers of every block: the scales of its pieces, then their minima where there are any. */
  numbers(k: Builder, word: Find, half: FindHalf): Vec[][];
}

/** Words that follow each other: of the file, so many bytes into a superblock, or of those that were turned, by number. */
export type Run = { readonly count: number } & ({ readonly at: number } | { readonly turned: number });

const one = (words: number) => ({ count: 1, blocks: 1, words });
const onlyScale: PanelLayout["numbers"] = (_, __, half) => [[half(0)]];
const scaleAndMinimum: PanelLayout["numbers"] = (_, __, half) => [[half(0), half(1)]];

/** The types by name. */
export const panelLayouts: Readonly<Record<QuantisedType, PanelLayout>> = {
  // d · q i8[32]
  q8_0: {
    halves: [0],
    words: [{ at: 2, count: 8 }],
    flip: 0x80808080 | 0,
    lots: one(8),
    operations: 0,
    quad: (_, word, quad) => word(quad),
    numbers: onlyScale,
  },
  // d · q u4[32], byte i has weights i and 16 + i
  q4_0: {
    halves: [0],
    words: [{ at: 2, count: 4 }],
    lots: one(4),
    operations: 1.5,
    quad: nibblesOfBlock,
    numbers: onlyScale,
  },
  // d · minimum · q u4[32]
  q4_1: {
    halves: [0, 2],
    words: [{ at: 4, count: 4 }],
    lots: one(4),
    operations: 1.5,
    quad: nibblesOfBlock,
    numbers: scaleAndMinimum,
  },
  // d · a word of high bits u1[32] · low bits u4[32]
  q5_0: {
    halves: [0],
    words: [
      { turned: 0, count: 1 },
      { at: 6, count: 4 },
    ],
    turn: bitsOfWeights(2),
    lots: one(5),
    operations: 4.5,
    quad: fiveBitsOfBlock,
    numbers: onlyScale,
  },
  // d · minimum · a word of high bits u1[32] · low bits u4[32]
  q5_1: {
    halves: [0, 2],
    words: [
      { turned: 0, count: 1 },
      { at: 8, count: 4 },
    ],
    turn: bitsOfWeights(4),
    lots: one(5),
    operations: 4.5,
    quad: fiveBitsOfBlock,
    numbers: scaleAndMinimum,
  },
  // d · numbers u4[32] of values in a table
  iq4_nl: {
    halves: [0],
    words: [{ at: 2, count: 4 }],
    lots: one(4),
    operations: 2.5,
    quad: (k, word, quad) => nibblesOfBlock(k, word, quad).lookUp(iq4Table(weightByteOf(k.target, "iq4_nl").zero)),
    numbers: onlyScale,
  },
  // d · dmin · four words of scales and minima u4 · 16 words of q u2[256], of which eight have four blocks
  q2_K: {
    halves: [80, 82],
    words: [
      { at: 0, count: 4 },
      { at: 16, count: 16 },
    ],
    lots: { count: 2, blocks: 4, words: 8 },
    operations: 1.75,
    quad: (k, word, quad, block) => pairOfBits(k, word(quad), block),
    numbers: (k, word, half) => {
      const [d, dmin] = [half(0), half(1)];
      const words = [0, 1, 2, 3].map(word);
      const numbers = (upper: number, factor: Vec) => {
        const bytes = words.map((word) => nibbles(k, word, upper));
        return Array.from({ length: 16 }, (_, i) =>
          byteOf(k, bytes[i >> 2]!, i & 3)
            .toFloat()
            .mul(factor),
        );
      };
      const [scales, minima] = [numbers(0, d), numbers(1, dmin)];
      return ofEightBlocks((block) => [scales, minima].flatMap((numbers) => numbers.slice(2 * block, 2 * block + 2)));
    },
  },
  // d · three words of scales u6 · 16 words of low bits u2[256], of which eight have four blocks, each time followed by a word of high bits u1 for each
  q3_K: {
    halves: [108],
    words: [
      { at: 96, count: 3 },
      { at: 32, count: 8 },
      { turned: 0, count: 4 },
      { at: 64, count: 8 },
      { turned: 4, count: 4 },
    ],
    turn: bitsOfBlocks(0),
    lots: { count: 2, blocks: 4, words: 12 },
    operations: 4.5,
    quad: (k, word, quad, block) => pairOfBits(k, word(quad), block).or(bitOfBytes(k, word(8 + block), quad, 2)),
    numbers: (k, word, half) => {
      const d = half(0);
      const scales = [0, 1, 2, 3].map((i) => nibbles(k, word(i & 1), i >> 1).or(pairOfBits(k, word(2), i).shiftLeft(4)));
      const scale = (i: number) =>
        byteOf(k, scales[i >> 2]!, i & 3)
          .intSub(k.intConstant(32))
          .toFloat()
          .mul(d);
      return ofEightBlocks((block) => [scale(2 * block), scale(2 * block + 1)]);
    },
  },
  // d · dmin · three words of scales and minima · 32 words of q u4[256], of which eight have two blocks
  q4_K: {
    halves: [0, 2],
    words: [{ at: 4, count: 35 }],
    lots: { count: 4, blocks: 2, words: 8 },
    operations: 1.5,
    quad: (k, word, quad, block) => nibbles(k, word(quad), block),
    numbers: sixBits,
  },
  // d · dmin · three words of scales and minima · 32 words of low bits u4[256], of which eight have two blocks, each time behind a word of high bits u1 for each
  q5_K: {
    halves: [0, 2],
    words: [
      { at: 4, count: 3 },
      ...[0, 1, 2, 3].flatMap((lot) => [{ turned: 2 * lot, count: 2 } as const, { at: 48 + 32 * lot, count: 8 }]),
    ],
    turn: bitsOfBlocks(16),
    lots: { count: 4, blocks: 2, words: 10 },
    operations: 4.5,
    quad: (k, word, quad, block) => bitOfBytes(k, word(block), quad, 4).or(nibbles(k, word(2 + quad), block)),
    numbers: sixBits,
  },
  // d · four words of scales i8[16] · 32 words of low bits u4[256], of which sixteen have four blocks · 16 of high bits u2[256], eight for these
  q6_K: {
    halves: [208],
    words: [
      { at: 192, count: 4 },
      { at: 0, count: 16 },
      { at: 128, count: 8 },
      { at: 64, count: 16 },
      { at: 160, count: 8 },
    ],
    lots: { count: 2, blocks: 4, words: 24 },
    operations: 4.25,
    quad: (k, word, quad, block) => {
      const low = nibbles(k, word(quad + 8 * (block & 1)), block >> 1);
      const high = word(16 + quad);
      const moved = block < 2 ? high.shiftLeft(4 - 2 * block) : block === 2 ? high : high.shiftRight(2);
      return low.or(moved.and(k.intConstant(0x30303030)));
    },
    numbers: (_, word, half) => {
      const d = half(0);
      const scale = (i: number) =>
        signedByteOf(word(i >> 2), i & 3)
          .toFloat()
          .mul(d);
      return ofEightBlocks((block) => [scale(2 * block), scale(2 * block + 1)]);
    },
  },
  // d, high bits of scales u2[8] · a word of their low bits u4 · 32 words of numbers u4[256] of values in a table, of which four have a block
  iq4_xs: {
    halves: [0, 2],
    words: [{ at: 4, count: 33 }],
    lots: { count: 4, blocks: 2, words: 8 },
    operations: 2.5,
    quad: (k, word, quad, block) =>
      nibblesOfBlock(k, (i) => word(4 * block + i), quad).lookUp(iq4Table(weightByteOf(k.target, "iq4_xs").zero)),
    numbers: (k, word, half) => {
      const [d, lows, high] = [half(0), word(0), half(1, "u16")];
      return ofEightBlocks((block) => {
        const low = lows.shiftRight(4 * block).and(k.intConstant(15));
        const scale = low.or(
          high
            .shiftRight(2 * block)
            .and(k.intConstant(3))
            .shiftLeft(4),
        );
        return [scale.intSub(k.intConstant(32)).toFloat().mul(d)];
      });
    },
  },
};

/** A quad of a block whose four words have weights i and 16 + i in their bytes. */
function nibblesOfBlock(k: Builder, word: Find, quad: number): Vec {
  return nibbles(k, word(quad & 3), quad >> 2);
}

/** A quad of a block whose first word has its fifth bits, and whose other four are as in {@link nibblesOfBlock}. */
function fiveBitsOfBlock(k: Builder, word: Find, quad: number): Vec {
  return bitOfBytes(k, word(0), quad, 4).or(nibblesOfBlock(k, (i) => word(1 + i), quad));
}

function ofEightBlocks<T>(make: (block: number) => T): T[] {
  return Array.from({ length: 8 }, (_, block) => make(block));
}

/**
 * Scale and minimum of eight blocks in three words a, b and c, four bytes at a time. Byte j of a has the scale of block j in its lower six bits, that of b
 * the minimum. Their other two bits are the upper ones of block j + 4, whose lower four are in c, the scale's below the minimum's.
 */
function sixBits(k: Builder, word: Find, half: FindHalf): Vec[][] {
  const [a, b, c] = [word(0), word(1), word(2)];
  const [d, dmin] = [half(0), half(1)];
  const lower = (v: Vec) => v.and(k.intConstant(0x3f3f3f3f));
  const upper = (v: Vec) => v.shiftRight(2).and(k.intConstant(0x30303030));
  const four = (scales: Vec, minima: Vec) =>
    [0, 1, 2, 3].map((i) => [byteOf(k, scales, i).toFloat().mul(d), byteOf(k, minima, i).toFloat().mul(dmin)]);
  return [...four(lower(a), lower(b)), ...four(nibbles(k, c, 0).or(upper(a)), nibbles(k, c, 1).or(upper(b)))];
}

/** Words of a superblock. */
export function wordsOf(type: QuantisedType): number {
  return panelLayouts[type].words.reduce((sum, { count }) => sum + count, 0);
}

/** Where words lie in a panel's superblock, in words behind the first: runs of the file's, and by number those that were turned. */
export function placesOfWords(type: QuantisedType) {
  const runs: { readonly at: number; readonly count: number; readonly place: number }[] = [];
  const turned: number[] = [];
  let place = 0;
  for (const run of panelLayouts[type].words) {
    if ("at" in run) runs.push({ ...run, place });
    else for (let i = 0; i < run.count; i++) turned[run.turned + i] = place + i;
    place += run.count;
  }
  return { runs, turned };
}

/** Weights of a superblock. */
export function superblockWeights(type: QuantisedType): number {
  return blockWeights * quantisedLayouts[type].blocks;
}

/** Whether a superblock is a block, whose half floats are its numbers. */
export function isPlain(type: QuantisedType): boolean {
  return quantisedLayouts[type].blocks === 1;
}

/** Numbers of a block. */
export function numbersOf(type: QuantisedType): number {
  const { pieces, sign } = quantisedLayouts[type];
  return pieces * (sign === 0 ? 1 : 2);
}
