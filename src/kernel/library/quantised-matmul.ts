// Rows of activations times quantised weights: weights interleaved into panels of columns, four of a column's weights a lane, so that lanes are
// outputs and a register tile's inner loop is one dot product after the other (as libxsmm and oneDNN have their low-precision products).
// One row and many read the same panels in the same order, so that a row's bits do not depend on how many there are.
import type { Target } from "../ir.ts";
import { type Builder, type Int, kernel, type Vec, whole } from "../language.ts";
import { eachStep, panelWidth } from "./product.ts";
import { lineLayout } from "./quantise.ts";
import { type BlockLayout, BlockReader, blockWeights, type QuantisedType, type Spans, spansOf } from "./quantised-blocks.ts";
import { unpackedVectors, unpackGroup } from "./quantised-unpack.ts";

/** Quads of a block's weights. */
const quadsOfBlock = blockWeights / 4;

/**
 * A block of a panel, for all its columns: words, then scales (one, or one a half), then minima where there are any, one a column each.
 * Blocks follow each other in the order of the depth. Words hold what the file holds, quad i being weights 4i to 4i + 3, a byte each:
 *
 *   8 bits   word i < 8   quad i
 *   4 bits   word i < 4   quad i, and quad i + 4 in the upper halves of the bytes
 *   6 bits   word i < 4   the lower four bits, as above
 *            word 4, 5    the upper two of quads 0 to 3 and of quads 4 to 7, the first quad lowest
 */
interface PanelLayout {
  readonly words: number;
  readonly numbers: number;
  readonly numberBytes: number;
  /** Bytes of a block in all columns. */
  readonly blockBytes: number;
}

function panelLayout(target: Target, { layout }: Spans): PanelLayout {
  const words = layout.bits === 8 ? 8 : layout.bits === 6 ? 6 : 4;
  const numbers = (layout.scaleOfHalf ? 2 : 1) + (layout.sign === 0 ? 0 : 1);
  const numberBytes = layout.scaleType === "f16" ? 2 : 4;
  return { words, numbers, numberBytes, blockBytes: (words * 4 + numbers * numberBytes) * panelWidth(target) };
}

function panelBytes(target: Target, spans: Spans): number {
  return spans.superblocksOfRow * spans.blocksOfSuperblock * panelLayout(target, spans).blockBytes;
}

/** Words of a block from its quads. */
function wordsOf(k: Builder, { bits }: BlockLayout, lower: readonly Vec[], upper: readonly Vec[]): Vec[] {
  if (bits === 8) return [...lower, ...upper];
  const low = (quad: Vec) => (bits === 4 ? quad : quad.and(k.intConstant(0x0f0f0f0f)));
  const high = (quads: readonly Vec[]) =>
    quads
      .map((quad, i) =>
        quad
          .shiftRight(4)
          .and(k.intConstant(0x03030303))
          .shiftLeft(2 * i),
      )
      .reduce((a, b) => a.or(b));
  const nibbles = lower.map((quad, i) => low(quad).or(low(upper[i]!).shiftLeft(4)));
  return bits === 4 ? nibbles : [...nibbles, high(lower), high(upper)];
}

/** The inverse: quad number `quad` from the words that it is in. */
function quadOf(k: Builder, { bits }: BlockLayout, quad: number, word: (i: number) => Vec): Vec {
  if (bits === 8) return word(quad);
  const both = word(quad & 3);
  const low = (quad < 4 ? both : both.shiftRight(4)).and(k.intConstant(0x0f0f0f0f));
  if (bits === 4) return low;
  const upper = word(4 + (quad >> 2));
  const shift = 2 * (quad & 3);
  return low.or((shift === 0 ? upper : upper.shiftRight(shift)).and(k.intConstant(0x03030303)).shiftLeft(4));
}

export interface QuantisedMatrix {
  readonly type: QuantisedType;
  readonly n: number;
  readonly k: number;
}

export interface QuantisedSizes extends QuantisedMatrix {
  readonly m: number;
}

/** Bytes of a matrix packed by {@link packQuantised}: the file's, where scales are f16 there and n fills panels. */
export function packedQuantisedBytes(target: Target, { type, n, k }: QuantisedMatrix): number {
  return Math.ceil(n / panelWidth(target)) * panelBytes(target, spansOf(target, type, k));
}

