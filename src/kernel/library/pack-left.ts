// The left factor of a matrix product as register tiles want it: a few tiles at a time over a block of depth, packed by the thread that multiplies them.
import type { Precision } from "../../base/index.ts";
import type { Target } from "../ir.ts";
import type { Builder, Int, Position, Vec } from "../language.ts";
import { eachWord, elementsOf, type MatmulForm } from "./pack.ts";
import { type LeftOperand, scaled } from "./product.ts";
import type { Live } from "./rows.ts";

/** What packing A must know of a product. */
export interface LeftSizes extends Live {
  readonly form: MatmulForm;
  readonly m: number;
  readonly k: number;
  readonly precision: Precision;
}

/** Rows [first, last) of A and of C. */
export interface RowRange {
  readonly first: Int;
  readonly last: Int;
}

/**
 * Tiles of `rows` rows of a range, which begins with one; rows below the last whole tile of C make one of their own.
 * Where the last row is known at run time only, tiles of fewer and fewer rows reach it.
 */
export function eachTile(
  k: Builder,
  { m, live }: { readonly m: number } & Live,
  rows: number,
  { first, last }: RowRange,
  body: RowTile,
): void {
  if (live) return eachLiveTile(k, Math.min(rows, m), { first, last }, body);
  const whole = m - (m % rows);
  if (whole > 0) k.loop(first, last.min(whole), rows, (row) => body(rows, row));
  if (whole < m) k.if(last, ">", whole, () => body(m % rows, k.int(whole)));
}

type RowTile = (rows: number, row: Int) => void;

/** Tiles of `most` rows while there are as many, then of half as many, and so on down to single rows. */
function eachLiveTile(k: Builder, most: number, { first, last }: RowRange, body: RowTile): void {
  const row = k.copy(first);
  for (let rows = most; rows > 0; rows = Math.floor(rows / 2)) {
    const end = row.add(last.sub(row).div(rows).mul(rows));
    k.loop(row, end, rows, (row) => body(rows, row));
    row.set(end);
  }
}

/** Rows of A that are packed together: in tn, whole cache lines of A's rows at once, so that each is fetched once. */
export function groupRows({ tile }: Target, { form }: Pick<LeftSizes, "form">): number {
  return form === "tn" ? leastCommonMultiple(tile.rows, 16) : tile.rows;
}

function leastCommonMultiple(a: number, b: number): number {
  let multiple = a;
  while (multiple % b > 0) multiple += a;
  return multiple;
}

/** Words of a block of A's depth, and where it begins, in words. */
export interface DepthBlock {
  /** Words of this block: the last block of a row may have fewer than the others. */
  readonly length: number;
  readonly first: Int | number;
}

/** Bytes of scratch for a group of `length` words of depth. */
export function leftBytes(target: Target, sizes: LeftSizes, length: number): number {
  return groupRows(target, sizes) * (length + rowPadding) * 4;
}

/** Words behind each row: rows a multiple of 4096 bytes apart compete for one set of the first-level cache, in A as it lies and here. */
const rowPadding = 16;

/** A group of rows of A over a block of its depth. */
export interface LeftGroup {
  readonly a: Int;
  readonly range: RowRange;
  readonly block: DepthBlock;
}

/** Packs a group to `to`. @returns where the tile that begins with a row of it lies. */
export function packLeft(k: Builder, sizes: LeftSizes, group: LeftGroup, to: Int): (row: Int) => LeftOperand {
  const { range, block } = group;
  const { rows } = k.target.tile;
  const byColumn = sizes.form === "tn";
  const rowBytes = (byColumn ? block.length : block.length + rowPadding) * 4;
  const place = (row: Int) => to.add(row.sub(range.first).mul(rowBytes));
  if (byColumn) packColumns(k, sizes, group, place);
  else packLines(k, sizes, group, to, rowBytes);
  const strides = byColumn ? { rowStride: 4, depthStride: rows * 4 } : { rowStride: rowBytes, depthStride: 4 };
  return (row) => ({ base: place(row), ...strides });
}

/** Packs pieces of rows of a[M, K]. Two bfloat16 that follow each other are a word. */
function packLines(k: Builder, { k: depth, precision }: LeftSizes, { a, range, block }: LeftGroup, to: Int, rowBytes: number): void {
  const { first, last } = range;
  const per = elementsOf(precision);
  const column = scaled(block.first, per * 4);
  const lines = (elements: number) => {
    const target = k.copy(to);
    k.loop(first, last, 1, (row) => {
      const line = a.add(row.mul(depth * 4)).add(column);
      if (elements % per > 0) k.storeScalar(k.constant(0), target, (elements - 1) * 2); // half of this word stays
      k.lanes(elements, (at) => storeElements(k, precision, k.load(line, at), target, at), 4);
      target.bump(rowBytes);
    });
  };
  const whole = per * block.length;
  const rest = depth % whole;
  if (typeof block.first === "number" || rest === 0) lines(Math.min(depth, whole));
  else
    k.if(
      block.first,
      "<",
      (depth - rest) / per,
      () => lines(whole),
      () => lines(rest),
    );
}

/** Asks for one of `shares` parts of the group that follows another, so that it is near when it is packed; the part is number `share`. */
export function prefetchLeft(k: Builder, sizes: LeftSizes, { a, range: { last }, block }: LeftGroup, share: Int, shares: number): void {
  const { form, m, k: depth, precision } = sizes;
  const elements = elementsOf(precision) * block.length;
  const first = scaled(block.first, elementsOf(precision));
  // A row of A has a piece of the group as long as the group in form tn; in the other forms a row of the group is a piece of a row of A.
  const [rows, bytes, row, column] =
    form === "tn" ? [elements, groupRows(k.target, sizes) * 4, first, last] : [groupRows(k.target, sizes), elements * 4, last, first];
  const stride = (form === "tn" ? m : depth) * 4;
  const each = Math.ceil(rows / shares);
  const from = a
    .add(scaled(row, stride))
    .add(scaled(column, 4))
    .add(share.mul(each * stride));
  k.loop(from, from.add(each * stride), stride, (line) => {
    for (let at = 0; at < bytes; at += 64) k.prefetch(line, at);
  });
}

function storeElements(k: Builder, precision: Precision, value: Vec, base: Int, at: Position): void {
  if (precision === "bfloat16") k.storeNarrow("bf16", value, base, at);
  else k.store(value, base, at);
}

/** Packs pieces of columns of a[K, M], which lie in rows; every row is read once for all tiles. */
function packColumns(k: Builder, sizes: LeftSizes, { a, range, block }: LeftGroup, place: (row: Int) => Int): void {
  const { m, k: depth, precision } = sizes;
  const per = elementsOf(precision);
  const base = a.add(scaled(block.first, per * m * 4));
  const count =
    typeof block.first === "number"
      ? depth
      : k
          .int(depth)
          .sub(block.first.mul(per))
          .min(per * block.length);
  const offset = k.int(0);
  eachWord(k, per, { base, stride: m * 4, count }, ([low, high]) => {
    eachTile(k, sizes, k.target.tile.rows, range, (rows, row) => {
      const target = place(row).add(offset);
      const column = row.mul(4);
      const value = (line: Int | undefined, at: Position) => (line === undefined ? k.constant(0) : k.load(line.add(column), at));
      k.lanes(rows, (at) => k.store(per === 1 ? value(low, at) : value(low, at).pairBf16(value(high, at)), target, at), 8);
    });
    offset.bump(k.target.tile.rows * 4);
  });
}
