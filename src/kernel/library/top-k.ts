// The largest elements of rows, falling, of equal ones the first first. A block keeps its k largest, and the same selection among those of all blocks
// finds the row's. Elements stand in groups whose maxima are kept, so that taking one looks at the maxima and at one group.
// Shapes: R rows, V columns, B blocks of a row.
import { type Builder, type Int, kernel, type Vec } from "../language.ts";
import { fill } from "./product.ts";
import { blocksOfRow, columnsOfBlock, eachRowBlock, indexAt, largestOf, type RowSizes } from "./row-blocks.ts";
import { eachLiveRow, rowAt } from "./rows.ts";

/** Sizes of rows, and how many of their elements are wanted. */
export interface TopKSizes extends RowSizes {
  /** How many are taken, at most V. */
  readonly k: number;
}

/** Elements of a group. */
const group = 64;
/** What NaN and −∞ count as: they are taken last, and what was taken is −∞. */
const lowest = -3.4028234663852886e38;

/** A block's k largest, as they count, and where in the row they are, int32; −∞ behind those of a short block. Pointers: x [R, V], values [R, B, k], ids i32 [R, B, k]. */
export const topKBlocks = kernel<TopKSizes>("topKBlocks", (k, sizes) => {
  const { x, values, ids } = k.pointers("x", "values", "ids");
  const split = eachRowBlock(k, sizes, ({ block, start, index, size, scratch }) => {
    const [value, id] = [rowAt(values, index, sizes.k), rowAt(ids, index, sizes.k)];
    const from = x.add(start);
    const count = Math.min(sizes.k, size);
    if (count < sizes.k) fill(k, value, sizes.k, k.constant(Number.NEGATIVE_INFINITY));
    if (count < sizes.k) fill(k, id, sizes.k, k.intConstant(0));
    k.lanes(size, (at) => k.store(counted(k, k.load(from, at)), scratch, at), 4);
    takeLargest(k, size, count, scratch, (rank, position, largest) => {
      k.storeScalar(largest, rowAt(value, rank, 1));
      k.storeInt(block.mul(columnsOfBlock).add(position), rowAt(id, rank, 1));
    });
  });
  return { ...split, scratchBytes: selectionBytes(Math.min(sizes.columns, columnsOfBlock)) };
});

/** The row's k largest from its blocks'. Pointers: x [R, V], values [R, B, k], ids i32 [R, B, k], y [R, k], yIds i32 [R, k]. A unit is a row. */
export const topKMerge = kernel<TopKSizes>("topKMerge", (k, sizes) => {
  const { x, values, ids, y, yIds } = k.pointers("x", "values", "ids", "y", "yIds");
  const count = blocksOfRow(sizes) * sizes.k;
  const merge = (row: Int, scratch: Int) => {
    const [value, id] = [rowAt(values, row, count), rowAt(ids, row, count)];
    const [to, toIds] = [rowAt(y, row, sizes.k), rowAt(yIds, row, sizes.k)];
    const from = rowAt(x, row, sizes.columns);
    k.lanes(count, (at) => k.store(k.load(value, at), scratch, at), 4);
    takeLargest(k, count, sizes.k, scratch, (rank, position) => {
      const found = k.loadInt(rowAt(id, position, 1));
      k.storeInt(found, rowAt(toIds, rank, 1));
      k.storeScalar(k.splat(rowAt(from, found, 1)), rowAt(to, rank, 1));
    });
  };
  return { ...eachLiveRow(k, sizes, merge, 1), scratchBytes: selectionBytes(count) };
});

function counted(k: Builder, value: Vec): Vec {
  return k.constant(lowest).max(value);
}

/** Scratch of {@link takeLargest}: the elements, the groups' maxima, and a number on its way to an address. */
function selectionBytes(count: number): number {
  return groupsOf(count) * (group + 1) * 4 + 4;
}

function groupsOf(count: number): number {
  return Math.ceil(count / group);
}

/** Takes the largest of `count` elements, `taken` times, and calls back with rank, position and value. The elements are written over. */
function takeLargest(k: Builder, count: number, taken: number, elements: Int, body: (rank: Int, position: Int, value: Vec) => void): void {
  const groups = groupsOf(count);
  const gone = k.constant(Number.NEGATIVE_INFINITY);
  const maxima = elements.add(groups * group * 4);
  const number = maxima.add(groups * 4);
  fill(k, elements.add(count * 4), groups * group - count, gone);
  const updateMaximum = (index: Int) => {
    const from = rowAt(elements, index, group);
    k.storeScalar(
      largestOf(k, group, (at) => k.load(from, at)),
      rowAt(maxima, index, 1),
    );
  };
  k.loop(0, groups, 1, updateMaximum);
  k.loop(0, taken, 1, (rank) => {
    const largest = largestOf(k, groups, (at) => k.load(maxima, at));
    const index = placeOf(k, groups, maxima, largest, number);
    const position = index.mul(group).add(placeOf(k, group, rowAt(elements, index, group), largest, number));
    body(rank, position, largest);
    k.storeScalar(gone, rowAt(elements, position, 1));
    updateMaximum(index);
  });
}

/** Larger than any index in question; float32 has every integer below it. */
const indexLimit = 2 ** 24;

/** The first of `count` elements that is `value`, by way of memory. */
function placeOf(k: Builder, count: number, from: Int, value: Vec, number: Int): Int {
  const least = k.variable(indexLimit);
  k.lanes(count, (at) => {
    const isIt = k.load(from, at).equals(value);
    const index = isIt.select(indexAt(k, at).toFloat(), k.constant(indexLimit)).within(at.span, k.constant(indexLimit));
    least.set(least.min(index));
  });
  k.storeScalar(least.neg().maximum().neg().toInt(), number);
  return k.loadInt(number);
}
