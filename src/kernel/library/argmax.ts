// Where rows are largest. Shapes: R rows, V columns, B blocks of a row.
import { type Builder, type Int, kernel, type Position, type Vec } from "../language.ts";
import { blocksOfRow, columnsOfBlock, eachRowBlock, indexAt, indexLimit, type RowSizes, smallest } from "./row-blocks.ts";
import { eachLiveRow, rowAt } from "./rows.ts";

/** Every block's largest value and where in the row it is, as float32. Pointers: x [R, V], values [R, B], indices [R, B]. */
export const argmaxBlocks = kernel<RowSizes>("argmaxBlocks", (k, sizes) => {
  const { x, values, indices } = k.pointers("x", "values", "indices");
  const units = eachRowBlock(k, sizes, ({ block, start, index, size }) => {
    const first = k.splatInt(block.mul(columnsOfBlock));
    const from = x.add(start);
    const best = largestAndFirst(
      k,
      size,
      (at) => k.load(from, at),
      (at) => indexAt(k, at).intAdd(first).toFloat(),
    );
    k.storeScalar(best.value, rowAt(values, index, 1));
    k.storeScalar(best.index, rowAt(indices, index, 1));
  });
  return { units };
});

/** The row's from its blocks'. Pointers: values [R, B], indices [R, B], ids i32 [R]. */
export const argmaxMerge = kernel<RowSizes>("argmaxMerge", (k, sizes) => {
  const { values, indices, ids } = k.pointers("values", "indices", "ids");
  const blocks = blocksOfRow(sizes);
  const units = eachLiveRow(k, sizes, (row) => {
    const [value, index] = [rowAt(values, row, blocks), rowAt(indices, row, blocks)] as [Int, Int];
    const best = largestAndFirst(
      k,
      blocks,
      (at) => k.load(value, at),
      (at) => k.load(index, at),
    );
    k.storeScalar(best.index.toInt(), rowAt(ids, row, 1));
  });
  return { units };
});

/** The largest value and the smallest of its indices, which rise with the position; index 0 where nothing is above −∞. */
function largestAndFirst(
  k: Builder,
  count: number,
  value: (at: Position) => Vec,
  index: (at: Position) => Vec,
): { value: Vec; index: Vec } {
  const lowest = k.constant(Number.NEGATIVE_INFINITY);
  const [best, where] = [k.copyVec(lowest), k.variable()];
  k.lanes(count, (at) => {
    const candidate = value(at).within(at.span, lowest);
    const isBetter = best.less(candidate);
    best.set(isBetter.select(candidate, best));
    where.set(isBetter.select(index(at), where));
  });
  const largest = best.maximum();
  return { value: largest, index: smallest(best.equals(largest).select(where, k.constant(indexLimit))) };
}