/** Interleaves w [n, k] for {@link quantisedMatmul}. Pointers: w, packed. One unit a panel; columns beyond n repeat the last one. */
export const packQuantised = kernel<QuantisedMatrix>("packQuantised", (k, { type, n, k: depth }) => {
  const { w, packed } = k.pointers("w", "packed");
  const { scratch, begin, end } = k.range();
  const spans = spansOf(k.target, type, depth);
  const width = panelWidth(k.target);
  const lanes = k.laneCount;
  const spanBlocks = spans.superblocks * spans.blocksOfSuperblock;
  const rest = spans.superblocksOfRow % spans.superblocks;
  k.loop(begin, end, 1, (panel) =>
    k.loop(0, width, lanes, (column) => {
      const to = k.copy(packed.add(panel.mul(panelBytes(k.target, spans))));
      const first = panel.mul(width).add(column);
      const span = (offset: Int | number, superblocks: number) => {
        unpackColumns(
          k,
          spans,
          superblocks,
          (row) =>
            w
              .add(
                first
                  .add(row)
                  .min(n - 1)
                  .mul(spans.rowBytes),
              )
              .add(offset),
          scratch,
        );
        turnColumns(k, spans, superblocks, scratch, { to, column });
        to.bump(spanBlocks * panelLayout(k.target, spans).blockBytes);
      };
      const whole = spans.rowBytes - rest * spans.superblockBytes;
      k.loop(0, whole, spans.superblocks * spans.superblockBytes, (offset) => span(offset, spans.superblocks));
      if (rest > 0) span(whole, rest);
    }),
  );
  return { units: Math.ceil(n / width), scratchBytes: spans.groups.length * unpackedVectors * lanes * lanes * 4 };
});

/** Scratch: [group][unpacked vector][column][lane]. */
function unpackColumns(k: Builder, spans: Spans, superblocks: number, rowAt: (row: Int) => Int, scratch: Int): void {
  const square = k.laneCount * k.laneCount * 4;
  k.loop(0, k.laneCount, 1, (row) => {
    const reader = new BlockReader(k, spans, rowAt(row), superblocks);
    spans.groups.forEach((places, i) => {
      unpackGroup(spans, reader, places, scratch.add(row.mul(k.laneCount * 4)).add(i * unpackedVectors * square), square);
    });
  });
}

/** From rows of blocks to columns: `to` is the span's first block in the panel, `column` the first of these columns in it. */
function turnColumns(
  k: Builder,
  spans: Spans,
  superblocks: number,
  scratch: Int,
  { to, column }: { readonly to: Int; readonly column: Int },
) {
  const { layout } = spans;
  const { words, numberBytes, blockBytes } = panelLayout(k.target, spans);
  const square = k.laneCount * k.laneCount * 4;
  const width = panelWidth(k.target);
  const [toWords, toNumbers] = [to.add(column.mul(4)), to.add(column.mul(numberBytes))];
  spans.groups.forEach((places, group) => {
    const turn = (i: number) => turned(k, scratch, (group * unpackedVectors + i) * square);
    const eachPlace = (put: (block: number, part: number) => void) =>
      places.forEach(({ superblock, block }, part) => {
        if (superblock < superblocks) put((superblock * spans.blocksOfSuperblock + block) * blockBytes, part);
      });
    const [lower, upper] = [turn(0), turn(1)];
    eachPlace((block, part) => {
      const ofPart = (quads: readonly Vec[]) => quads.slice(4 * part, 4 * part + 4);
      wordsOf(k, layout, ofPart(lower), ofPart(upper)).forEach((word, i) => k.store(word, toWords, whole, block + i * width * 4));
    });
    numbersOf(layout).forEach((vector, i) => {
      const numbers = turn(vector);
      eachPlace((block, part) => {
        const at = block + (words * 4 + i * numberBytes) * width;
        if (layout.scaleType === "f16") k.storeNarrow("f16", numbers[4 * part]!, toNumbers, whole, at);
        else k.store(numbers[4 * part]!, toNumbers, whole, at);
      });
    });
  });
}

/** Which of the unpacked vectors are a block's scales and minima. */
function numbersOf({ scaleOfHalf, sign }: BlockLayout): number[] {
  return [2, ...(scaleOfHalf ? [3] : []), ...(sign === 0 ? [] : [4])];
}

function turned(k: Builder, scratch: Int, offset: number): Vec[] {
  const rows = Array.from({ length: k.laneCount }, (_, i) =>
    k.load(scratch, { offset: offset + i * k.laneCount * 4, span: "full", copy: 0 }),
  );
  return k.transpose(rows);
}

/** Rows of activations that share a unit, so that its panel is read from the cache. */
const unitRows = 48;

/**
 * y[m, n] = x[m, k] · w[n, k]ᵀ, x quantised by {@link quantiseLines}, w packed by {@link packQuantised}; integer products, float32 sums.
 * Pointers: lines, packed, y. One unit a block of rows times a panel.
 */
