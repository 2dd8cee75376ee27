// Factors of a matrix product as its register tiles want them: B in panels, packed once for everybody, A a few tiles at a time for one thread.
// A packed word is a float32, or two bfloat16 that follow each other in depth.
import { elementLayouts, type Precision } from "../../base/index.ts";
import type { Target } from "../ir.ts";
import { type Builder, type Int, kernel, type Position, type Vec } from "../language.ts";
import { eachStep, type LeftOperand, panelWidth, scaled } from "./product.ts";
import { loadPlain, type PlainType } from "./weights.ts";

/** nt: a[M,K] · b[N,K]ᵀ; nn: a[M,K] · b[K,N]; tn: a[K,M]ᵀ · b[K,N]. The result is [M, N]. */
export type MatmulForm = "nt" | "nn" | "tn";

/** A right factor as it is packed: B has N columns and K rows, whichever way they lie. */
export interface PackSizes {
  readonly form: MatmulForm;
  readonly n: number;
  readonly k: number;
  /** What both factors are rounded to; sums are float32. */
  readonly precision: Precision;
}

export interface MatmulSizes extends PackSizes {
  readonly m: number;
  /** Numbers from a row of A to the next, where A is a part of wider rows: k by default. Not in form tn. */
  readonly leftStride?: number;
  /** The same of C: n by default. */
  readonly resultStride?: number;
}

/** Depth in words. */
export function wordsOf({ k, precision }: Pick<PackSizes, "k" | "precision">): number {
  return precision === "bfloat16" ? Math.ceil(k / 2) : k;
}

/** Bytes of B packed: [panel][word of depth][panel width], the last panel padded with zeros. */
export function packedBytes(target: Target, sizes: Pick<PackSizes, "n" | "k" | "precision">): number {
  return Math.ceil(sizes.n / panelWidth(target)) * panelWidth(target) * wordsOf(sizes) * 4;
}

/** A right factor whose elements may have 16 bits where it lies; float32 by default. */
export interface PackedFrom extends PackSizes {
  readonly type?: PlainType;
}

/** Packs B into panels; one unit a panel. Pointers: b, packed. */
export const packMatrix = kernel<PackedFrom>("packMatrix", (k, sizes) => {
  const { b, packed } = k.pointers("b", "packed");
  const { begin, end } = k.range();
  const width = panelWidth(k.target);
  const pack = sizes.form === "nt" ? packTransposed : packRows;
  k.loop(begin, end, 1, (panel) => {
    const to = packed.add(panel.mul(wordsOf(sizes) * width * 4));
    k.blocks(panel, sizes.n, width, (columns) => pack(k, sizes, { b, columns, column: panel.mul(width), to }));
  });
  return { units: Math.ceil(sizes.n / width) };
});

interface Packing {
  readonly b: Int;
  /** Columns that exist in this panel, and the first of them. */
  readonly columns: number;
  readonly column: Int;
  readonly to: Int;
}

/** From b[K, N]: rows of the panel are pieces of rows, or of pairs of rows. */
function packRows(k: Builder, { n, k: depth, precision, type = "f32" }: PackedFrom, { b, columns, column, to }: Packing): void {
  const width = panelWidth(k.target);
  const { bytes } = elementLayouts[type];
  const target = k.copy(to);
  eachWord(k, precision, { base: b.add(column.mul(bytes)), stride: n * bytes, count: depth }, (word) => {
    k.lanes(
      width,
      (at) =>
        k.store(
          word((row) => loadFirst(k, type, row, at, columns)),
          target,
          at,
        ),
      k.target.tile.vectors,
    );
    target.bump(width * 4);
  });
}

/** What exists of a vector in a row of `columns`, then zeros. */
function loadFirst(k: Builder, type: PlainType, row: Int, at: Position, columns: number): Vec {
  const left = columns - at.offset / 4;
  if (left >= k.laneCount) return loadPlain(k, type, row, at);
  return left > 0 ? loadPlain(k, type, row, { ...at, span: left }) : k.constant(0);
}

interface Rows {
  readonly base: Int;
  readonly stride: number;
  readonly count: Int | number;
}

/** Runs `body` for every word of depth; `word` makes vectors of it from what `load` finds in a row: one row, or two, zeros below the last. */
function eachWord(
  k: Builder,
  precision: Precision,
  { base, stride, count }: Rows,
  body: (word: (load: (row: Int) => Vec) => Vec) => void,
): void {
  const end = base.add(scaled(count, stride));
  if (precision === "float32") return k.loop(base, end, stride, (row) => body((load) => load(row)));
  const even = typeof count === "number" ? count - (count % 2) : count.div(2).mul(2);
  const middle = base.add(scaled(even, stride));
  k.loop(base, middle, 2 * stride, (row) => body((load) => load(row).pairBf16(load(row.add(stride)))));
  if (count !== even) k.loop(middle, end, stride, (row) => body((load) => load(row).pairBf16(k.constant(0))));
}

/** From b[N, K]: squares of lanes × lanes are transposed in registers. */
function packTransposed(k: Builder, { k: depth, precision, type = "f32" }: PackedFrom, { b, columns, column, to }: Packing): void {
  const width = panelWidth(k.target);
  const lanes = k.laneCount;
  const { bytes } = elementLayouts[type];
  const row = b.add(column.mul(depth * bytes));
  eachStep(k, depth, lanes, (count, step) => {
    const from = row.add(scaled(step, bytes));
    const target = to.add(scaled(step, (width * 4) / elementsOf(precision)));
    const span = count === lanes ? "full" : count;
    for (let j = 0; j < width; j += lanes) {
      const rows = Array.from({ length: lanes }, (_, i) =>
        j + i < columns ? loadPlain(k, type, from, { offset: 0, span, copy: 0 }, (j + i) * depth) : k.variable(),
      );
      const turned = k.transpose(rows).slice(0, count);
      const words = precision === "bfloat16" ? pairs(k, turned) : turned;
      words.forEach((word, p) => k.store(word, target, { offset: (p * width + j) * 4, span: "full", copy: 0 }));
    }
  });
}

