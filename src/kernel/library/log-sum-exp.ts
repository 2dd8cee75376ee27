// log Σ exp of rows, block by block against the block's largest element, then over the blocks in order. Shapes: R rows, V columns, B blocks of a row.
import { kernel } from "../language.ts";
import { exp, log } from "./math.ts";
import { blocksOfRow, eachRowBlock, largestOf, type RowSizes } from "./row-blocks.ts";
import { eachLiveRow, rowAt } from "./rows.ts";

/** Finite, so that −∞ less than it is −∞. */
const lowest = -3.4028234663852886e38;

/** Pointers: x [R, V], maxima [R, B], sums [R, B] of exponentials against them. */
export const logSumExpBlocks = kernel<RowSizes>("logSumExpBlocks", (k, sizes) => {
  const { x, maxima, sums } = k.pointers("x", "maxima", "sums");
  const split = eachRowBlock(k, sizes, ({ start, index, size }) => {
    const from = x.add(start);
    const largest = k.constant(lowest).max(largestOf(k, size, (at) => k.load(from, at)));
    const sum = k.sum(size, (at) => exp(k, k.load(from, at).sub(largest)));
    k.storeScalar(largest, rowAt(maxima, index, 1));
    k.storeScalar(sum, rowAt(sums, index, 1));
  });
  return split;
});

/** Pointers: maxima [R, B], sums [R, B], y [R]. */
export const logSumExpMerge = kernel<RowSizes>("logSumExpMerge", (k, sizes) => {
  const { maxima, sums, y } = k.pointers("maxima", "sums", "y");
  const blocks = blocksOfRow(sizes);
  const split = eachLiveRow(k, sizes, (row) => {
    const [max, part] = [rowAt(maxima, row, blocks), rowAt(sums, row, blocks)];
    const largest = largestOf(k, blocks, (at) => k.load(max, at));
    const sum = k.sum(blocks, (at) => k.load(part, at).mul(exp(k, k.load(max, at).sub(largest))));
    k.storeScalar(largest.add(log(k, sum)), rowAt(y, row, 1));
  });
  return split;
});
