// Quantised weights in panels of columns: the words and half floats of a superblock, those of a column in one lane, so that lanes are outputs. They have
// the file's bits, and but for single bits of weights in the file's places. A panel takes the file's bytes, and the file's bytes can be made of it again.
import type { Target } from "../ir.ts";
import { type Builder, type Int, kernel, type Vec, whole } from "../language.ts";
import { isPlain, numbersOf, panelLayouts, placesOfWords, superblockWeights, wordsOf } from "./panel-layouts.ts";
import { lineBytes, panelWidth } from "./product.ts";
import type { Turn } from "./quantised-bits.ts";
import { blockWeights, type QuantisedType, spansOf, weightByteOf } from "./quantised-blocks.ts";
import { panelToRows, rowsToPanel } from "./transpose-panels.ts";

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

/** Bytes of a panel of columns of `k` weights. @throws CriaError when these are not whole superblocks. */
export function quantisedPanelBytes(target: Target, { type, k }: Pick<QuantisedMatrix, "type" | "k">): number {
  return spansOf(type, k).superblocksOfRow * superblockBytes(target, type);
}

/** Bytes of a matrix packed by {@link packQuantised}: the file's, where n fills panels. */
export function packedQuantisedBytes(target: Target, sizes: QuantisedMatrix): number {
  return Math.ceil(sizes.n / panelWidth(target)) * quantisedPanelBytes(target, sizes);
}

/** Puts w [n, k] into panels. Pointers: w, packed. One unit per panel; columns beyond n are zeros. */
export const packQuantised = kernel<QuantisedMatrix>("packQuantised", (k, sizes) => {
  const { w, packed } = k.pointers("w", "packed");
  const { turn } = panelLayouts[sizes.type];
  return eachSuperblock(k, sizes, w, packed, (superblock) => {
    transposeSuperblock(k, sizes.type, superblock, rowsToPanel);
    if (turn === undefined) return;
    const { inFile, inScratch, inPanel } = turnedWords(k.target, sizes.type, turn, superblock);
    rowsToPanel(k, "word", inFile, turn.count);
    turnWords(k, turn.there, inScratch, inPanel);
  });
});

/** Makes w [n, k] of its panels again, bit for bit. Pointers: packed, w. One unit per panel. */
export const unpackQuantised = kernel<QuantisedMatrix>("unpackQuantised", (k, sizes) => {
  const { packed, w } = k.pointers("packed", "w");
  const { turn } = panelLayouts[sizes.type];
  return eachSuperblock(k, sizes, w, packed, (superblock) => {
    transposeSuperblock(k, sizes.type, superblock, panelToRows);
    if (turn === undefined) return;
    const { inFile, inScratch, inPanel } = turnedWords(k.target, sizes.type, turn, superblock);
    turnWords(k, turn.back, inPanel, inScratch);
    panelToRows(k, "word", inFile, turn.count);
  });
});

/** A superblock of the rows of a panel: in the file, and in the panel. */
interface Superblock {
  /** The superblock of the first row, bytes from a row to the next, and the rows that exist. */
  readonly file: Int;
  readonly stride: number;
  readonly count: number;
  readonly panel: Int;
  readonly scratch: Int;
}

function eachSuperblock(k: Builder, { type, n, k: depth }: QuantisedMatrix, w: Int, packed: Int, body: (superblock: Superblock) => void) {
  const { scratch, begin, end } = k.range();
  const { rowBytes: stride, superblockBytes: fileBytes } = spansOf(type, depth);
  const width = panelWidth(k.target);
  const bytes = quantisedPanelBytes(k.target, { type, k: depth });
  k.loop(begin, end, 1, (panel) =>
    k.blocks(panel, n, width, (count) => {
      const file = k.copy(w.add(panel.mul(width * stride)));
      const first = packed.add(panel.mul(bytes));
      k.loop(first, first.add(bytes), superblockBytes(k.target, type), (panel) => {
        body({ file, stride, count, panel, scratch });
        file.bump(fileBytes);
      });
    }),
  );
  return { units: Math.ceil(n / width), scratchBytes: (panelLayouts[type].turn?.count ?? 0) * width * 4 };
}

/** Moves half floats and words, but for those whose bits lie otherwise. */
function transposeSuperblock(
  k: Builder,
  type: QuantisedType,
  { file, stride, count, panel }: Superblock,
  transpose: typeof rowsToPanel,
): void {
  const width = panelWidth(k.target);
  const places = placesOf(k.target, type);
  const { halves, flip } = panelLayouts[type];
  const isFlipped = flip !== undefined && !weightByteOf(k.target, type).isSigned;
  halves.forEach((at, i) => transpose(k, "u16", { rows: file.add(at), stride, count, panel: panel.add(places.halves + 2 * width * i) }, 1));
  for (const { at, count: words, place } of placesOfWords(type).runs) {
    const to = panel.add(places.words + 4 * width * place);
    transpose(k, "word", { rows: file.add(at), stride, count, panel: to, ...(isFlipped && { flip }) }, words);
  }
}

