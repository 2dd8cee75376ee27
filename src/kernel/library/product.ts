// The heart of every matrix product: a register tile of accumulators, C[rows × columns] (+)= A · B, one depth step after the other
// (Goto & van de Geijn 2008; the tile's size is the target's). A is read by broadcasts with any two strides, so a transpose is free.
import type { Precision } from "../../base/index.ts";
import type { Span } from "../ir.ts";
import type { Builder, Int, Position, Vec } from "../language.ts";

/** A[i, p] is at base + i · rowStride + p · depthStride, in bytes. */
export interface LeftOperand {
  readonly base: Int;
  readonly rowStride: number;
  readonly depthStride: number;
}

/**
 * Step p of column j of B is at base + p · depthStride + j times its bytes: a float32 by default, a float16, or a pair of bfloat16, which is one step
 * where A has pairs too, and two where A has float32.
 */
export interface RightOperand {
  readonly base: Int;
  readonly depthStride: number;
  readonly word?: PanelWord;
  /** Bytes from a panel to the next, for tiles of more columns than one has. */
  readonly panelStride?: number;
  /** Where lies what is read after B, one line behind the other: as many bytes of each as B has columns are prefetched in every step. */
  readonly next?: readonly Int[];
}

/** What a panel holds of a column: a float32 or a float16 per element of depth, or a pair of bfloat16 per two elements. */
export type PanelWord = "f32" | "f16" | "bf16 pair";

/** C[i, j] is at base + i · rowStride + 4 · j. */
export interface Result {
  readonly base: Int;
  readonly rowStride: number;
}

/**
 * What a product is added to: nothing, C, or C unless `first` is zero (a block index). With "continue" the sums start from C instead of being added to
 * it in the end, so that a product that is cut along its depth has the bits of the whole.
 */
export type Start = "zero" | "load" | "continue" | { readonly first: Int };

/** The part of C that a tile makes. */
export interface TileShape {
  readonly rows: number;
  /** Columns: no more than leave all sums in registers; of packed panels, one of vectors × lanes of the target's tile, or several whole ones. */
  readonly columns: number;
  /** What the words of A and B hold: a float32 each, by default, or a pair of bfloat16. */
  readonly precision?: Precision;
}

/** How many steps: a constant, or a number known at run time: any, or what a block of `depth` steps has, a multiple of 16 but in the last one. */
export type Depth = number | { readonly steps: Int; readonly depth?: number };

/** Bytes of a line of the cache. */
export const lineBytes = 64;

/** C (+)= A · B over `depth` steps. */
export interface Product<D extends Depth = Depth> {
  readonly depth: D;
  readonly a: LeftOperand;
  readonly b: RightOperand;
  readonly c: Result;
  readonly start: Start;
}

/** Multiplies one register tile over all steps. */
export function tileProduct(k: Builder, shape: TileShape, { depth, a, b, c, start }: Product): void {
  const spans = columnSpans(k, shape.columns);
  const at = (j: number) => ({ offset: j * k.laneCount * 4, span: spans[j]!, copy: 0 });
  const result = (i: number, j: number) => k.load(c.base, at(j), i * c.rowStride);
  const sums = Array.from({ length: shape.rows }, (_, i) => spans.map((_, j) => (start === "continue" ? result(i, j) : k.variable())));
  const right = k.copy(b.base);
  const next = (b.next ?? []).map((place) => k.copy(place));
  const rowBytes = shape.columns * (b.word === "f16" ? 2 : 4);
  const multiply = (sum: Vec, x: Vec, y: Vec) => (shape.precision === "bfloat16" ? sum.accumulatePairs(x, y) : sum.accumulate(x, y));
  const pairs = b.word === "bf16 pair" && shape.precision !== "bfloat16";
  const perPanel = b.panelStride === undefined ? spans.length : k.target.tile.vectors;
  const multiplyStep = (p: Int, u: number) => {
    for (const place of next) for (let line = 0; line < rowBytes; line += lineBytes) k.prefetch(place, line + u * rowBytes);
    const splat = (i: number) => k.splat(p, i * a.rowStride + u * a.depthStride);
    const vector = (j: number) => {
      const [panel, rest] = [Math.floor(j / perPanel), j % perPanel];
      const step = (pairs ? u - (u % 2) : u) * b.depthStride;
      const place = { offset: rest * k.laneCount * 4, span: spans[j]!, copy: 0 };
      return loadStep(k, { word: b.word, half: pairs ? u % 2 : undefined }, right, place, step + panel * (b.panelStride ?? 0));
    };
    eachProduct(sums, splat, vector, perPanel, multiply);
  };
  depthLoop(k, depth, a, pairs ? 2 : 1, (p, steps) => {
    for (let u = 0; u < steps; u++) multiplyStep(p, u);
    right.bump(steps * b.depthStride);
    for (const place of next) place.bump(steps * rowBytes);
  });
  const addResult = () => sums.forEach((row, i) => row.forEach((sum, j) => sum.addTo(result(i, j))));
  if (start === "load") addResult();
  else if (typeof start === "object") k.if(start.first, "!=", 0, addResult);
  sums.forEach((row, i) => row.forEach((sum, j) => k.store(sum, c.base, at(j), i * c.rowStride)));
}

