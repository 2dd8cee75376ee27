// The largest elements of rows, falling, of equal ones the first first. Elements stand in groups, and groups in blocks, whose maxima are kept, so that taking an
// element looks at the maxima of blocks, at those of one block's groups and at one group. Elements are only read: of a group they leave in falling order, so that
// the last one taken says which are left.
// Shapes: R rows, V columns, B blocks of a row, G groups of a row.
import { type Builder, type Int, kernel, type Position, type Vec } from "../language.ts";
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
const groupsOfBlock = columnsOfBlock / group;
/** What NaN and −∞ count as: they are taken last. A group of which all are taken has the maximum −∞. */
const lowest = -3.4028234663852886e38;

/** G, the groups of a row's blocks; those behind the row's end are empty. */
export function groupsOfRow(sizes: Pick<RowSizes, "columns">): number {
  return blocksOfRow(sizes) * groupsOfBlock;
}

/** The maxima of a block's groups, −∞ of those that are empty. Pointers: x [R, V], maxima [R, G]. */
export const topKBlocks = kernel<RowSizes>("topKBlocks", (k, sizes) => {
  const { x, maxima } = k.pointers("x", "maxima");
  return eachRowBlock(k, sizes, ({ start, index, size }) => {
    const [from, to] = [x.add(start), rowAt(maxima, index, groupsOfBlock)];
    const update = (index: Int, count: number) => {
      const elements = rowAt(from, index, group);
      k.storeScalar(
        largestOf(k, count, (at) => counted(k, elements, at)),
        rowAt(to, index, 1),
      );
    };
    const full = Math.floor(size / group);
    k.loop(0, full, 1, (index) => update(index, group));
    if (size % group > 0) update(k.int(full), size % group);
    const groups = Math.ceil(size / group);
    if (groups < groupsOfBlock) fill(k, to.add(groups * 4), groupsOfBlock - groups, k.constant(Number.NEGATIVE_INFINITY));
  });
});

/** The row's k largest. Pointers: x [R, V], maxima [R, G], which are written over, y [R, k], yIds i32 [R, k]. A unit is a row. */
export const topKMerge = kernel<TopKSizes>("topKMerge", (k, sizes) => {
  const { x, maxima, y, yIds } = k.pointers("x", "maxima", "y", "yIds");
  const [blocks, groups] = [blocksOfRow(sizes), groupsOfRow(sizes)];
  const merge = (row: Int, scratch: Int) => {
    const [from, ofGroups] = [rowAt(x, row, sizes.columns), rowAt(maxima, row, groups)];
    const [to, toIds] = [rowAt(y, row, sizes.k), rowAt(yIds, row, sizes.k)];
    const ofBlocks = scratch;
    const behind = ofBlocks.add(blocks * 4); // the place behind which elements as large as the maximum are left, per group
    const number = behind.add(groups * 4);
    const updateBlock = (block: Int) => {
      const values = rowAt(ofGroups, block, groupsOfBlock);
      k.storeScalar(
        largestOf(k, groupsOfBlock, (at) => k.load(values, at)),
        rowAt(ofBlocks, block, 1),
      );
    };
    fill(k, behind, groups, k.constant(-1));
    k.loop(0, blocks, 1, updateBlock);
    k.loop(0, sizes.k, 1, (rank) => {
      const largest = largestOf(k, blocks, (at) => k.load(ofBlocks, at));
      const block = asInt(
        k,
        placeOf(k, blocks, (at) => k.load(ofBlocks, at), largest),
        number,
      );
      const values = rowAt(ofGroups, block, groupsOfBlock);
      const place = asInt(
        k,
        placeOf(k, groupsOfBlock, (at) => k.load(values, at), largest),
        number,
      );
      const index = block.mul(groupsOfBlock).add(place);
      const [maximum, bound] = [rowAt(ofGroups, index, 1), rowAt(behind, index, 1)];
      k.blocks(index, sizes.columns, group, (count) => {
        const taken = takeFrom(k, { elements: rowAt(from, index, group), count, largest, bound, maximum });
        const id = index.mul(group).add(asInt(k, taken, number));
        k.storeInt(id, rowAt(toIds, rank, 1));
        k.storeScalar(k.splat(rowAt(from, id, 1)), rowAt(to, rank, 1));
      });
      updateBlock(block);
    });
  };
  return { ...eachLiveRow(k, sizes, merge, 1), scratchBytes: (blocks + groups + 1) * 4 };
});

/** A group, its maximum and where these are kept. */
interface Group {
  readonly elements: Int;
  readonly count: number;
  readonly largest: Vec;
  readonly bound: Int;
  readonly maximum: Int;
}

/** Takes the first element that is left of the largest, and keeps what the group has then. @returns its place, in every lane */
function takeFrom(k: Builder, { elements, count, largest, bound, maximum }: Group): Vec {
  const gone = k.constant(Number.NEGATIVE_INFINITY);
  const place = placeOf(k, count, (at) => counted(k, elements, at), largest, k.splat(bound));
  const left = largestOf(k, count, (at) => {
    const value = counted(k, elements, at);
    const later = place.less(indexAt(k, at).toFloat()).select(value, gone);
    return value.equals(largest).select(later, value.less(largest).select(value, gone));
  });
  k.storeScalar(left, maximum);
  k.storeScalar(left.equals(largest).select(place, k.constant(-1)), bound);
  return place;
}

function counted(k: Builder, elements: Int, at: Position): Vec {
  return k.constant(lowest).max(k.load(elements, at));
}

/** Larger than any index in question; float32 has every integer below it. */
const indexLimit = 2 ** 24;

/** The first place of `count`, and behind `after`, whose value is `wanted`: float32, in every lane. */
function placeOf(k: Builder, count: number, value: (at: Position) => Vec, wanted: Vec, after?: Vec): Vec {
  const [limit, least] = [k.constant(indexLimit), k.variable(indexLimit)];
  k.lanes(count, (at) => {
    const index = indexAt(k, at).toFloat();
    const later = after === undefined ? index : after.less(index).select(index, limit);
    least.set(least.min(value(at).equals(wanted).select(later, limit).within(at.span, limit)));
  });
  return least.neg().maximum().neg();
}

/** A number that all lanes hold, by way of memory. */
function asInt(k: Builder, value: Vec, number: Int): Int {
  k.storeScalar(value.toInt(), number);
  return k.loadInt(number);
}
