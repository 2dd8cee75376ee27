// Quantised weights in panels of columns: the words and half floats of a superblock as the file has them, those of a column in one lane, so that
// lanes are outputs. A panel takes the file's bytes, and the file's bytes can be made of it again.
import type { Target } from "../ir.ts";
import { type Builder, type Int, kernel, type Vec, whole } from "../language.ts";
import { panelWidth } from "./product.ts";
import { blockWeights, type QuantisedType, quantisedLayouts, spansOf } from "./quantised-blocks.ts";
import { turnIn, turnOut } from "./turn.ts";

/** A word of a superblock in all columns, by its number in the file; a half float likewise. */
type Find = (i: number) => Vec;

/** What a panel holds of a superblock, and how blocks are read from it. */
interface PanelLayout {
  /** Where the words are in the file's superblock; all its bytes but half floats are among them. */
  readonly words: { readonly at: number; readonly count: number; readonly flip?: number };
  /** Where the half floats are there. */
  readonly halves: readonly number[];
  /** Blocks whose weights share words, and how often such lots follow each other; a lot has some words of every stream. */
  readonly lots: { readonly count: number; readonly blocks: number; readonly streams: readonly Stream[] };
  /** Weights 4 · quad to 4 · quad + 3 of a block of a lot, a byte q each, from the words of the lot. */
  quad(k: Builder, word: Find, quad: number, block: number): Vec;
  /** The numbers of every block: its scale, or one of each half, then its minimum where there are any. */
  numbers(k: Builder, word: Find, half: Find): Vec[][];
}

interface Stream {
  readonly first: number;
  readonly words: number;
}

const one = (words: number) => ({ count: 1, blocks: 1, streams: [{ first: 0, words }] });

