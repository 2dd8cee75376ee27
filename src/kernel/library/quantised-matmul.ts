// Many rows of activations times quantised weights: weights unpacked into panels of columns, four of a column's bytes a lane, so that a
// register tile's inner loop is one dot product after the other (as libxsmm and oneDNN have their low-precision products).
import type { Target } from "../ir.ts";
import { type Builder, type Int, kernel, type Vec } from "../language.ts";
import { eachStep, panelWidth } from "./product.ts";
import { lineLayout } from "./quantise.ts";
import { BlockReader, blockWeights, halves, type QuantisedType, type Spans, spansOf } from "./quantised-blocks.ts";
import { type QuantisedSizes, unpackedVectors, unpackGroup } from "./quantised-rows.ts";

/** Quads of a block's bytes. */
const quadsOfBlock = blockWeights / 4;

/**
 * A block of a panel, in words of all its columns: 8 quads in the order of the depth, scales (one, or one a half), minima where there are any.
 * Blocks follow each other in the order of the depth.
 */
function wordsOfBlock({ layout }: Spans): number {
  return quadsOfBlock + (layout.scaleOfHalf ? 2 : 1) + (layout.sign === 0 ? 0 : 1);
}

function panelBytes(target: Target, spans: Spans): number {
  return spans.superblocksOfRow * spans.blocksOfSuperblock * wordsOfBlock(spans) * panelWidth(target) * 4;
}

export interface QuantisedMatrix {
  readonly type: QuantisedType;
  readonly n: number;
  readonly k: number;
}

/** Bytes of a matrix packed by {@link packQuantised}. */
export function packedQuantisedBytes(target: Target, { type, n, k }: QuantisedMatrix): number {
  return Math.ceil(n / panelWidth(target)) * panelBytes(target, spansOf(target, type, k));
}

/** Unpacks w [n, k] for {@link quantisedMatmul}. Pointers: w, packed. One unit a panel; columns beyond n repeat the last one. */
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
      const to = k.copy(packed.add(panel.mul(panelBytes(k.target, spans))).add(column.mul(4)));
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
        turnColumns(k, spans, superblocks, scratch, to);
        to.bump(spanBlocks * wordsOfBlock(spans) * width * 4);
      };
      const whole = spans.rowBytes - rest * spans.layout.bytes;
      k.loop(0, whole, spans.superblocks * spans.layout.bytes, (offset) => span(offset, spans.superblocks));
      if (rest > 0) span(whole, rest);
    }),
  );
  return { units: Math.ceil(n / width), scratchBytes: spans.groups.length * unpackedVectors * lanes * lanes * 4 };
});

/** Scratch: [group][unpacked vector][column][lane]. */
function unpackColumns(k: Builder, spans: Spans, superblocks: number, rowAt: (row: Int) => Int, scratch: Int): void {
  const square = k.laneCount * k.laneCount * 4;
  k.loop(0, k.laneCount, 1, (row) => {
    const reader = new BlockReader(k, spans.layout, rowAt(row), superblocks);
    spans.groups.forEach((places, i) => {
      unpackGroup(spans, reader, places, scratch.add(row.mul(k.laneCount * 4)).add(i * unpackedVectors * square), square);
    });
  });
}

function turnColumns(k: Builder, spans: Spans, superblocks: number, scratch: Int, to: Int): void {
  const { layout } = spans;
  const square = k.laneCount * k.laneCount * 4;
  const wordBytes = panelWidth(k.target) * 4;
  spans.groups.forEach((places, group) => {
    const turn = (i: number) => turned(k, scratch, (group * unpackedVectors + i) * square);
    const put = (value: Vec, part: number, word: number) => {
      const { superblock, block } = places[part]!;
      const at = (superblock * spans.blocksOfSuperblock + block) * wordsOfBlock(spans) + word;
      if (superblock < superblocks) k.store(value, to, { offset: at * wordBytes, span: "full", copy: 0 });
    };
    const firstOfPart = (i: number, word: number) => turn(i).forEach((value, lane) => lane % 4 === 0 && put(value, lane / 4, word));
    for (const half of halves) turn(half).forEach((value, lane) => put(value, lane >> 2, half * 4 + (lane & 3)));
    firstOfPart(2, quadsOfBlock);
    if (layout.scaleOfHalf) firstOfPart(3, quadsOfBlock + 1);
    if (layout.sign !== 0) firstOfPart(4, quadsOfBlock + 1);
  });
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
  const blockBytes = wordsOfBlock(spans) * panelWidth(k.target) * 4;
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

function addBlock(
  k: Builder,
  { layout }: Spans,
  { line, block, quants, numbers, vectors }: BlockOfTile,
  sums: readonly (readonly Vec[])[],
) {
  const word = (i: number, j: number) => k.load(block, { offset: (i * panelWidth(k.target) + j * k.laneCount) * 4, span: "full", copy: 0 });
  const number = (row: number, i: number) => k.splat(numbers, row * line.bytes + i * 4);
  const pieces = layout.scaleOfHalf ? 2 : 1;
  const quads = quadsOfBlock / pieces;
  for (let piece = 0; piece < pieces; piece++) {
    const products = sums.map((row, i) => row.map(() => (line.starts > 0 ? k.copyVec(number(i, piece)) : k.variable())));
    for (let quad = piece * quads; quad < (piece + 1) * quads; quad++) {
      const weights = Array.from({ length: vectors }, (_, j) => word(quad, j));
      products.forEach((row, i) => {
        const bytes = k.splat(quants, i * line.bytes + quad * 4);
        row.forEach((product, j) => product.accumulateBytes(weights[j]!, bytes));
      });
    }
    const scales = Array.from({ length: vectors }, (_, j) => word(quadsOfBlock + piece, j));
    sums.forEach((row, i) => {
      const scale = number(i, line.starts);
      row.forEach((sum, j) => sum.accumulate(products[i]![j]!.toFloat().mul(scales[j]!), scale));
    });
  }
  if (layout.sign === 0) return;
  const minima = Array.from({ length: vectors }, (_, j) => word(quadsOfBlock + 1, j));
  sums.forEach((row, i) => {
    const sum = number(i, line.starts + 1);
    row.forEach((total, j) => total.accumulate(minima[j]!, sum));
  });
}