function elementsOf(precision: Precision): number {
  return precision === "bfloat16" ? 2 : 1;
}

function pairs(k: Builder, rows: readonly Vec[]): Vec[] {
  return Array.from({ length: Math.ceil(rows.length / 2) }, (_, p) => rows[2 * p]!.pairBf16(rows[2 * p + 1] ?? k.constant(0)));
}

/** Rows [first, last) of A and of C. */
export interface RowRange {
  readonly first: Int;
  readonly last: Int;
}

/** The register tiles of a range of rows, which begins with one; rows below the last whole tile of C make one of their own. */
export function eachTile(k: Builder, m: number, { first, last }: RowRange, body: (rows: number, row: Int) => void): void {
  const { rows } = k.target.tile;
  const whole = m - (m % rows);
  if (whole > 0) k.loop(first, last.min(whole), rows, (row) => body(rows, row));
  if (whole < m) k.if(last, ">", whole, () => body(m % rows, k.int(whole)));
}

/** Rows of A that are packed together: in tn, whole cache lines of A's rows at once, so that each is fetched once. */
export function groupRows({ tile }: Target, { form }: PackSizes): number {
  return form === "tn" ? leastCommonMultiple(tile.rows, 16) : tile.rows;
}

function leastCommonMultiple(a: number, b: number): number {
  let multiple = a;
  while (multiple % b > 0) multiple += a;
  return multiple;
}

/** Words of a block of A's depth, and where it begins, in words. */
export interface DepthBlock {
  /** As many words as any block has; the last may have fewer. */
  readonly length: number;
  readonly first: Int | number;
}

/** Bytes of scratch for a group of `length` words of depth. */
export function leftBytes(target: Target, sizes: MatmulSizes, length: number): number {
  return groupRows(target, sizes) * (length + rowPadding) * 4;
}

/** Words behind each row: rows a multiple of 4096 bytes apart compete for one set of the first-level cache, in A as it lies and here. */
const rowPadding = 16;

/** Packs a group of rows over a block of depth to `to`. @returns where the tile that begins with a row of it lies. */
export function packLeft(k: Builder, sizes: MatmulSizes, a: Int, range: RowRange, block: DepthBlock, to: Int): (row: Int) => LeftOperand {
  const { rows } = k.target.tile;
  const byColumn = sizes.form === "tn";
  const rowBytes = (byColumn ? block.length : block.length + rowPadding) * 4;
  const place = (row: Int) => to.add(row.sub(range.first).mul(rowBytes));
  if (byColumn) packColumns(k, sizes, a, range, block, place);
  else eachTile(k, sizes.m, range, (count, row) => packLines(k, sizes, a, { count, row }, block, place(row), rowBytes));
  const strides = byColumn ? { rowStride: 4, depthStride: rows * 4 } : { rowStride: rowBytes, depthStride: 4 };
  return (row) => ({ base: place(row), ...strides });
}

/** From a[M, K]: pieces of rows. Two bfloat16 that follow each other are a word. */
function packLines(
  k: Builder,
  sizes: MatmulSizes,
  a: Int,
  rows: { readonly count: number; readonly row: Int },
  block: DepthBlock,
  to: Int,
  rowBytes: number,
): void {
  const { k: depth, precision, leftStride = depth } = sizes;
  const per = elementsOf(precision);
  const from = a.add(rows.row.mul(leftStride * 4)).add(scaled(block.first, per * 4));
  const lines = (elements: number) => {
    const target = k.copy(to);
    k.loop(from, from.add(rows.count * leftStride * 4), leftStride * 4, (line) => {
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

/** Asks for one of `shares` parts of the group that follows `range`, so that it is near when it is packed; the part is number `share`. */
export function prefetchLeft(
  k: Builder,
  sizes: MatmulSizes,
  a: Int,
  { last }: RowRange,
  block: DepthBlock,
  share: Int,
  shares: number,
): void {
  const { form, m, k: depth, precision, leftStride = depth } = sizes;
  const elements = elementsOf(precision) * block.length;
  const first = scaled(block.first, elementsOf(precision));
  // In tn a row of A has a piece of the group as long as the group, in the other forms a row of the group is a piece of a row of A.
  const [rows, bytes, row, column] =
    form === "tn" ? [elements, groupRows(k.target, sizes) * 4, first, last] : [groupRows(k.target, sizes), elements * 4, last, first];
  const stride = (form === "tn" ? m : leftStride) * 4;
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

/** From a[K, M]: pieces of columns, which lie in rows; every row is read once for all tiles. */
function packColumns(k: Builder, sizes: MatmulSizes, a: Int, range: RowRange, block: DepthBlock, place: (row: Int) => Int): void {
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
  eachWord(k, precision, { base, stride: m * 4, count }, (word) => {
    eachTile(k, m, range, (rows, row) => {
      const target = place(row).add(offset);
      const column = row.mul(4);
      k.lanes(
        rows,
        (at) =>
          k.store(
            word((line) => k.load(line.add(column), at)),
            target,
            at,
          ),
        8,
      );
    });
    offset.bump(k.target.tile.rows * 4);
  });
}
