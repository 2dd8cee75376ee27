// The three products of a linear layer (forward, gradient of the input, gradient of the weight): B is packed into panels once, A a block
// at a time by the thread that needs it, and register tiles walk over both (Goto & van de Geijn 2008, "Anatomy of high-performance
// matrix multiplication"). A packed word is a float32, or two bfloat16 that follow each other in depth.
import type { Precision } from "../../base/index.ts";
import type { Target } from "../ir.ts";
import { type Builder, type Int, kernel, type Position, type Vec } from "../language.ts";
import { type Depth, eachStep, type LeftOperand, panelWidth, type Start, scaled, tileProduct } from "./product.ts";

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
}

/** Depth of a block in words: a panel of it nearly fills the first-level cache, a block of panels a quarter of the second. */
const blockDepth = 256;
/** Columns that share a unit of work. */
const blockColumns = 512;

/** Depth in words. */
function wordsOf({ k, precision }: Pick<PackSizes, "k" | "precision">): number {
  return precision === "bfloat16" ? Math.ceil(k / 2) : k;
}

/** Bytes of B packed: [panel][word of depth][panel width], the last panel padded with zeros. */
export function packedBytes(target: Target, sizes: Pick<PackSizes, "n" | "k" | "precision">): number {
  return Math.ceil(sizes.n / panelWidth(target)) * panelWidth(target) * wordsOf(sizes) * 4;
}

