// Quantised weights in panels of columns: the words and half floats of a superblock as the file has them, those of a column in one lane, so that
// lanes are outputs. A panel takes the file's bytes, and the file's bytes can be made of it again.
import type { Target } from "../ir.ts";
import { type Builder, type Int, kernel, type Vec, whole } from "../language.ts";
import { panelWidth } from "./product.ts";
import { blockWeights, type QuantisedType, quantisedLayouts, spansOf } from "./quantised-blocks.ts";
import { panelToRows, rowsToPanel } from "./transpose-panels.ts";

/** A word of a superblock, or of a lot, by its number; a half float likewise. */
type Find = (i: number) => Vec;

/** What a panel holds of a superblock, and how blocks are read from it. */
interface PanelLayout {
  /** Where the half floats are in the file's superblock. */
  readonly halves: readonly number[];
  /** Where the words are there, which are all other bytes: in the order in which they are read, because memory is slower in any other. */
  readonly words: readonly Run[];
  /** Bits of words that are the other way round in the panel. */
  readonly flip?: number;
  /** Blocks whose weights share words, how many words these are, and how often such lots follow each other behind the other words. */
  readonly lots: { readonly count: number; readonly blocks: number; readonly words: number };
  /** Weights 4 · quad to 4 · quad + 3 of a block of a lot, a byte q each, from the words of the lot. */
  quad(k: Builder, word: Find, quad: number, block: number): Vec;
  /** The numbers of every block: its scale, or one of each half, then its minimum where there are any. */
  numbers(k: Builder, word: Find, half: Find): Vec[][];
}

interface Run {
  /** Bytes to the first word. */
  readonly at: number;
  readonly count: number;
}

const one = (words: number) => ({ count: 1, blocks: 1, words });

const panelLayouts: Readonly<Record<QuantisedType, PanelLayout>> = {
  // d · q i8[32], with the sign flipped as u8
  q8_0: {
    halves: [0],
    words: [{ at: 2, count: 8 }],
    flip: 0x80808080 | 0,
    lots: one(8),
    quad: (_, word, quad) => word(quad),
    numbers: (_, __, half) => [[half(0)]],
  },
  // d · q u4[32], byte i has weights i and 16 + i
  q4_0: {
    halves: [0],
    words: [{ at: 2, count: 4 }],
    lots: one(4),
    quad: (k, word, quad) => nibbles(k, word(quad & 3), quad >> 2),
    numbers: (_, __, half) => [[half(0)]],
  },
  // d · minimum · q u4[32]
  q4_1: {
    halves: [0, 2],
    words: [{ at: 4, count: 4 }],
    lots: one(4),
    quad: (k, word, quad) => nibbles(k, word(quad & 3), quad >> 2),
    numbers: (_, __, half) => [[half(0), half(1)]],
  },
  // d · dmin · three words of scales and minima · 32 words of q u4[256], of which eight have two blocks
  q4_K: {
    halves: [0, 2],
    words: [{ at: 4, count: 35 }],
    lots: { count: 4, blocks: 2, words: 8 },
    quad: (k, word, quad, block) => nibbles(k, word(quad), block),
    numbers: (k, word, half) => {
      const [d, dmin] = [half(0), half(1)];
      return sixBits(k, word).map(([scale, minimum]) => [scale.toFloat().mul(d), minimum.toFloat().mul(dmin)]);
    },
  },
  // 32 words of low bits u4[256], of which sixteen have four blocks · 16 of high bits u2[256], eight for these · four of scales i8[16] · d
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
    quad: (k, word, quad, block) => {
      const low = nibbles(k, word(quad + 8 * (block & 1)), block >> 1);
      const high = word(16 + quad);
      const moved = block < 2 ? high.shiftLeft(4 - 2 * block) : block === 2 ? high : high.shiftRight(2);
      return low.or(moved.and(k.intConstant(0x30303030)));
    },
    numbers: (_, word, half) => {
      const d = half(0);
      const scale = (i: number) =>
        word(i >> 2)
          .shiftLeft(24 - 8 * (i & 3))
          .shiftRightSigned(24)
          .toFloat()
          .mul(d);
      return Array.from({ length: 8 }, (_, block) => [scale(2 * block), scale(2 * block + 1)]);
    },
  },
};

function nibbles(k: Builder, word: Vec, upper: number): Vec {
  return (upper > 0 ? word.shiftRight(4) : word).and(k.intConstant(0x0f0f0f0f));
}

/** Scale and minimum of eight blocks in three words, four bytes at a time: see `sixBits` of quantised-blocks.ts, whose byte b[4w + i] is byte i of word w. */
function sixBits(k: Builder, word: Find): (readonly [Vec, Vec])[] {
  const [a, b, c] = [word(0), word(1), word(2)];
  const lower = (v: Vec) => v.and(k.intConstant(0x3f3f3f3f));
  const upper = (v: Vec) => v.shiftRight(2).and(k.intConstant(0x30303030));
  const pairs = (scales: Vec, minima: Vec) => [0, 1, 2, 3].map((i) => [byteOf(k, scales, i), byteOf(k, minima, i)] as const);
  return [...pairs(lower(a), lower(b)), ...pairs(nibbles(k, c, 0).or(upper(a)), nibbles(k, c, 1).or(upper(b)))];
}

