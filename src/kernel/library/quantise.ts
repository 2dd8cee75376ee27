// Rows of activations as bytes: blocks of 32 with a float32 scale, to nearest (as ggml's block_q8_0 does), laid out for what reads them.
import type { Target } from "../ir.ts";
import { type Builder, type Int, kernel, type Vec } from "../language.ts";
import { blockWeights, type QuantisedType, quantisedLayouts, spansOf, weightByteOf } from "./quantised-blocks.ts";
import { type Live, rowAt, rowLimit, splitOfRows } from "./rows.ts";

/** Rows [m, k] that are quantised to meet weights of a type. */
export interface QuantisedRows extends Live {
  readonly type: QuantisedType;
  readonly m: number;
  readonly k: number;
}

/** A block's 32 bytes as vectors of int32 lanes, and its scale in every lane: x = scale · q. */
export interface QuantisedBlock {
  readonly quants: readonly Vec[];
  readonly scale: Vec;
}

/** Magnitudes below it count as zero: the inverse scale must be finite. */
const smallest = 2 ** -100;

/** The 32 numbers at from + offset bytes. */
export function quantiseBlock(k: Builder, from: Int, offset: number): QuantisedBlock {
  const values = Array.from({ length: blockWeights / k.laneCount }, (_, i) =>
    k.load(from, { offset: offset + i * k.laneCount * 4, span: "full", copy: 0 }),
  );
  const largest = values
    .map((v) => v.abs())
    .reduce((a, b) => a.max(b))
    .maximum();
  const isZero = largest.less(k.constant(smallest));
  const inverse = isZero.select(k.constant(0), k.constant(127).div(largest));
  // Bytes know no NaN: where a value is no number or infinite, the scale becomes NaN, and so does every product with the block.
  const poison = values
    .map((v) => v.sub(v))
    .reduce((a, b) => a.add(b))
    .sum();
  const scale = isZero.select(k.constant(0), largest.mul(k.constant(1 / 127))).add(poison);
  return { quants: values.map((v) => v.mul(inverse).round().toInt()), scale };
}

/**
 * A row for {@link quantisedMatmul}: its k bytes, then for every block the sums that its integer products start from (−zero · Σ q, one per piece),
 * its scale, and where the type has minima sign · scale · Σ q, one per piece.
 */
export interface LineLayout {
  readonly bytes: number;
  /** Bytes that a block has behind the row's quants. */
  readonly blockBytes: number;
  readonly starts: 0 | 1 | 2;
}

/** The layout of a row of k elements that meets weights of this type on this target. */
export function lineLayout(target: Target, type: QuantisedType, k: number): LineLayout {
  const { sign, pieces } = spansOf(type, k).layout;
  const { zero } = weightByteOf(target, type);
  const starts = zero === 0 ? 0 : pieces;
  const blockBytes = (starts + 1 + (sign === 0 ? 0 : pieces)) * 4;
  return { bytes: k + (k / blockWeights) * blockBytes, blockBytes, starts };
}

/** Bytes of `m` rows quantised by {@link quantiseLines}. */
export function quantisedLinesBytes(target: Target, { type, m, k }: QuantisedRows): number {
  return m * lineLayout(target, type, k).bytes;
}

/** Quantises rows for {@link quantisedMatmul} with weights of this type; magnitudes up to 1e36, beyond which sums overflow. Pointers: x [m, k], lines, and live where there are live rows. One unit per row. */
export const quantiseLines = kernel<QuantisedRows>("quantiseLines", (k, { type, m, k: depth, live }) => {
  const { x, lines } = k.pointers("x", "lines");
  const limit = rowLimit(k, { rows: m, ...(live && { live }) });
  const { begin, end } = k.range();
  const { bytes } = lineLayout(k.target, type, depth);
  k.loop(begin, end.min(limit), 1, (row) => quantiseLine(k, type, depth, rowAt(x, row, depth), lines.add(row.mul(bytes))));
  return splitOfRows(m, limit, 1);
});

/** Whether rows that were quantised for one type serve another, too. */
export function isSameLine(target: Target, one: QuantisedType, other: QuantisedType): boolean {
  const shape = (type: QuantisedType) => [quantisedLayouts[type].sign, quantisedLayouts[type].pieces, weightByteOf(target, type).zero];
  return one === other || String(shape(one)) === String(shape(other));
}

/** Quantises a row of `depth` numbers to a line for weights of a type. */
export function quantiseLine(k: Builder, type: QuantisedType, depth: number, from: Int, line: Int): void {
  const numbers = k.copy(line.add(depth));
  const { blockBytes } = lineLayout(k.target, type, depth);
  k.loop(0, depth, blockWeights, (i) => {
    quantiseToLine(k, type, from.add(i.mul(4)), { quants: line.add(i), numbers });
    numbers.bump(blockBytes);
  });
}

/** Where a line has a block's bytes, and where it has its numbers. */
export interface BlockOfLine {
  readonly quants: Int;
  readonly numbers: Int;
}

/** Quantises 32 numbers to a block of a line for weights of a type. */
export function quantiseToLine(k: Builder, type: QuantisedType, from: Int, to: BlockOfLine): void {
  const { sign, pieces } = quantisedLayouts[type];
  const { zero } = weightByteOf(k.target, type);
  const starts = zero === 0 ? 0 : pieces;
  const { quants, scale } = quantiseBlock(k, from, 0);
  quants.forEach((v, j) => k.storeNarrow("u8", v, to.quants, undefined, j * k.laneCount));
  const sums = sumsOf(quants, pieces);
  if (zero !== 0) sums.forEach((sum, j) => k.storeScalar(sum.mul(k.constant(-zero)).toInt(), to.numbers, j * 4));
  k.storeScalar(scale, to.numbers, starts * 4);
  if (sign !== 0) sums.forEach((sum, j) => k.storeScalar(sum.mul(scale).mul(k.constant(sign)), to.numbers, (starts + 1 + j) * 4));
}

/** Σ q of a block, or of each half, as floats: exact. */
function sumsOf(quants: readonly Vec[], pieces: 1 | 2): Vec[] {
  const size = quants.length / pieces;
  return Array.from({ length: pieces }, (_, i) =>
    quants
      .slice(i * size, (i + 1) * size)
      .reduce((a, b) => a.intAdd(b))
      .toFloat()
      .sum(),
  );
}
