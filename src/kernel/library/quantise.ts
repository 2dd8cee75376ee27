// Rows of activations as bytes: blocks of 32 with a float32 scale, to nearest (as ggml's block_q8_0 does), laid out for what reads them.
import type { Target } from "../ir.ts";
import { type Builder, type Int, kernel, type Vec } from "../language.ts";
import { type BlockPlace, blockWeights, halves, type QuantisedType, type Spans, spansOf } from "./quantised-blocks.ts";

export interface QuantisedRows {
  readonly type: QuantisedType;
  readonly m: number;
  readonly k: number;
}

/** A block's 32 bytes as vectors of int32 lanes, and its scale in every lane: x = scale · q. */
interface QuantisedBlock {
  readonly quants: readonly Vec[];
  readonly scale: Vec;
}

/** Magnitudes below it count as zero: the inverse scale must be finite. */
const smallest = 2 ** -100;

function quantiseBlock(k: Builder, from: Int, offset: number): QuantisedBlock {
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
 * A group of blocks for {@link quantisedRowsTimesMatrix}, vectors all: bytes of the first and the second half of each block, scales, then
 * Σ scale · q by lane, of whole blocks or of each half, times −zero or the minimum's sign. A part is a block, in the order of the weights.
 */
export function groupVectors({ layout }: Spans): number {
  return layout.scaleOfHalf ? 5 : 4;
}

/** Bytes of `m` rows quantised by {@link quantiseRows}. */
export function quantisedRowsBytes(target: Target, { type, m, k }: QuantisedRows): number {
  const spans = spansOf(target, type, k);
  return m * spans.count * spanBytes(target, spans);
}

export function spanBytes({ lanes }: Target, spans: Spans): number {
  return spans.groups.length * groupVectors(spans) * lanes * 4;
}

/** Quantises rows for {@link quantisedRowsTimesMatrix} with weights of this type; magnitudes up to 1e36, beyond which sums overflow. Pointers: x [m, k], rows. One unit a span of blocks. */
export const quantiseRows = kernel<QuantisedRows>("quantiseRows", (k, { type, m, k: depth }) => {
  const { x, rows } = k.pointers("x", "rows");
  const { begin, end } = k.range();
  const spans = spansOf(k.target, type, depth);
  const superblockBytes = spans.blocksOfSuperblock * blockWeights * 4;
  k.loop(begin, end, 1, (unit) => {
    const span = unit.rem(spans.count);
    const from = x.add(unit.div(spans.count).mul(depth * 4)).add(span.mul(spans.superblocks * superblockBytes));
    const to = rows.add(unit.mul(spanBytes(k.target, spans)));
    k.blocks(span, spans.superblocksOfRow, spans.superblocks, (present) =>
      spans.groups.forEach((places, i) => {
        const group = to.add(i * groupVectors(spans) * k.laneCount * 4);
        places.forEach((place, part) => quantisePart(k, from, place, group, part, place.superblock < present, spans));
        sumParts(k, group, spans);
      }),
    );
  });
  return { units: m * spans.count };
});

function quantisePart(k: Builder, from: Int, { superblock, block }: BlockPlace, to: Int, part: number, isPresent: boolean, spans: Spans) {
  const vector = k.laneCount * 4;
  const one = { offset: part * 16, span: k.laneCount === 4 ? ("full" as const) : 4, copy: 0 };
  if (!isPresent) return [0, 1, 2].forEach((i) => void k.store(k.constant(0), to, one, i * vector));
  const { quants, scale } = quantiseBlock(k, from, (superblock * spans.blocksOfSuperblock + block) * blockWeights * 4);
  quants.forEach((v, i) => {
    const weight = i * k.laneCount;
    k.storeNarrow("u8", v, to, undefined, Math.floor(weight / 16) * vector + part * 16 + (weight % 16));
  });
  return k.store(scale, to, one, 2 * vector);
}

function sumParts(k: Builder, group: Int, { layout }: Spans): void {
  const at = (i: number) => ({ offset: i * k.laneCount * 4, span: "full" as const, copy: 0 });
  const factor = k.load(group, at(2)).mul(k.constant(layout.sign || -layout.zero));
  const sums = halves.map((half) => {
    const sum = k.variable();
    sum.accumulateBytes(k.intConstant(0x01010101), k.load(group, at(half)));
    return sum;
  });
  const wanted = layout.scaleOfHalf ? sums : [sums[0]!.intAdd(sums[1]!)];
  wanted.forEach((sum, i) => k.store(sum.toFloat().mul(factor), group, at(3 + i)));
}

/**
 * A row for {@link quantisedMatmul}: its k bytes, then for every block the sums that its integer products start from (−zero · Σ q, one or one
 * a half), its scale, and where the type has minima sign · scale · Σ q.
 */
export interface LineLayout {
  readonly bytes: number;
  /** Of a block behind the row's quants. */
  readonly blockBytes: number;
  readonly starts: 0 | 1 | 2;
}

export function lineLayout(target: Target, type: QuantisedType, k: number): LineLayout {
  const { layout } = spansOf(target, type, k);
  const starts = layout.zero === 0 ? 0 : layout.scaleOfHalf ? 2 : 1;
  const blockBytes = (starts + 1 + (layout.sign === 0 ? 0 : 1)) * 4;
  return { bytes: k + (k / blockWeights) * blockBytes, blockBytes, starts };
}

/** Bytes of `m` rows quantised by {@link quantiseLines}. */
export function quantisedLinesBytes(target: Target, { type, m, k }: QuantisedRows): number {
  return m * lineLayout(target, type, k).bytes;
}

/** Quantises rows for {@link quantisedMatmul} with weights of this type. Pointers: x [m, k], lines. One unit a row. */
export const quantiseLines = kernel<QuantisedRows>("quantiseLines", (k, { type, m, k: depth }) => {
  const { x, lines } = k.pointers("x", "lines");
  const { begin, end } = k.range();
  const { layout } = spansOf(k.target, type, depth);
  const { bytes, blockBytes, starts } = lineLayout(k.target, type, depth);
  k.loop(begin, end, 1, (row) => {
    const line = lines.add(row.mul(bytes));
    const numbers = k.copy(line.add(depth));
    k.loop(0, depth, blockWeights, (i) => {
      const { quants, scale } = quantiseBlock(k, x.add(row.mul(depth * 4)).add(i.mul(4)), 0);
      quants.forEach((v, j) => k.storeNarrow("u8", v, line.add(i), undefined, j * k.laneCount));
      const sums = sumsOf(quants, starts === 2 ? 2 : 1);
      if (starts > 0) sums.forEach((sum, j) => k.storeScalar(sum.mul(k.constant(-layout.zero)).toInt(), numbers, j * 4));
      k.storeScalar(scale, numbers, starts * 4);
      if (layout.sign !== 0) k.storeScalar(sums[0]!.mul(scale).mul(k.constant(layout.sign)), numbers, (starts + 1) * 4);
      numbers.bump(blockBytes);
    });
  });
  return { units: m };
});

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