/** Byte i of every word, unsigned. */
function byteOf(k: Builder, word: Vec, i: number): Vec {
  const moved = i === 0 ? word : word.shiftRight(8 * i);
  return i === 3 ? moved : moved.and(k.intConstant(0xff));
}

/** A quantised matrix w [n, k]; k is a whole number of its superblocks. */
export interface QuantisedMatrix {
  readonly type: QuantisedType;
  readonly n: number;
  readonly k: number;
}

/** Bytes of a superblock in all columns of a panel. */
export function superblockBytes(target: Target, type: QuantisedType): number {
  return panelWidth(target) * (2 * panelLayouts[type].halves.length + 4 * wordsOf(type));
}

/**
 * Where a superblock's half floats and words begin, in the order in which they are read: a block's scale behind its products, but what the scales of
 * several blocks are computed from before these.
 */
function placesOf(target: Target, type: QuantisedType): { readonly halves: number; readonly words: number } {
  const width = panelWidth(target);
  return isPlain(type)
    ? { halves: 4 * width * wordsOf(type), words: 0 }
    : { halves: 0, words: 2 * width * panelLayouts[type].halves.length };
}

function wordsOf(type: QuantisedType): number {
  return panelLayouts[type].words.reduce((sum, { count }) => sum + count, 0);
}

/** Weights of a superblock. */
export function superblockWeights(type: QuantisedType): number {
  const { count, blocks } = panelLayouts[type].lots;
  return blockWeights * count * blocks;
}

/** Bytes of a panel of columns of `k` weights. @throws CriaError when these are not whole superblocks. */
export function quantisedPanelBytes(target: Target, { type, k }: Pick<QuantisedMatrix, "type" | "k">): number {
  return spansOf(target, type, k).superblocksOfRow * superblockBytes(target, type);
}

/** Bytes of a matrix packed by {@link packQuantised}: the file's, where n fills panels. */
export function packedQuantisedBytes(target: Target, sizes: QuantisedMatrix): number {
  return Math.ceil(sizes.n / panelWidth(target)) * quantisedPanelBytes(target, sizes);
}

/** Puts w [n, k] into panels. Pointers: w, packed. One unit per panel; columns beyond n are zeros. */
export const packQuantised = kernel<QuantisedMatrix>("packQuantised", (k, sizes) => {
  const { w, packed } = k.pointers("w", "packed");
  return transposePanels(k, sizes, w, packed, rowsToPanel);
});

/** Makes w [n, k] of its panels again, bit for bit. Pointers: packed, w. One unit per panel. */
export const unpackQuantised = kernel<QuantisedMatrix>("unpackQuantised", (k, sizes) => {
  const { packed, w } = k.pointers("packed", "w");
  return transposePanels(k, sizes, w, packed, panelToRows);
});

function transposePanels(k: Builder, { type, n, k: depth }: QuantisedMatrix, w: Int, packed: Int, transpose: typeof rowsToPanel) {
  const { begin, end } = k.range();
  const { rowBytes, superblockBytes: fileBytes } = spansOf(k.target, type, depth);
  const width = panelWidth(k.target);
  const { halves, words, flip } = panelLayouts[type];
  const bytes = quantisedPanelBytes(k.target, { type, k: depth });
  k.loop(begin, end, 1, (panel) =>
    k.blocks(panel, n, width, (count) => {
      const file = k.copy(w.add(panel.mul(width * rowBytes)));
      const first = packed.add(panel.mul(bytes));
      k.loop(first, first.add(bytes), superblockBytes(k.target, type), (superblock) => {
        const rows = { stride: rowBytes, count };
        const places = placesOf(k.target, type);
        halves.forEach((at, i) =>
          transpose(k, "u16", { ...rows, rows: file.add(at), panel: superblock.add(places.halves + 2 * width * i) }, 1),
        );
        let to = superblock.add(places.words);
        for (const { at, count } of words) {
          transpose(k, "word", { ...rows, rows: file.add(at), panel: to, ...(flip !== undefined && { flip }) }, count);
          to = to.add(4 * width * count);
        }
        file.bump(fileBytes);
      });
    }),
  );
  return { units: Math.ceil(n / width) };
}

/** A block of a panel: vector j of its quads, four bytes q per lane, and of its numbers. */
export interface PanelBlock {
  quad(i: number, j: number): Vec;
  number(i: number, j: number): Vec;
}

/** Numbers of a block. */
export function numbersOf(type: QuantisedType): number {
  const { scaleOfHalf, sign } = quantisedLayouts[type];
  return (scaleOfHalf ? 2 : 1) + (sign === 0 ? 0 : 1);
}

/** Whether a superblock is a block, whose half floats are its numbers. */
function isPlain(type: QuantisedType): boolean {
  return superblockWeights(type) === blockWeights;
}

