// The right factor of a matrix product as register tiles want it: in panels of columns, packed once for everybody. How the left factor's words lie
// is in pack-left.ts; a word of it is a float32, or two bfloat16 that follow each other in depth.
import { elementLayouts, type Precision } from "../../base/index.ts";
import type { Span, Target } from "../ir.ts";
import { type Builder, type Int, kernel, type Position, type Vec } from "../language.ts";
import { eachStep, type PanelWord, panelWidth, scaled } from "./product.ts";
import { panelToRows, type RowsAndPanel, rowsToPanel } from "./transpose-panels.ts";
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
  /** Elements of B as they lie before packing; float32 by default. */
  readonly type?: PlainType;
}

/** Panels lose no bit of a 16-bit factor, and bfloat16 is paired by its bits, whatever the precision. */
export function panelWord({ precision, type = "f32" }: Pick<PackSizes, "precision" | "type">): PanelWord {
  if (precision === "bfloat16" || type === "bf16") return "bf16 pair";
  return type;
}

/** Depth in words of A. */
export function wordsOf({ k, precision }: Pick<PackSizes, "k" | "precision">): number {
  return Math.ceil(k / elementsOf(precision));
}

/** Bytes that a word of A meets in a column of B. */
export function stepBytes(sizes: Pick<PackSizes, "precision" | "type">): 2 | 4 {
  return panelWord(sizes) === "f32" || sizes.precision === "bfloat16" ? 4 : 2;
}

/** Bytes of a panel of B. */
export function panelBytes(target: Target, sizes: Pick<PackSizes, "k" | "precision" | "type">): number {
  const elements = panelWord(sizes) === "bf16 pair" ? 2 * Math.ceil(sizes.k / 2) : sizes.k;
  return panelWidth(target) * elements * (panelWord(sizes) === "f32" ? 4 : 2);
}

/** Bytes of B packed: [panel][word of depth][panel width], the last panel padded with zeros. */
export function packedBytes(target: Target, sizes: Pick<PackSizes, "n" | "k" | "precision" | "type">): number {
  return Math.ceil(sizes.n / panelWidth(target)) * panelBytes(target, sizes);
}

/** Packs B into panels; one unit per panel. Pointers: b, packed. */
export const packMatrix = kernel<PackSizes>("packMatrix", (k, sizes) => {
  const { b, packed } = k.pointers("b", "packed");
  const { begin, end } = k.range();
  const pack = sizes.form === "nt" ? packTransposed : packRows;
  k.loop(begin, end, 1, (panel) => eachPanel(k, sizes, panel, packed, (packing) => pack(k, sizes, { b, ...packing })));
  return { units: Math.ceil(sizes.n / panelWidth(k.target)) };
});

/** Whether {@link unpackMatrix} can make B again: no bit was rounded away. */
export function keepsBits({ form, precision, type = "f32" }: PackSizes): boolean {
  return form === "nt" && (precision === "float32" || type === "bf16");
}

/** Makes B [N, K] of panels that {@link keepsBits}; one unit per panel. Pointers: packed, b. */
export const unpackMatrix = kernel<PackSizes>("unpackMatrix", (k, sizes) => {
  const { packed, b } = k.pointers("packed", "b");
  const { begin, end } = k.range();
  k.loop(begin, end, 1, (panel) =>
    eachPanel(k, sizes, panel, packed, (packing) => {
      const { word, rows, depth } = transposition(sizes, { b, ...packing });
      panelToRows(k, word, rows, depth);
    }),
  );
  return { units: Math.ceil(sizes.n / panelWidth(k.target)) };
});

interface Panel {
  /** Columns that exist in this panel, and the first of them. */
  readonly columns: number;
  readonly column: Int;
  readonly to: Int;
}

function eachPanel(k: Builder, sizes: PackSizes, panel: Int, packed: Int, body: (panel: Panel) => void): void {
  const width = panelWidth(k.target);
  const to = packed.add(panel.mul(panelBytes(k.target, sizes)));
  k.blocks(panel, sizes.n, width, (columns) => body({ columns, column: panel.mul(width), to }));
}

interface Packing extends Panel {
  readonly b: Int;
}

/** Packs b[K, N]: rows of the panel are pieces of rows, or of pairs of rows. */
function packRows(k: Builder, sizes: PackSizes, { b, columns, column, to }: Packing): void {
  const { n, k: depth, type = "f32" } = sizes;
  const width = panelWidth(k.target);
  const { bytes } = elementLayouts[type];
  const target = k.copy(to);
  const word = panelWord(sizes);
  const elements = word === "bf16 pair" ? 2 : 1;
  eachWord(k, elements, { base: b.add(column.mul(bytes)), stride: n * bytes, count: depth }, (rows) => {
    k.lanes(width, (at) => storeWord(k, { word, type, columns }, rows, at, target), k.target.tile.vectors);
    target.bump(width * (word === "f16" ? 2 : 4));
  });
}