/**
 * C[rows × columns] (+)= A · B with constant rows and columns, tile after tile.
 * B's rows must be readable up to `columns`; nothing beyond rows and columns is touched.
 */
export function blockProduct(k: Builder, shape: TileShape, { a, b, c, ...product }: Product<number>): void {
  const { rows, vectors } = k.target.tile;
  const width = vectors * k.laneCount;
  const column = (bBase: Int, cBase: Int, columns: number) =>
    eachStep(k, shape.rows, rows, (count, first) =>
      tileProduct(
        k,
        { rows: count, columns },
        {
          ...product,
          a: { ...a, base: a.base.add(scaled(first, a.rowStride)) },
          b: { ...b, base: bBase },
          c: { ...c, base: cBase.add(scaled(first, c.rowStride)) },
        },
      ),
    );
  eachStep(k, shape.columns, width, (columns, first) => column(b.base.add(scaled(first, 4)), c.base.add(scaled(first, 4)), columns));
}

/** Runs `body` for steps of `size` over a constant count, as a loop when there are several, then once for the rest. */
export function eachStep(k: Builder, count: number, size: number, body: (size: number, first: Int | number) => void): void {
  const full = Math.floor(count / size) * size;
  if (full === size) body(size, 0);
  else if (full > 0) k.loop(0, full, size, (first) => body(size, first));
  if (count > full) body(count - full, full);
}

/** `first` times a number of bytes, whether it is known when the kernel is built or when it runs. */
export function scaled(first: Int | number, stride: number): Int | number {
  return typeof first === "number" ? first * stride : first.mul(stride);
}

/** Products of a step: vectors of one panel are loaded before any is multiplied, those of several one by one, or registers would not suffice. */
function eachProduct(
  sums: readonly (readonly Vec[])[],
  splat: (i: number) => Vec,
  vector: (j: number) => Vec,
  perPanel: number,
  multiply: (sum: Vec, x: Vec, y: Vec) => void,
): void {
  const columns = sums[0]!.length;
  if (columns <= perPanel) {
    const vectors = Array.from({ length: columns }, (_, j) => vector(j));
    const splats = sums.map((_, i) => splat(i));
    sums.forEach((row, i) => row.forEach((sum, j) => multiply(sum, splats[i]!, vectors[j]!)));
  } else {
    const splats = sums.map((_, i) => splat(i));
    for (let j = 0; j < columns; j++) {
      const loaded = vector(j);
      sums.forEach((row, i) => multiply(row[j]!, splats[i]!, loaded));
    }
  }
}

interface StepWord {
  readonly word: PanelWord | undefined;
  /** Which one of a pair: the first step has the lower half, and float32 has bfloat16 in its upper half. */
  readonly half: number | undefined;
}

/** Loads a vector of a step. */
function loadStep(k: Builder, { word, half }: StepWord, base: Int, at: Position, extra: number): Vec {
  if (word === "f16") return k.loadNarrow("f16", base, at, extra);
  const loaded = k.load(base, at, extra);
  if (half === undefined) return loaded;
  return half === 0 ? loaded.shiftLeft(16) : loaded.and(k.intConstant(-0x10000));
}

/** Walks A's depth by address: the address is the loop's counter. `body` gets a multiple of `least` steps, but for the last ones. */
function depthLoop(k: Builder, depth: Depth, a: LeftOperand, least: 1 | 2, body: (p: Int, steps: number) => void): void {
  const unroll = Math.max(k.target.tile.unroll, least);
  const steps = typeof depth === "number" ? depth : depth.steps;
  const known = typeof depth === "number" ? depth : depth.depth;
  const rest = known === undefined ? 1 : known % unroll;
  const full = typeof steps === "number" ? steps - rest : steps.div(unroll).mul(unroll);
  const middle = a.base.add(scaled(full, a.depthStride));
  if (full !== 0) k.loop(a.base, middle, unroll * a.depthStride, (p) => body(p, unroll));
  if (rest > 0) k.loop(middle, a.base.add(scaled(steps, a.depthStride)), rest * a.depthStride, (p) => body(p, rest));
}

function columnSpans(k: Builder, columns: number): Span[] {
  const spans: Span[] = Array.from({ length: Math.floor(columns / k.laneCount) }, () => "full");
  if (columns % k.laneCount > 0) spans.push(columns % k.laneCount);
  return spans;
}

/** Columns of a packed panel: one register tile's. */
export function panelWidth(target: { readonly lanes: number; readonly tile: { readonly vectors: number } }): number {
  return target.lanes * target.tile.vectors;
}

/** Zeroes `count` consecutive elements from `base`. */
export function fill(k: Builder, base: Int, count: number, value: Vec): void {
  k.lanes(count, (at) => k.store(value, base, at), 4);
}