/** Some superblocks of a panel, from address `first` up to `last`; `vectors` of their columns. */
export interface Superblocks {
  readonly first: Int;
  readonly last: Int;
  readonly vectors: number;
}

/** Bytes of the numbers of `weights` weights of each column, as floats; 0 where half floats are the numbers. */
export function numbersBytes(target: Target, type: QuantisedType, weights = superblockWeights(type)): number {
  return isPlain(type) ? 0 : (weights / blockWeights) * numbersOf(type) * panelWidth(target) * 4;
}

/** Computes the numbers of superblocks, for {@link eachBlock} to find them at `to`. */
export function storeNumbers(k: Builder, type: QuantisedType, { first, last, vectors }: Superblocks, to: Int): void {
  if (isPlain(type)) return;
  const target = k.copy(to);
  k.loop(first, last, superblockBytes(k.target, type), (superblock) => {
    numbersOfSuperblock(k, type, superblock, vectors, target);
    target.bump(numbersBytes(k.target, type));
  });
}

/**
 * Runs `body` for the blocks of superblocks, in the order of the depth.
 * @param numbers where {@link storeNumbers} has put the numbers of all, or scratch for those of one superblock
 */
export function eachBlock(
  k: Builder,
  type: QuantisedType,
  { first, last, vectors }: Superblocks,
  numbers: { readonly stored: Int } | { readonly scratch: Int },
  body: (block: PanelBlock) => void,
): void {
  const step = superblockBytes(k.target, type);
  if (isPlain(type)) return k.loop(first, last, step, (superblock) => body(onlyBlock(k, type, superblock)));
  if ("stored" in numbers) {
    const stored = k.copy(numbers.stored);
    return k.loop(first, last, step, (superblock) => eachBlockOfLots(k, type, superblock, stored, body));
  }
  k.loop(first, last, step, (superblock) => {
    numbersOfSuperblock(k, type, superblock, vectors, numbers.scratch);
    eachBlockOfLots(k, type, superblock, k.copy(numbers.scratch), body);
  });
}

/** The block of a superblock that has one. */
function onlyBlock(k: Builder, type: QuantisedType, superblock: Int): PanelBlock {
  const { quad } = panelLayouts[type];
  const { halves, words } = placesOf(k.target, type);
  return {
    quad: (i, j) => quad(k, (at) => wordOf(k, superblock, at, j, words), i, 0),
    number: (i, j) => halfOf(k, superblock, i, j, halves),
  };
}

/** @param numbers those of the superblock; it ends behind them */
function eachBlockOfLots(k: Builder, type: QuantisedType, superblock: Int, numbers: Int, body: (block: PanelBlock) => void): void {
  const { lots, quad } = panelLayouts[type];
  const width = panelWidth(k.target);
  const eachNumber = numbersOf(type);
  const others = wordsOf(type) - lots.count * lots.words;
  const words = k.copy(superblock.add(placesOf(k.target, type).words + 4 * width * others));
  k.loop(0, lots.count, 1, () => {
    for (let block = 0; block < lots.blocks; block++) {
      const number = (i: number, j: number) => wordOf(k, numbers, block * eachNumber + i, j);
      together(k, () => body({ quad: (i, j) => quad(k, (at) => wordOf(k, words, at, j), i, block), number }));
    }
    // Blocks of a lot read its words in turns, which the machine does not foresee.
    for (let at = 0; at < lots.words * width * 4; at += 64) k.prefetch(words, superblockBytes(k.target, type) + at);
    words.bump(lots.words * width * 4);
    numbers.bump(lots.blocks * eachNumber * width * 4);
  });
}

/**
 * Keeps the code of a block of weights together: WebAssembly's engine moves loads ahead as far as a loop's body allows, and spills what it has
 * loaded. Measured: docs/log/2026-11-28-panels.md.
 */
function together(k: Builder, body: () => void): void {
  if (k.target.compiledAgain) k.loop(0, 1, 1, body);
  else body();
}

/** Vector j of word or number i, of those that begin some bytes behind `from`. */
function wordOf(k: Builder, from: Int, i: number, j: number, bytes = 0): Vec {
  return k.load(from, whole, bytes + (i * panelWidth(k.target) + j * k.laneCount) * 4);
}

function halfOf(k: Builder, superblock: Int, i: number, j: number, bytes: number): Vec {
  return k.loadNarrow("f16", superblock, whole, bytes + (i * panelWidth(k.target) + j * k.laneCount) * 2);
}

/** The numbers of a superblock's blocks as floats: [block][number][column]. */
function numbersOfSuperblock(k: Builder, type: QuantisedType, superblock: Int, vectors: number, to: Int): void {
  const width = panelWidth(k.target);
  const { halves, words } = placesOf(k.target, type);
  for (let j = 0; j < vectors; j++) {
    const numbers = panelLayouts[type].numbers(
      k,
      (i) => wordOf(k, superblock, i, j, words),
      (i) => halfOf(k, superblock, i, j, halves),
    );
    numbers.flat().forEach((number, i) => void k.store(number, to, whole, (i * width + j * k.laneCount) * 4));
  }
}