/** Vectors of words from an address on, by their numbers. */
interface WordPlaces {
  readonly base: Int;
  readonly numbers: readonly number[];
}

/** Where words whose bits lie otherwise are in the file, on their way through scratch, and in the panel. */
function turnedWords(target: Target, type: QuantisedType, { at, count }: Turn, { file, panel, scratch, ...rows }: Superblock) {
  const inFile = { ...rows, rows: file.add(at), panel: scratch };
  const inScratch: WordPlaces = { base: scratch, numbers: Array.from({ length: count }, (_, i) => i) };
  const inPanel: WordPlaces = { base: panel.add(placesOf(target, type).words), numbers: placesOfWords(type).turned };
  return { inFile, inScratch, inPanel };
}

function turnWords(k: Builder, turn: Turn["there"], from: WordPlaces, to: WordPlaces): void {
  for (let j = 0; j < k.target.tile.vectors; j++) {
    const words = from.numbers.map((i) => wordOf(k, from.base, i, j));
    turn(k, words).forEach((word, i) => void k.store(word, to.base, whole, wordAt(k, to.numbers[i]!, j)));
  }
}

/** A block of a panel: vector j of its quads, four bytes per lane, and of its numbers. */
export interface PanelBlock {
  quad(i: number, j: number): Vec;
  number(i: number, j: number): Vec;
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
  if (isPlain(type))
    return k.loop(first, last, step, (superblock) => {
      prefetchAhead(k, superblock, 0, step);
      body(onlyBlock(k, type, superblock));
    });
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
    number: (i, j) => k.loadNarrow("f16", superblock, whole, halves + halfAt(k, i, j)),
  };
}

/** @param numbers those of the superblock; it ends behind them */
function eachBlockOfLots(k: Builder, type: QuantisedType, superblock: Int, numbers: Int, body: (block: PanelBlock) => void): void {
  const { lots, quad } = panelLayouts[type];
  const width = panelWidth(k.target);
  const eachNumber = numbersOf(type);
  const others = wordsOf(type) - lots.count * lots.words;
  const words = k.copy(superblock.add(placesOf(k.target, type).words + 4 * width * others));
  const share = superblockBytes(k.target, type) / (lots.count * lots.blocks);
  const shares = k.copy(superblock);
  k.loop(0, lots.count, 1, () => {
    for (let block = 0; block < lots.blocks; block++) {
      const number = (i: number, j: number) => wordOf(k, numbers, block * eachNumber + i, j);
      prefetchAhead(k, shares, block * share, share);
      together(k, () => body({ quad: (i, j) => quad(k, (at) => wordOf(k, words, at, j), i, block), number }));
    }
    shares.bump(lots.blocks * share);
    words.bump(lots.words * width * 4);
    numbers.bump(lots.blocks * eachNumber * width * 4);
  });
}

/**
 * How many bytes ahead of what is read a panel is prefetched: enough for one row to read as fast as memory gives, two superblocks of q4_K with AVX-512.
 * Measured: docs/log/2026-11-28-products.md.
 */
const bytesAhead = 9 * 1024;

/** Asks for as many bytes as a piece of a panel has, {@link bytesAhead} further on. */
function prefetchAhead(k: Builder, from: Int, offset: number, bytes: number): void {
  for (let at = 0; at < bytes; at += lineBytes) k.prefetch(from, bytesAhead + offset + at);
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
  return k.load(from, whole, bytes + wordAt(k, i, j));
}

/** Bytes to vector j of word or number i. */
function wordAt(k: Builder, i: number, j: number): number {
  return (i * panelWidth(k.target) + j * k.laneCount) * 4;
}

/** Bytes to vector j of half float i. */
function halfAt(k: Builder, i: number, j: number): number {
  return wordAt(k, i, j) / 2;
}

/** The numbers of a superblock's blocks as floats: [block][number][column]. */
function numbersOfSuperblock(k: Builder, type: QuantisedType, superblock: Int, vectors: number, to: Int): void {
  const { halves, words } = placesOf(k.target, type);
  for (let j = 0; j < vectors; j++) {
    const numbers = panelLayouts[type].numbers(
      k,
      (i) => wordOf(k, superblock, i, j, words),
      (i, type = "f16") => k.loadNarrow(type, superblock, whole, halves + halfAt(k, i, j)),
    );
    numbers.flat().forEach((number, i) => void k.store(number, to, whole, wordAt(k, i, j)));
  }
}
