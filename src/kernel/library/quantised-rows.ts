// What reads quantised weights row by row, as they lie in the file: a few rows of activations times a matrix, and rows of a table.
import { type Builder, type Int, kernel, type Vec } from "../language.ts";
import { groupVectors, spanBytes } from "./quantise.ts";
import { type BlockPlace, BlockReader, blockWeights, halves, type QuantisedType, type Spans, spansOf } from "./quantised-blocks.ts";
import { eachRow, rowAt } from "./rows.ts";

export interface QuantisedSizes {
  readonly type: QuantisedType;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Rows of w in a unit. */
const unitRows = 16;

/**
 * y[m, n] = x[m, k] · w[n, k]ᵀ for a few rows, quantised by {@link quantiseRows}; integer products, float32 sums. Reads w once.
 * Pointers: rows, w, y. One unit a block of w's rows.
 */
export const quantisedRowsTimesMatrix = kernel<QuantisedSizes>("quantisedRowsTimesMatrix", (k, { type, m, n, k: depth }) => {
  const { rows, w, y } = k.pointers("rows", "w", "y");
  const spans = spansOf(k.target, type, depth);
  const units = eachRow(
    k,
    n,
    k.range(),
    (row) => dotRow(k, spans, m, rows, w.add(row.mul(spans.rowBytes)), y.add(row.mul(4)), n),
    unitRows,
  );
  return { units };
});

function dotRow(k: Builder, spans: Spans, m: number, rows: Int, from: Int, y: Int, n: number): void {
  const sums = Array.from({ length: m }, () => k.variable());
  const at = k.copy(rows);
  const dot = (w: Int, superblocks: number) => {
    const reader = new BlockReader(k, spans.layout, w, superblocks);
    spans.groups.forEach((places, i) => dotGroup(k, spans, reader, places, at, i, sums));
  };
  const rest = spans.superblocksOfRow % spans.superblocks;
  const end = from.add((spans.superblocksOfRow - rest) * spans.layout.bytes);
  k.loop(from, end, spans.superblocks * spans.layout.bytes, (w) => {
    dot(w, spans.superblocks);
    at.bump(spanBytes(k.target, spans));
  });
  if (rest > 0) dot(end, rest);
  sums.forEach((sum, i) => k.storeScalar(sum.sum(), y, i * n * 4));
}

/** sum += scale · (Σ q · x − zero · Σ x) + minimum · Σ x, for every row of activations. */
function dotGroup(k: Builder, spans: Spans, reader: BlockReader, places: readonly BlockPlace[], at: Int, group: number, sums: Vec[]) {
  const { layout, count } = spans;
  const quants = halves.map((half) => layout.quants(reader, places, half));
  const scales = (layout.scaleOfHalf ? halves : ([0] as const)).map((half) => layout.scale(reader, places, half));
  const minimum = layout.minimum?.(reader, places);
  sums.forEach((sum, row) => {
    const vector = (i: number) => {
      const offset = row * count * spanBytes(k.target, spans) + (group * groupVectors(spans) + i) * k.laneCount * 4;
      return k.load(at, { offset, span: "full", copy: 0 });
    };
    scales.forEach((scale, i) => {
      const product = k.variable();
      for (const half of layout.scaleOfHalf ? [i] : halves) product.accumulateBytes(quants[half]!, vector(half));
      const scaled = layout.zero > 0 ? product.toFloat().fma(vector(2), vector(3 + i)) : product.toFloat().mul(vector(2));
      sum.accumulate(scaled, scale);
    });
    if (minimum) sum.accumulate(minimum, vector(3));
  });
}

/** Vectors that {@link unpackGroup} writes: quants of both halves, scales of both, the minimum. */
export const unpackedVectors = 5;

/** Everything there is to know of a group's blocks into memory, `stride` bytes from vector to vector: what cannot stay in lanes goes on from there. */
export function unpackGroup(spans: Spans, reader: BlockReader, places: readonly BlockPlace[], to: Int, stride: number): void {
  const { layout } = spans;
  const { k } = reader;
  const put = (value: Vec, i: number) => k.store(value, to, { offset: i * stride, span: "full", copy: 0 });
  for (const half of halves) put(layout.quants(reader, places, half), half);
  const first = layout.scale(reader, places, 0);
  put(first, 2);
  put(layout.scaleOfHalf ? layout.scale(reader, places, 1) : first, 3);
  put(layout.minimum?.(reader, places) ?? k.constant(0), 4);
}

export interface QuantisedTable {
  readonly type: QuantisedType;
  readonly rows: number;
  readonly channels: number;
  readonly vocabulary: number;
}

/** y[n] = table[tokens[n]] in float32; an index outside [0, vocabulary) reads the nearest row instead. Pointers: table, tokens i32 [rows], y. */
export const quantisedEmbeddingRows = kernel<QuantisedTable>("quantisedEmbeddingRows", (k, { type, rows, channels, vocabulary }) => {
  const { table, tokens, y } = k.pointers("table", "tokens", "y");
  const range = k.range();
  const spans = spansOf(k.target, type, channels);
  const weights = spans.blocksOfSuperblock * blockWeights;
  const units = eachRow(k, rows, range, (row) => {
    const token = k
      .loadInt(rowAt(tokens, row, 1))
      .max(0)
      .min(vocabulary - 1);
    const from = table.add(token.mul(spans.rowBytes));
    const to = k.copy(rowAt(y, row, channels));
    const rest = spans.superblocksOfRow % spans.superblocks;
    const end = from.add((spans.superblocksOfRow - rest) * spans.layout.bytes);
    k.loop(from, end, spans.superblocks * spans.layout.bytes, (superblocks) => {
      dequantiseSpan(k, spans, superblocks, spans.superblocks, to, range.scratch);
      to.bump(spans.superblocks * weights * 4);
    });
    if (rest > 0) dequantiseSpan(k, spans, end, rest, to, range.scratch);
  });
  return { units, scratchBytes: unpackedVectors * k.laneCount * 4 };
});

function dequantiseSpan(k: Builder, spans: Spans, from: Int, superblocks: number, y: Int, scratch: Int): void {
  const reader = new BlockReader(k, spans.layout, from, superblocks);
  for (const places of spans.groups) {
    unpackGroup(spans, reader, places, scratch, k.laneCount * 4);
    places.forEach(({ superblock, block }, part) => {
      const to = y.add((superblock * spans.blocksOfSuperblock + block) * blockWeights * 4);
      if (superblock < superblocks) dequantiseBlock(k, spans, scratch.add(part * 16), to);
    });
  }
}

/** @param part where the block's part of the first unpacked vector is. */
function dequantiseBlock(k: Builder, { layout }: Spans, part: Int, to: Int): void {
  const vector = k.laneCount * 4;
  for (const half of halves) {
    const scale = k.splat(part, (2 + half) * vector);
    const minimum = k.splat(part, 4 * vector).mul(k.constant(layout.sign));
    for (let i = 0; i < 16; i += k.laneCount) {
      const quants = k.loadNarrow("u8", part, undefined, half * vector + i);
      const value = quants.intSub(k.intConstant(layout.zero)).toFloat().mul(scale);
      k.store(layout.sign !== 0 ? value.add(minimum) : value, to, { offset: (half * 16 + i) * 4, span: "full", copy: 0 });
    }
  }
}
