// The three products of a linear layer (forward, gradient of the input, gradient of the weight), by packing B into panels and
// walking register tiles over them (Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication").
import type { Target } from "../ir.ts";
import { type Builder, type Int, kernel, type Vec } from "../language.ts";
import { eachStep, type LeftOperand, panelWidth, type Start, tileProduct } from "./product.ts";

/** nt: a[M,K] · b[N,K]ᵀ; nn: a[M,K] · b[K,N]; tn: a[K,M]ᵀ · b[K,N]. The result is [M, N]. */
export type MatmulForm = "nt" | "nn" | "tn";

export interface MatmulSizes {
  readonly form: MatmulForm;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Depth of a packed block: a panel of it stays in the first-level cache, a block of panels in the second. */
const blockDepth = 256;
/** Columns that share a unit of work: 256 × 256 floats of B are a quarter of the second-level cache. */
const blockColumns = 256;

/** Bytes of B packed: [block of depth][panel][depth in the block][panel width], the last panel padded with zeros. */
export function packedBytes(target: Target, sizes: { readonly n: number; readonly k: number }): number {
  return Math.ceil(sizes.n / panelWidth(target)) * panelWidth(target) * sizes.k * 4;
}

/** Packs B into panels; one unit a panel. Pointers: b, packed. */
export const packMatrix = kernel<{ form: MatmulForm; n: number; k: number }>("packMatrix", (k, { form, n, k: depth }) => {
  const { b, packed } = k.pointers("b", "packed");
  const { begin, end } = k.range();
  const width = panelWidth(k.target);
  const panels = Math.ceil(n / width);
  const pack = form === "nt" ? packTransposed : packRows;
  k.loop(begin, end, 1, (panel) => {
    const run = (columns: number) =>
      eachStep(k, depth, blockDepth, (length, first) => {
        const blockStart = typeof first === "number" ? packed.add(first * panels * width * 4) : packed.add(first.mul(panels * width * 4));
        pack(k, { b, n, depth, first, length, columns, column: panel.mul(width), to: blockStart.add(panel.mul(length * width * 4)) });
      });
    k.blocks(panel, n, width, run);
  });
  return { units: panels };
});

interface Packing {
  readonly b: Int;
  readonly n: number;
  readonly depth: number;
  /** First depth step of the block, and how many. */
  readonly first: Int | number;
  readonly length: number;
  /** Columns that exist in this panel, and the first of them. */
  readonly columns: number;
  readonly column: Int;
  readonly to: Int;
}

/** From b[K, N]: rows of the panel are pieces of rows. */
function packRows(k: Builder, { b, n, first, length, columns, column, to }: Packing): void {
  const width = panelWidth(k.target);
  const start = typeof first === "number" ? column.add(first * n) : column.add(first.mul(n));
  const from = b.add(start.mul(4));
  const target = k.copy(to);
  k.loop(from, from.add(length * n * 4), n * 4, (row) => {
    k.lanes(
      width,
      (at) => {
        const left = columns - at.offset / 4;
        const value = left >= k.laneCount ? k.load(row, at) : left > 0 ? k.load(row, { ...at, span: left }) : k.constant(0);
        k.store(value, target, at);
      },
      k.target.tile.vectors,
    );
    target.bump(width * 4);
  });
}

/** From b[N, K]: squares of lanes × lanes are transposed in registers. */
function packTransposed(k: Builder, { b, depth, first, length, columns, column, to }: Packing): void {
  const width = panelWidth(k.target);
  const lanes = k.laneCount;
  const row = b.add(column.mul(depth * 4)).add(typeof first === "number" ? first * 4 : first.mul(4));
  eachStep(k, length, lanes, (count, step) => {
    const from = row.add(typeof step === "number" ? step * 4 : step.mul(4));
    const target = to.add(typeof step === "number" ? step * width * 4 : step.mul(width * 4));
    const span = count === lanes ? "full" : count;
    for (let j = 0; j < width; j += lanes) {
      const rows = Array.from({ length: lanes }, (_, i) =>
        j + i < columns ? k.load(from, { offset: 0, span, copy: 0 }, (j + i) * depth * 4) : k.constant(0),
      );
      const turned = k.transpose(rows.map((v) => k.copyVec(v)));
      for (let p = 0; p < count; p++) k.store(turned[p]!, target, { offset: (p * width + j) * 4, span: "full", copy: 0 });
    }
  });
}

/** C = A · packed B, or C += with `accumulate`. Pointers: a, packed, c. One unit a block of rows and columns. */
export const matmul = kernel<MatmulSizes & { accumulate: boolean }>("matmul", (k, sizes) => {
  const { a, packed, c } = k.pointers("a", "packed", "c");
  const { begin, end } = k.range();
  const { m, n } = sizes;
  const width = panelWidth(k.target);
  const panels = Math.ceil(n / width);
  const rowsOf = rowBlock(m, k.target.tile.rows);
  const rowBlocks = Math.ceil(m / rowsOf);
  const columnBlocks = Math.ceil((panels * width) / blockColumns);
  const panelsOf = Math.ceil(panels / columnBlocks);
  k.loop(begin, end, 1, (unit) => {
    const panel = unit.rem(columnBlocks).mul(panelsOf);
    const block = { row: unit.div(columnBlocks), panel, lastPanel: panel.add(panelsOf).min(panels) };
    eachStep(k, sizes.k, blockDepth, (length, first) => depthBlock(k, sizes, { a, packed, c }, block, length, first));
  });
  return { units: rowBlocks * columnBlocks };
});

function depthBlock(
  k: Builder,
  sizes: MatmulSizes & { accumulate: boolean },
  { a, packed, c }: { a: Int; packed: Int; c: Int },
  { row, panel, lastPanel }: { row: Int; panel: Int; lastPanel: Int },
  length: number,
  first: Int | number,
): void {
  const { m, n, form } = sizes;
  const width = panelWidth(k.target);
  const panels = Math.ceil(n / width);
  const strides = form === "tn" ? { rowStride: 4, depthStride: m * 4 } : { rowStride: sizes.k * 4, depthStride: 4 };
  const rowsOf = rowBlock(m, k.target.tile.rows);
  const left = a
    .add(row.mul(rowsOf * strides.rowStride))
    .add(typeof first === "number" ? first * strides.depthStride : first.mul(strides.depthStride));
  const blockStart = packed.add(typeof first === "number" ? first * panels * width * 4 : first.mul(panels * width * 4));
  const start: Start = sizes.accumulate ? "load" : typeof first === "number" ? (first === 0 ? "zero" : "load") : { first };
  k.loop(panel, lastPanel, 1, (p) => {
    const right = blockStart.add(p.mul(length * width * 4));
    const result = { base: c.add(row.mul(rowsOf * n * 4)).add(p.mul(width * 4)), rowStride: n * 4 };
    k.blocks(p, n, width, (columns) =>
      k.blocks(row, m, rowsOf, (rows) => rowTiles(k, rows, columns, length, { base: left, ...strides }, right, result, start)),
    );
  });
}

function rowTiles(
  k: Builder,
  rows: number,
  columns: number,
  depth: number,
  left: LeftOperand,
  right: Int,
  result: { base: Int; rowStride: number },
  start: Start,
): void {
  eachStep(k, rows, k.target.tile.rows, (count, first) => {
    const by = (stride: number) => (typeof first === "number" ? first * stride : first.mul(stride));
    const a = { ...left, base: left.base.add(by(left.rowStride)) };
    const b = { base: right, depthStride: panelWidth(k.target) * 4 };
    tileProduct(k, { rows: count, columns }, depth, a, b, { ...result, base: result.base.add(by(result.rowStride)) }, start);
  });
}

/** Rows of a unit of work: enough to reuse a panel, few enough that threads share small products evenly. */
function rowBlock(m: number, tileRows: number): number {
  const wanted = m > 512 ? 64 : 32;
  return Math.ceil(wanted / tileRows) * tileRows;
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