export const quantisedMatmul = kernel<QuantisedSizes>("quantisedMatmul", (k, sizes) => {
  const { lines, packed, y } = k.pointers("lines", "packed", "y");
  const { begin, end } = k.range();
  const { type, m, n, k: depth } = sizes;
  const spans = spansOf(k.target, type, depth);
  const width = panelWidth(k.target);
  const { bytes } = lineLayout(k.target, type, depth);
  const blocks = Math.ceil(m / unitRows);
  k.loop(begin, end, 1, (unit) => {
    const [block, panel] = [unit.rem(blocks), unit.div(blocks)];
    const w = packed.add(panel.mul(panelBytes(k.target, spans)));
    k.blocks(panel, n, width, (columns) =>
      k.blocks(block, m, unitRows, (count) =>
        eachStep(k, count, tileRows(k.target), (rows, first) => {
          const row = block.mul(unitRows).add(first);
          const to = y.add(row.mul(n * 4)).add(panel.mul(width * 4));
          tile(k, spans, { ...sizes, rows, columns }, lines.add(row.mul(bytes)), w, to);
        }),
      ),
    );
  });
  return { units: blocks * Math.ceil(n / width) };
});

/** Half of a float product's: every sum is there twice, in integers and in floats. */
function tileRows({ tile }: Target): number {
  return Math.max(1, Math.floor(tile.rows / 2));
}

interface Tile extends QuantisedSizes {
  readonly rows: number;
  readonly columns: number;
}

function tile(k: Builder, spans: Spans, { type, rows, columns, n, k: depth }: Tile, lines: Int, packed: Int, y: Int): void {
  const vectors = Math.ceil(columns / k.laneCount);
  const line = lineLayout(k.target, type, depth);
  const sums = Array.from({ length: rows }, () => Array.from({ length: vectors }, () => k.variable()));
  const numbers = k.copy(lines.add(depth));
  const quants = k.copy(lines);
  const { blockBytes } = panelLayout(k.target, spans);
  k.loop(packed, packed.add(panelBytes(k.target, spans)), blockBytes, (block) => {
    addBlock(k, spans, { line, block, quants, numbers, vectors }, sums);
    quants.bump(blockWeights);
    numbers.bump(line.blockBytes);
  });
  sums.forEach((row, i) =>
    row.forEach((sum, j) => {
      const left = columns - j * k.laneCount;
      k.store(sum, y, { offset: j * k.laneCount * 4, span: left < k.laneCount ? left : "full", copy: 0 }, i * n * 4);
    }),
  );
}

interface BlockOfTile {
  readonly line: ReturnType<typeof lineLayout>;
  readonly block: Int;
  readonly quants: Int;
  readonly numbers: Int;
  readonly vectors: number;
}

function addBlock(k: Builder, spans: Spans, { line, block, quants, numbers, vectors }: BlockOfTile, sums: readonly (readonly Vec[])[]) {
  const { layout } = spans;
  const { words, numberBytes } = panelLayout(k.target, spans);
  const width = panelWidth(k.target);
  const eachVector = <T>(make: (j: number) => T): T[] => Array.from({ length: vectors }, (_, j) => make(j));
  const word = (i: number, j: number) => k.load(block, whole, (i * width + j * k.laneCount) * 4);
  const ofWeights = (i: number, j: number) => {
    const at = (words * 4 + i * numberBytes) * width + j * k.laneCount * numberBytes;
    return layout.scaleType === "f16" ? k.loadNarrow("f16", block, whole, at) : k.load(block, whole, at);
  };
  const ofRow = (row: number, i: number) => k.splat(numbers, row * line.bytes + i * 4);
  const pieces = layout.scaleOfHalf ? 2 : 1;
  const quads = quadsOfBlock / pieces;
  for (let piece = 0; piece < pieces; piece++) {
    const products = sums.map((row, i) => row.map(() => (line.starts > 0 ? k.copyVec(ofRow(i, piece)) : k.variable())));
    for (let quad = piece * quads; quad < (piece + 1) * quads; quad++) {
      const weights = eachVector((j) => quadOf(k, layout, quad, (i) => word(i, j)));
      products.forEach((row, i) => {
        const bytes = k.splat(quants, i * line.bytes + quad * 4);
        row.forEach((product, j) => product.accumulateBytes(weights[j]!, bytes));
      });
    }
    const scales = eachVector((j) => ofWeights(piece, j));
    sums.forEach((row, i) => {
      const scale = ofRow(i, line.starts);
      row.forEach((sum, j) => sum.accumulate(products[i]![j]!.toFloat().mul(scales[j]!), scale));
    });
  }
  if (layout.sign === 0) return;
  const minima = eachVector((j) => ofWeights(pieces, j));
  sums.forEach((row, i) => {
    const sum = ofRow(i, line.starts + 1);
    row.forEach((total, j) => total.accumulate(minima[j]!, sum));
  });
}
