// How kernels over long rows, such as logits, split into units: a row in blocks of columns, whose results another kernel merges.
import type { Builder, Int, Position, Split, Vec } from "../language.ts";
import { type Live, rowLimit, splitOfRows } from "./rows.ts";

/** Columns of a block. */
export const columnsOfBlock = 4096;

/** Sizes R and V of rows that are cut into blocks, so that threads share a long one. */
export interface RowSizes extends Live {
  readonly rows: number;
  readonly columns: number;
}

/** The number of blocks of a row. */
export function blocksOfRow({ columns }: Pick<RowSizes, "columns">): number {
  return Math.ceil(columns / columnsOfBlock);
}

/** A block of a row: its number in the row, and the addresses' offsets of its first element and of its place among all blocks' results. */
export interface RowBlock {
  readonly row: Int;
  readonly block: Int;
  /** Bytes from the start of the matrix. */
  readonly start: Int;
  /** Row · blocks + block. */
  readonly index: Int;
  readonly size: number;
  readonly scratch: Int;
}

/** Runs `body` for the blocks of live rows, in a kernel that has declared its other pointers. @returns how the kernel splits into units: one per block. */
export function eachRowBlock(k: Builder, sizes: RowSizes, body: (block: RowBlock) => void): Split {
  const { rows, columns } = sizes;
  const limit = rowLimit(k, sizes);
  const { scratch, begin, end } = k.range();
  const blocks = blocksOfRow(sizes);
  k.loop(begin, end, 1, (index) => {
    const [row, block] = [index.div(blocks), index.rem(blocks)];
    const start = row.mul(columns * 4).add(block.mul(columnsOfBlock * 4));
    k.if(row, "<", limit, () => k.blocks(block, columns, columnsOfBlock, (size) => body({ row, block, start, index, size, scratch })));
  });
  return splitOfRows(rows * blocks, limit, 1, blocks);
}

/** The number of the element at a position, counted from the row's start. */
export function indexAt(k: Builder, at: Position): Vec {
  const first = at.index ? at.index.add(at.offset).div(4) : k.int(at.offset / 4);
  return k.iota().intAdd(k.splatInt(first));
}

/** The largest of `count` elements, −∞ where there is nothing larger; NaN counts as nothing. In every lane. */
export function largestOf(k: Builder, count: number, value: (at: Position) => Vec): Vec {
  const lowest = k.constant(Number.NEGATIVE_INFINITY);
  const most = k.copyVec(lowest);
  k.lanes(count, (at) => most.maxTo(value(at).within(at.span, lowest)));
  return most.maximum();
}