/** Packs B into panels; one unit a panel. Pointers: b, packed. */
export const packMatrix = kernel<PackSizes>("packMatrix", (k, sizes) => {
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
function packRows(k: Builder, { n, k: depth, precision }: PackSizes, { b, columns, column, to }: Packing): void {
  const width = panelWidth(k.target);
  const target = k.copy(to);
  eachWord(k, precision, { base: b.add(column.mul(4)), stride: n * 4, count: depth }, (word) => {
    k.lanes(
      width,
      (at) =>
        k.store(
          word((row) => loadFirst(k, row, at, columns)),
          target,
          at,
        ),
      k.target.tile.vectors,
    );
    target.bump(width * 4);
  });
}

/** What exists of a vector in a row of `columns`, then zeros. */
function loadFirst(k: Builder, row: Int, at: Position, columns: number): Vec {
  const left = columns - at.offset / 4;
  if (left >= k.laneCount) return k.load(row, at);
  return left > 0 ? k.load(row, { ...at, span: left }) : k.constant(0);
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
function packTransposed(k: Builder, { k: depth, precision }: PackSizes, { b, columns, column, to }: Packing): void {
  const width = panelWidth(k.target);
  const lanes = k.laneCount;
  const row = b.add(column.mul(depth * 4));
  eachStep(k, depth, lanes, (count, step) => {
    const from = row.add(scaled(step, 4));
    const target = to.add(scaled(step, (width * 4) / elementsOf(precision)));
    const span = count === lanes ? "full" : count;
    for (let j = 0; j < width; j += lanes) {
      const rows = Array.from({ length: lanes }, (_, i) =>
        j + i < columns ? k.load(from, { offset: 0, span, copy: 0 }, (j + i) * depth * 4) : k.variable(),
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

/** C = A · packed B, or C += with `accumulate`. Pointers: a, packed, c. One unit a block of rows and columns. */
export const matmul = kernel<MatmulSizes & { accumulate: boolean }>("matmul", (k, sizes) => {
  const { a, packed, c } = k.pointers("a", "packed", "c");
  const { scratch, begin, end } = k.range();
  const { m, n, accumulate } = sizes;
  const depth = wordsOf(sizes);
  const panels = Math.ceil(n / panelWidth(k.target));
  const columnBlocks = Math.ceil((panels * panelWidth(k.target)) / blockColumns);
  const panelsOf = Math.ceil(panels / columnBlocks);
  const rowsOf = rowBlock(m, columnBlocks, k.target.tile.rows);
  const length = depthOfBlock(depth);
  k.loop(begin, end, 1, (unit) => {
    const firstPanel = unit.rem(columnBlocks).mul(panelsOf);
    const block = { firstRow: unit.div(columnBlocks).mul(rowsOf), rowsOf, firstPanel, panelsOf };
    const multiply = (first: Int | number, steps: Depth, start: Start) =>
      eachTile(k, m, block, (rows, row) => {
        const left = packLeft(k, sizes, { a, rows, row, first, to: scratch });
        const result = { base: c.add(row.mul(n * 4)), rowStride: n * 4 };
        tileRow(k, sizes, block, rows, steps, left, packed.add(scaled(first, panelWidth(k.target) * 4)), result, start);
      });
    if (length >= depth) return multiply(0, depth, accumulate ? "load" : "zero");
    k.loop(0, depth, length, (first) => {
      const steps = k.int(depth).sub(first).min(length);
      multiply(first, { steps, rest: depth % k.target.tile.unroll }, accumulate ? "load" : { first });
    });
  });
  return { units: Math.ceil(m / rowsOf) * columnBlocks, scratchBytes: leftBytes(k.target, sizes) };
});

/** The part of C that a unit makes: its rows, and its panels of columns. */
interface Block {
  readonly firstRow: Int;
  readonly rowsOf: number;
  readonly firstPanel: Int;
  readonly panelsOf: number;
}

/** Words of depth in a block: blocks are equal, of whole vectors, but for the last. */
function depthOfBlock(depth: number): number {
  const blocks = Math.ceil(depth / (blockDepth * 1.25));
  return Math.ceil(depth / blocks / 16) * 16;
}

/** The register tiles of a block of rows; the rows that are left below the last whole tile of C make one of their own. */
function eachTile(k: Builder, m: number, { firstRow, rowsOf }: Block, body: (rows: number, row: Int) => void): void {
  const { rows } = k.target.tile;
  const whole = m - (m % rows);
  const last = firstRow.add(rowsOf);
  if (whole > 0) k.loop(firstRow, last.min(whole), rows, (row) => body(rows, row));
  if (whole < m) k.if(last, ">", whole, () => body(m % rows, k.int(whole)));
}

/** A row of tiles over one block of depth: what is packed of A stays in the first-level cache while the panels go by. */
function tileRow(
  k: Builder,
  sizes: MatmulSizes,
  { firstPanel, panelsOf }: Block,
  rows: number,
  steps: Depth,
  left: LeftOperand,
  packed: Int,
  result: { base: Int; rowStride: number },
  start: Start,
): void {
  const { n, precision } = sizes;
  const width = panelWidth(k.target);
  const tile = (panel: Int, columns: number) => {
    const right = { base: packed.add(panel.mul(wordsOf(sizes) * width * 4)), depthStride: width * 4 };
    tileProduct(k, { rows, columns, precision }, steps, left, right, { ...result, base: result.base.add(panel.mul(width * 4)) }, start);
  };
  const whole = Math.floor(n / width);
  const last = firstPanel.add(panelsOf);
  if (whole > 0) k.loop(firstPanel, last.min(whole), 1, (panel) => tile(panel, width));
  if (n % width > 0) k.if(last, ">", whole, () => tile(k.int(whole), n % width));
}

interface LeftPacking {
  readonly a: Int;
  /** Rows of the tile, and the first of them. */
  readonly rows: number;
  readonly row: Int;
  /** First word of the block. */
  readonly first: Int | number;
  readonly to: Int;
}

/** A tile's rows of A over a block of depth, where they lie close together: in A, they may compete for one set of the first-level cache. */
function packLeft(k: Builder, sizes: MatmulSizes, packing: LeftPacking): LeftOperand {
  const strides = leftStrides(k.target, sizes);
  (sizes.form === "tn" ? packColumns : packLines)(k, sizes, packing, strides);
  return { base: packing.to, ...strides };
}

interface Strides {
  readonly rowStride: number;
  readonly depthStride: number;
}

function leftStrides({ tile }: Target, sizes: MatmulSizes): Strides {
  if (sizes.form === "tn") return { rowStride: 4, depthStride: tile.rows * 4 };
  return { rowStride: (depthOfBlock(wordsOf(sizes)) + rowPadding) * 4, depthStride: 4 };
}

/** Words behind each row: rows a multiple of 4096 bytes apart would compete as well. */
const rowPadding = 16;

function leftBytes({ tile }: Target, sizes: MatmulSizes): number {
  return tile.rows * (depthOfBlock(wordsOf(sizes)) + rowPadding) * 4;
}

/** From a[M, K]: pieces of rows. Two bfloat16 that follow each other are a word. */
function packLines(k: Builder, sizes: MatmulSizes, { a, row, rows, first, to }: LeftPacking, { rowStride }: Strides): void {
  const { k: depth, precision } = sizes;
  const per = elementsOf(precision);
  const from = a.add(row.mul(depth * 4)).add(scaled(first, per * 4));
  const lines = (count: number) => {
    const target = k.copy(to);
    k.loop(from, from.add(rows * depth * 4), depth * 4, (line) => {
      if (count % per > 0) k.storeScalar(k.constant(0), target, (count - 1) * 2); // half of this word stays
      k.lanes(count, (at) => storeElements(k, precision, k.load(line, at), target, at), 4);
      target.bump(rowStride);
    });
  };
  const length = per * depthOfBlock(wordsOf(sizes));
  const rest = depth % length;
  if (typeof first === "number" || rest === 0) lines(Math.min(depth, length));
  else
    k.if(
      first,
      "<",
      (depth - rest) / per,
      () => lines(length),
      () => lines(rest),
    );
}

function storeElements(k: Builder, precision: Precision, value: Vec, base: Int, at: Position): void {
  if (precision === "bfloat16") k.storeNarrow("bf16", value, base, at);
  else k.store(value, base, at);
}

/** From a[K, M]: pieces of columns, which lie in rows. */
function packColumns(k: Builder, sizes: MatmulSizes, { a, row, rows, first, to }: LeftPacking, { depthStride }: Strides): void {
  const { m, k: depth, precision } = sizes;
  const per = elementsOf(precision);
  const base = a.add(row.mul(4)).add(scaled(first, per * m * 4));
  const count =
    typeof first === "number"
      ? depth
      : k
          .int(depth)
          .sub(first.mul(per))
          .min(per * depthOfBlock(wordsOf(sizes)));
  const target = k.copy(to);
  eachWord(k, precision, { base, stride: m * 4, count }, (word) => {
    k.lanes(
      rows,
      (at) =>
        k.store(
          word((line) => k.load(line, at)),
          target,
          at,
        ),
      8,
    );
    target.bump(depthStride);
  });
}

/** Rows of a unit of work: many, to read B seldom; but so few that threads share the work evenly. */
function rowBlock(m: number, columnBlocks: number, tileRows: number): number {
  const units = Math.max(1, Math.ceil(24 / columnBlocks));
  const wanted = Math.min(192, Math.max(24, m / units));
  return Math.ceil(m / Math.ceil(m / wanted) / tileRows) * tileRows;
}

/** Rows of A up to which {@link rowsTimesMatrix} beats packing. */
export const fewRows = 4;

/** y[M,N] = x[M,K] · w[N,K]ᵀ for M ≤ 4: reads w once, as it lies (decoding a token). Pointers: x, w, y. One unit a block of w's rows. */
export const rowsTimesMatrix = kernel<{ m: number; n: number; k: number }>("rowsTimesMatrix", (k, { m, n, k: depth }) => {
  const { x, w, y } = k.pointers("x", "w", "y");
  const { begin, end } = k.range();
  const tile = m <= 2 ? 4 : 2;
  const unitRows = 32;
  const dots = (from: Int, count: number) => {
    const sums = Array.from({ length: m }, () => Array.from({ length: count }, () => k.variable()));
    const row = w.add(from.mul(depth * 4));
    k.lanes(depth, (at) => {
      const weights = Array.from({ length: count }, (_, j) => k.load(row, at, j * depth * 4));
      sums.forEach((line, i) => {
        const value = k.load(x, at, i * depth * 4);
        line.forEach((sum, j) => sum.accumulate(value, weights[j]!));
      });
    });
    const to = y.add(from.mul(4));
    sums.forEach((line, i) => line.forEach((sum: Vec, j) => k.storeScalar(sum.sum(), to, (i * n + j) * 4)));
  };
  k.loop(begin, end, 1, (unit) => {
    const first = unit.mul(unitRows);
    k.blocks(unit, n, unitRows, (count) => eachStep(k, count, tile, (size, j) => dots(first.add(j), size)));
  });
  return { units: Math.ceil(n / unitRows) };
});