const panelLayouts: Readonly<Record<QuantisedType, PanelLayout>> = {
  // d · q i8[32], with the sign flipped as u8
  q8_0: {
    words: { at: 2, count: 8, flip: 0x80808080 | 0 },
    halves: [0],
    lots: one(8),
    quad: (_, word, quad) => word(quad),
    numbers: (_, __, half) => [[half(0)]],
  },
  // d · q u4[32], byte i has weights i and 16 + i
  q4_0: {
    words: { at: 2, count: 4 },
    halves: [0],
    lots: one(4),
    quad: (k, word, quad) => nibbles(k, word(quad & 3), quad >> 2),
    numbers: (_, __, half) => [[half(0)]],
  },
  // d · minimum · q u4[32]
  q4_1: {
    words: { at: 4, count: 4 },
    halves: [0, 2],
    lots: one(4),
    quad: (k, word, quad) => nibbles(k, word(quad & 3), quad >> 2),
    numbers: (_, __, half) => [[half(0), half(1)]],
  },
  // d · dmin · three words of scales and minima · 32 words of q u4[256], of which eight have two blocks
  q4_K: {
    words: { at: 4, count: 35 },
    halves: [0, 2],
    lots: { count: 4, blocks: 2, streams: [{ first: 3, words: 8 }] },
    quad: (k, word, quad, block) => nibbles(k, word(quad), block),
    numbers: (k, word, half) => {
      const [d, dmin] = [half(0), half(1)];
      return Array.from({ length: 8 }, (_, block) => sixBits(k, word, block)).map(([scale, minimum]) => [
        scale.toFloat().mul(d),
        minimum.toFloat().mul(dmin),
      ]);
    },
  },
  // 32 words of low bits u4[256], of which sixteen have four blocks · 16 of high bits u2[256] · four of scales i8[16] · d
  q6_K: {
    words: { at: 0, count: 52 },
    halves: [208],
    lots: {
      count: 2,
      blocks: 4,
      streams: [
        { first: 0, words: 16 },
        { first: 32, words: 8 },
      ],
    },
    quad: (k, word, quad, block) => {
      const low = nibbles(k, word(quad + 8 * (block & 1)), block >> 1);
      const high = word(16 + quad);
      const moved = block < 2 ? high.shiftLeft(4 - 2 * block) : block === 2 ? high : high.shiftRight(2);
      return low.or(moved.and(k.intConstant(0x30303030)));
    },
    numbers: (_, word, half) => {
      const d = half(0);
      const scale = (i: number) =>
        word(48 + (i >> 2))
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

/** Scale and minimum of block j of eight in three words: see `sixBits` of quantised-blocks.ts, whose byte b[4w + i] is byte i of word w. */
function sixBits(k: Builder, word: Find, block: number): [Vec, Vec] {
  const byte = (w: number, shift: number, mask: number) => {
    const bits = 8 * (block & 3) + shift;
    return (bits === 0 ? word(w) : word(w).shiftRight(bits)).and(k.intConstant(mask));
  };
  if (block < 4) return [byte(0, 0, 63), byte(1, 0, 63)];
  const upper = (w: number) => byte(w, 6, 3).shiftLeft(4);
  return [byte(2, 0, 15).or(upper(0)), byte(2, 4, 15).or(upper(1))];
}

export interface QuantisedMatrix {
  readonly type: QuantisedType;
  readonly n: number;
  readonly k: number;
}

/** Bytes of a superblock in all columns of a panel: words, then half floats. */
export function superblockBytes(target: Target, type: QuantisedType): number {
  const { words, halves } = panelLayouts[type];
  return panelWidth(target) * (4 * words.count + 2 * halves.length);
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

/** Puts w [n, k] into panels. Pointers: w, packed. One unit a panel; columns beyond n are zeros. */
export const packQuantised = kernel<QuantisedMatrix>("packQuantised", (k, sizes) => {
  const { w, packed } = k.pointers("w", "packed");
  return turnPanels(k, sizes, w, packed, turnIn);
});

/** Makes w [n, k] of its panels again, bit for bit. Pointers: packed, w. One unit a panel. */
export const unpackQuantised = kernel<QuantisedMatrix>("unpackQuantised", (k, sizes) => {
  const { packed, w } = k.pointers("packed", "w");
  return turnPanels(k, sizes, w, packed, turnOut);
});

function turnPanels(k: Builder, { type, n, k: depth }: QuantisedMatrix, w: Int, packed: Int, turn: typeof turnIn) {
  const { begin, end } = k.range();
  const { rowBytes, superblockBytes: fileBytes } = spansOf(k.target, type, depth);
  const width = panelWidth(k.target);
  const { words, halves } = panelLayouts[type];
  const bytes = quantisedPanelBytes(k.target, { type, k: depth });
  k.loop(begin, end, 1, (panel) =>
    k.blocks(panel, n, width, (count) => {
      const file = k.copy(w.add(panel.mul(width * rowBytes)));
      const first = packed.add(panel.mul(bytes));
      k.loop(first, first.add(bytes), superblockBytes(k.target, type), (superblock) => {
        const rows = { stride: rowBytes, count };
        const { flip } = words;
        turn(k, "word", { ...rows, rows: file.add(words.at), panel: superblock, ...(flip !== undefined && { flip }) }, words.count);
        halves.forEach((at, i) => {
          turn(k, "u16", { ...rows, rows: file.add(at), panel: superblock.add((words.count * 4 + i * 2) * width) }, 1);
        });
        file.bump(fileBytes);
      });
    }),
  );
  return { units: Math.ceil(n / width) };
}

/** A block of a panel: vector j of its quads, four bytes q a lane, and of its numbers. */
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

/** Bytes of scratch for {@link eachBlock}. */
export function blockScratchBytes(target: Target, type: QuantisedType): number {
  return isPlain(type) ? 0 : (superblockWeights(type) / blockWeights) * numbersOf(type) * panelWidth(target) * 4;
}

/** Runs `body` for the blocks of the superblocks from address `first` up to `last` of a panel, in the order of the depth. */
export function eachBlock(
  k: Builder,
  type: QuantisedType,
  { first, last, vectors }: { readonly first: Int; readonly last: Int; readonly vectors: number },
  scratch: Int,
  body: (block: PanelBlock) => void,
): void {
  const { lots, quad } = panelLayouts[type];
  const width = panelWidth(k.target);
  const eachNumber = numbersOf(type);
  k.loop(first, last, superblockBytes(k.target, type), (superblock) => {
    const streams = lots.streams.map(({ first }) => (lots.count === 1 ? superblock : k.copy(superblock.add(first * width * 4))));
    if (!isPlain(type)) storeNumbers(k, type, superblock, vectors, scratch);
    const numbers = lots.count === 1 ? scratch : k.copy(scratch);
    const lot = () => {
      for (let block = 0; block < lots.blocks; block++) {
        const word = (j: number) => (i: number) => wordOfLot(k, lots.streams, streams, i, j);
        body({
          quad: (i, j) => quad(k, word(j), i, block),
          number: (i, j) =>
            isPlain(type)
              ? halfOf(k, type, superblock, i, j)
              : k.load(numbers, whole, ((block * eachNumber + i) * width + j * k.laneCount) * 4),
        });
      }
    };
    if (lots.count === 1) return lot();
    k.loop(0, lots.count, 1, () => {
      lot();
      lots.streams.forEach(({ words }, i) => void streams[i]!.bump(words * width * 4));
      numbers.bump(lots.blocks * eachNumber * width * 4);
    });
  });
}

/** Word i of a lot, whose streams follow each other; vector j of it. */
function wordOfLot(k: Builder, streams: readonly Stream[], from: readonly Int[], i: number, j: number): Vec {
  let [stream, at] = [0, i];
  while (at >= streams[stream]!.words) at -= streams[stream++]!.words;
  return k.load(from[stream]!, whole, (at * panelWidth(k.target) + j * k.laneCount) * 4);
}

function halfOf(k: Builder, type: QuantisedType, superblock: Int, i: number, j: number): Vec {
  const { words } = panelLayouts[type];
  return k.loadNarrow("f16", superblock, whole, (words.count * 4 + i * 2) * panelWidth(k.target) + j * k.laneCount * 2);
}

/** The numbers of a superblock's blocks as floats in scratch: [block][number][column]. */
function storeNumbers(k: Builder, type: QuantisedType, superblock: Int, vectors: number, scratch: Int): void {
  const width = panelWidth(k.target);
  for (let j = 0; j < vectors; j++) {
    const word: Find = (i) => k.load(superblock, whole, (i * width + j * k.laneCount) * 4);
    const numbers = panelLayouts[type].numbers(k, word, (i) => halfOf(k, type, superblock, i, j)).flat();
    numbers.forEach((number, i) => void k.store(number, scratch, whole, (i * width + j * k.laneCount) * 4));
  }
}
