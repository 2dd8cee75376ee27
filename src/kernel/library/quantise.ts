// Rows of activations as bytes: blocks of 32 with a float32 scale, to nearest (as ggml's block_q8_0 does), laid out for what reads them.
import type { Target } from "../ir.ts";
import { type Builder, type Int, kernel, type Vec } from "../language.ts";
import { float32Bits } from "../narrow.ts";
import { blockWeights, type QuantisedType, quantisedLayouts, spansOf, weightByteOf } from "./quantised-blocks.ts";
import { type Live, rowAt, rowLimit, splitOfRows } from "./rows.ts";

/** Rows [m, k] that are quantised to meet weights of a type. */
export interface QuantisedRows extends Live {
  readonly type: QuantisedType;
  readonly m: number;
  readonly k: number;
}

/** A block: x = scale · q. */
export interface QuantisedBlock {
  /** Lanes whose lowest byte is q. */
  readonly quants: readonly Vec[];
  /** Σ q of each piece as a float, in every lane: exact. */
  readonly sums: readonly Vec[];
  /** The same in every lane. */
  readonly scale: Vec;
}

/** Magnitudes below it count as zero: the inverse scale must be finite. */
const smallest = 2 ** -100;

/** Added to a small float it leaves the nearest integer in the lowest bits, ties to even; those of 12582912 are zero. */
const toInteger = 1.5 * 2 ** 23;

/** The 32 numbers at from + offset bytes, summed in halves where there are two pieces. */
export function quantiseBlock(k: Builder, from: Int, offset: number, pieces: 1 | 2 = 1): QuantisedBlock {
  const values = Array.from({ length: blockWeights / k.laneCount }, (_, i) =>
    k.load(from, { offset: offset + i * k.laneCount * 4, span: "full", copy: 0 }),
  );
  const largest = values
    .map((v) => v.abs())
    .reduce((a, b) => a.max(b))
    .maximum();
  const isZero = largest.less(k.constant(smallest));
  const inverse = isZero.select(k.constant(0), k.constant(127).div(largest));
  const quants = values.map((v) => v.mul(inverse).add(k.constant(toInteger)));
  const sums = sumsOf(k, quants, pieces);
  // Bytes know no NaN: where a value is no number or infinite, so is the sum, and the scale becomes NaN, and so does every product with the block.
  const poison = sums.map((sum) => sum.sub(sum)).reduce((a, b) => a.add(b));
  const scale = isZero.select(k.constant(0), largest.mul(k.constant(1 / 127))).add(poison);
  return { quants, sums, scale };
}

/** Σ q of a block, or of each half. */
function sumsOf(k: Builder, quants: readonly Vec[], pieces: 1 | 2): Vec[] {
  const size = quants.length / pieces;
  return Array.from({ length: pieces }, (_, i) =>
    quants
      .slice(i * size, (i + 1) * size)
      .map((v) => v.sub(k.constant(toInteger)))
      .reduce((a, b) => a.add(b))
      .sum(),
  );
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
  const { quants, sums, scale } = quantiseBlock(k, from, 0, pieces);
  quants.forEach((v, j) => k.storeNarrow("u8", v, to.quants, undefined, j * k.laneCount));
  if (zero !== 0) sums.forEach((sum, j) => k.storeScalar(smallInteger(k, sum.mul(k.constant(-zero))), to.numbers, j * 4));
  k.storeScalar(scale, to.numbers, starts * 4);
  if (sign !== 0) sums.forEach((sum, j) => k.storeScalar(sum.mul(scale).mul(k.constant(sign)), to.numbers, (starts + 1 + j) * 4));
}

/** The int32 of a float that holds an integer of less than 2²². */
function smallInteger(k: Builder, value: Vec): Vec {
  return value.add(k.constant(toInteger)).intSub(k.intConstant(float32Bits(toInteger)));
}
