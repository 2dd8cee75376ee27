// Rows times a weight in float32, the weight as it lies in its file: nothing is packed, and a decoded token reads every weight once.
import { bytesOf, isQuantised } from "../../base/index.ts";
import { type Builder, type Int, kernel, type Vec } from "../language.ts";
import { eachStep, scaled } from "./product.ts";
import { loadPlain, type PlainType, type WeightType, widenRow, widenRowScratch } from "./weights.ts";

/** Rows of x that share a pass over the weights of a unit; up to so many, 16-bit weights are widened in registers. */
export const fewRows = 4;

export interface RowsTimesWeight {
  readonly type: WeightType;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/**
 * y[M,N] = x[M,K] · w[N,K]ᵀ. A sum has one accumulator a lane over the whole depth, so a row's bits do not depend on how many rows there are.
 * Weights of quantised layouts, and 16-bit ones for many rows, are widened in the thread's scratch. Pointers: x, w, y.
 * One unit a block of w's rows times a block of x's.
 */
export const rowsTimesWeight = kernel<RowsTimesWeight>("rowsTimesWeight", (k, { type, m, n, k: depth }) => {
  const { x, w, y } = k.pointers("x", "w", "y");
  const { scratch, begin, end } = k.range();
  const widens = isQuantised(type) || (type !== "f32" && m > fewRows);
  const [unitColumns, unitRows] = widens ? [widenedRows(depth), 128] : [32, 32];
  const rowBlocks = Math.ceil(m / unitRows);
  const rowBytes = bytesOf(type, [depth]);
  const small = widenRowScratch(k, type);
  const widened = scratch.add(small);
  k.loop(begin, end, 1, (unit) => {
    const [columnBlock, rowBlock] = rowBlocks === 1 ? [unit, 0] : [unit.div(rowBlocks), unit.rem(rowBlocks)];
    const first = columnBlock.mul(unitColumns);
    k.blocks(columnBlock, n, unitColumns, (columns) => {
      if (widens)
        k.loop(0, columns, 1, (j) => widenRow(k, type, depth, w.add(first.add(j).mul(rowBytes)), widened.add(j.mul(depth * 4)), scratch));
      const rowsOf = (j: Int | number): Weights =>
        isQuantised(type) || widens
          ? { type: "f32", row: widened.add(scaled(j, depth * 4)) }
          : { type, row: w.add(first.add(j).mul(rowBytes)) };
      const block = (rows: number, firstRow: Int | number) =>
        eachStep(k, rows, fewRows, (rows, i) => {
          const from = x.add(scaled(firstRow, depth * 4)).add(scaled(i, depth * 4));
          const to = y.add(scaled(firstRow, n * 4)).add(scaled(i, n * 4));
          eachStep(k, columns, rows <= 2 ? 4 : 2, (columns, j) =>
            dots(k, { rows, columns, n, depth }, from, rowsOf(j), to.add(first.add(j).mul(4))),
          );
        });
      if (typeof rowBlock === "number") block(m, 0);
      else k.blocks(rowBlock, m, unitRows, (rows) => block(rows, rowBlock.mul(unitRows)));
    });
  });
  return { units: Math.ceil(n / unitColumns) * rowBlocks, scratchBytes: widens ? small + unitColumns * depth * 4 : 0 };
});

/** As many rows as take about 256 KiB: they stay in the second-level cache while the rows of x go by. */
function widenedRows(depth: number): number {
  return Math.max(4, Math.min(32, 4 * Math.floor(2 ** 14 / depth)));
}

interface Dots {
  readonly rows: number;
  readonly columns: number;
  readonly n: number;
  readonly depth: number;
}

/** Rows of w, or of what it was widened to. */
interface Weights {
  readonly type: PlainType;
  readonly row: Int;
}

/** A tile of y: rows of x times rows of w, sum by sum. */
function dots(k: Builder, { rows, columns, n, depth }: Dots, x: Int, { type, row }: Weights, y: Int): void {
  const sums = Array.from({ length: rows }, () => Array.from({ length: columns }, () => k.variable()));
  k.lanes(depth, (at) => {
    const weights = Array.from({ length: columns }, (_, j) => loadPlain(k, type, row, at, j * depth));
    sums.forEach((line, i) => {
      const value = k.load(x, at, i * depth * 4);
      line.forEach((sum, j) => sum.accumulate(value, weights[j]!));
    });
  });
  sums.forEach((line, i) => line.forEach((sum: Vec, j) => k.storeScalar(sum.sum(), y, (i * n + j) * 4)));
}