interface PanelRow {
  readonly word: PanelWord;
  readonly type: PlainType;
  /** Columns that exist. */
  readonly columns: number;
}

/** Stores a vector's worth of a row of the panel, from one row of B or two; what does not exist is zero. 16 bits stay as they are. */
function storeWord(k: Builder, { word, type, columns }: PanelRow, rows: readonly Int[], at: Position, to: Int): void {
  const left = columns - at.offset / 4;
  const span: Span = left >= k.laneCount ? "full" : left;
  const from = { ...at, span };
  const find = (row: Int | undefined, load: (row: Int) => Vec) => (row === undefined || left <= 0 ? k.constant(0) : load(row));
  const bits = (row: Int | undefined) => find(row, (row) => k.loadNarrow("u16", row, from));
  const [low, high] = rows;
  if (word === "f16") return k.storeNarrow("u16", bits(low), to, at);
  if (type === "bf16") return k.store(bits(low).or(bits(high).shiftLeft(16)), to, at);
  const value = (row: Int | undefined) => find(row, (row) => loadPlain(k, type, row, from));
  k.store(word === "f32" ? value(low) : value(low).pairBf16(value(high)), to, at);
}

/** Rows in memory: where the first one begins, bytes from a row to the next, and how many there are. */
export interface Rows {
  readonly base: Int;
  readonly stride: number;
  readonly count: Int | number;
}

/** Runs `body` for every word of depth, with the rows that it is made of: as many as a word has elements, fewer below the last. */
export function eachWord(k: Builder, elements: 1 | 2, { base, stride, count }: Rows, body: (rows: readonly Int[]) => void): void {
  const end = base.add(scaled(count, stride));
  if (elements === 1) return k.loop(base, end, stride, (row) => body([row]));
  const even = typeof count === "number" ? count - (count % 2) : count.div(2).mul(2);
  const middle = base.add(scaled(even, stride));
  k.loop(base, middle, 2 * stride, (row) => body([row, row.add(stride)]));
  if (count !== even) k.loop(middle, end, stride, (row) => body([row]));
}

/** Packs b[N, K]: squares of lanes × lanes are transposed in registers. */
function packTransposed(k: Builder, sizes: PackSizes, packing: Packing): void {
  if (panelWord(sizes) === "bf16 pair" && sizes.type !== "bf16") return packRounded(k, sizes, packing);
  const { word, rows, depth } = transposition(sizes, packing);
  rowsToPanel(k, word, rows, depth);
}

/** The rows that lie transposed in a panel which keeps B's bits: the pair of bfloat16 is a word of a row already. */
function transposition(sizes: PackSizes, { b, columns, column, to }: Packing) {
  const { k: depth, type = "f32" } = sizes;
  const stride = depth * elementLayouts[type].bytes;
  const rows: RowsAndPanel = { rows: b.add(column.mul(stride)), stride, count: columns, panel: to };
  return { word: type === "f16" ? ("u16" as const) : ("word" as const), rows, depth: type === "bf16" ? depth / 2 : depth };
}

/** Elements that have more bits than bfloat16, rounded in pairs. */
function packRounded(k: Builder, { k: depth, type = "f32" }: PackSizes, { b, columns, column, to }: Packing): void {
  const width = panelWidth(k.target);
  const lanes = k.laneCount;
  const { bytes } = elementLayouts[type];
  const row = b.add(column.mul(depth * bytes));
  eachStep(k, depth, lanes, (count, step) => {
    const from = row.add(scaled(step, bytes));
    const target = to.add(scaled(step, width * 2));
    const span = count === lanes ? "full" : count;
    for (let j = 0; j < width; j += lanes) {
      const rows = Array.from({ length: lanes }, (_, i) =>
        j + i < columns ? loadPlain(k, type, from, { offset: 0, span, copy: 0 }, (j + i) * depth) : k.variable(),
      );
      const words = pairs(k, k.transpose(rows).slice(0, count));
      words.forEach((word, p) => k.store(word, target, { offset: (p * width + j) * 4, span: "full", copy: 0 }));
    }
  });
}

/** Elements of a word of the left factor. */
export function elementsOf(precision: Precision): 1 | 2 {
  return precision === "bfloat16" ? 2 : 1;
}

function pairs(k: Builder, rows: readonly Vec[]): Vec[] {
  return Array.from({ length: Math.ceil(rows.length / 2) }, (_, p) => rows[2 * p]!.pairBf16(rows[2 * p + 1] ?? k.constant(0)));
}
