// Rows of bytes times quantised weights in panels: lanes are outputs and a register tile's inner loop is one dot product after the other
// (as libxsmm and oneDNN have their low-precision products). One row and many read the same panels in the same order, so that a row's bits do not
// depend on how many there are.
import type { Target } from "../ir.ts";
import { type Builder, type Int, kernel, type Position, whole } from "../language.ts";
import { eachTile, type RowRange } from "./pack-left.ts";
import { numbersOf, panelLayouts } from "./panel-layouts.ts";
import { panelWidth } from "./product.ts";
import { lineLayout } from "./quantise.ts";
import { blockWeights } from "./quantised-blocks.ts";
import {
  eachBlock,
  numbersBytes,
  type PanelBlock,
  type QuantisedMatrix,
  quantisedPanelBytes,
  type Superblocks,
  storeNumbers,
} from "./quantised-panels.ts";
import { addBlock, gridOf, quadsOfBlock, tileRows } from "./quantised-tile.ts";
import { type Live, rowLimit } from "./rows.ts";

/** Operations up to which making the bytes of four weights is quicker than fetching them. */
const fewOperations = 3;

/** Sizes of y [m, n] = x [m, k] · w [n, k]ᵀ, and the type of w. */
export interface QuantisedSizes extends QuantisedMatrix, Live {
  readonly m: number;
}

/** Sizes of a product that may be added to a residual stream. */
export interface AddedSizes extends QuantisedSizes {
  /** Whether y = residual + x · wᵀ. */
  readonly adds?: true;
}

/** Rows of activations that share a unit, so that its panel is read from the cache. */
export const unitRows = 48;
/** The same of many rows whose panels are prepared in every unit. Measured: docs/log/2026-11-28-products.md. */
const preparedUnitRows = 192;

/**
 * y[m, n] = x[m, k] · w[n, k]ᵀ, x quantised by {@link quantiseLines}, w packed by {@link packQuantised}; integer products, float32 sums.
 * Pointers: lines, packed, y, residual [m, n] where it adds, and live where there are live rows; y may be the residual. One unit per block of rows and panel.
 */
export const quantisedMatmul = kernel<AddedSizes>("quantisedMatmul", (k, sizes) => {
  const { lines, packed, y } = k.pointers("lines", "packed", "y");
  const residual = sizes.adds && k.pointers("residual").residual;
  const { m, n } = sizes;
  const limit = rowLimit(k, { rows: m, ...sizes });
  const { scratch, begin, end } = k.range();
  const width = panelWidth(k.target);
  const panelBytes = quantisedPanelBytes(k.target, sizes);
  const each = m >= 2 * preparedUnitRows && preparedBytes(k.target, sizes) > 0 ? preparedUnitRows : unitRows;
  const blocks = Math.ceil(m / each);
  k.loop(begin, end, 1, (unit) => {
    const [block, panel] = [unit.rem(blocks), unit.div(blocks)];
    const at = (base: Int) => base.add(panel.mul(width * 4));
    const to = { base: at(y), stride: n * 4, ...(residual && { residual: at(residual) }) };
    const source = { lines, w: packed.add(panel.mul(panelBytes)), scratch };
    k.blocks(panel, n, width, (columns) => panelProduct(k, sizes, { rows: rowsOfBlock(block, limit, each), columns }, source, to));
  });
  return { units: blocks * Math.ceil(n / width), scratchBytes: preparedBytes(k.target, sizes) };
});

/** The rows of a block that are below a limit. */
export function rowsOfBlock(block: Int, limit: Int | number, each = unitRows): RowRange {
  return { first: block.mul(each), last: block.mul(each).add(each).min(limit) };
}

/** A block of rows, and how many columns of a panel there are. */
export interface PanelPart {
  readonly rows: RowRange;
  readonly columns: number;
}

/** What a panel's product is made of: all lines, one panel, and a unit's scratch of {@link preparedBytes}. */
export interface PanelSource {
  readonly lines: Int;
  readonly w: Int;
  readonly scratch: Int;
}

/** Where the panel's columns of row 0 go, the bytes from a row to the next, and what is added to them, if anything. */
export interface PanelResult {
  readonly base: Int;
  readonly stride: number;
  readonly residual?: Int;
}

/** Multiplies the rows of a block by a panel. */
export function panelProduct(k: Builder, sizes: QuantisedSizes, { rows, columns }: PanelPart, from: PanelSource, to: PanelResult): void {
  const panelBytes = quantisedPanelBytes(k.target, sizes);
  const line = lineLayout(k.target, sizes.type, sizes.k);
  const superblocks = { first: from.w, last: from.w.add(panelBytes), vectors: Math.ceil(columns / k.laneCount) };
  const multiply = (preparation: Preparation, tiles: typeof eachTile) => {
    const source = sourceOf(k, sizes, preparation, superblocks, from.scratch);
    tiles(k, sizes, tileRows(k.target, sizes.type), rows, (count, row) => {
      const at = (base: Int) => base.add(row.mul(to.stride));
      const result = { ...to, base: at(to.base), ...(to.residual && { residual: at(to.residual) }) };
      tile(k, sizes, { rows: count, columns }, source, { lines: from.lines.add(row.mul(line.bytes)), result });
    });
  };
  const preparation = preparationOf(k.target, sizes);
  const several = () => multiply(preparation, eachTile);
  // One tile needs nothing prepared. Programs for some rows are run with one, too, while a single sequence is continued.
  const alone = isHighTile(k.target, sizes) ? sizes.m : sizes.live && sizes.m <= unitRows && preparation !== "nothing" ? 1 : 0;
  const oneTileOrSeveral = () => k.if(rows.last, "==", alone, () => multiply("nothing", onlyTile(alone)), several);
  k.if(rows.first, "<", rows.last, alone > 0 ? oneTileOrSeveral : several);
}

/**
 * Whether a tile that is higher than usual holds all rows of a program, and some of its sums in memory: the rows are multiplied while a panel comes from
 * memory, which would be idle during a second tile. Measured: docs/log/2026-11-28-decode.md.
 */
function isHighTile(target: Target, { type, m }: Pick<QuantisedSizes, "type" | "m">): boolean {
  const usual = tileRows(target, type);
  return m > usual && 3 * m <= 4 * usual;
}

/** {@link eachTile} of a single tile of `count` rows. */
function onlyTile(count: number): typeof eachTile {
  return (_, __, ___, { first }, body) => body(count, first);
}

/** Walks the blocks of a panel. */
type Source = (body: (block: PanelBlock) => void) => void;

/** What a unit makes of a panel, in scratch, before its tiles of rows read it. */
type Preparation = "nothing" | "numbers" | "bytes";

/**
 * A few tiles of rows read a panel as it lies: they wait for memory, and what is widened goes there and comes back. For more, types below 8 bits are
 * widened once; but where a dot product of bytes is one instruction and bytes take few operations to make, only scales are, because fetching bytes takes
 * longer there than taking nibbles apart again. Measured: docs/log/2026-11-28-panels.md.
 */
function preparationOf(target: Target, { type, m }: QuantisedSizes): Preparation {
  const { operations } = panelLayouts[type];
  const areFew = operations <= fewOperations;
  const fewTiles = areFew ? 3 : target.int8Dot ? 2 : 1;
  if (operations === 0 || m <= fewTiles * tileRows(target, type) || isHighTile(target, { type, m })) return "nothing";
  return target.int8Dot && areFew ? "numbers" : "bytes";
}

/** Bytes of scratch that {@link panelProduct} needs. */
export function preparedBytes(target: Target, sizes: QuantisedSizes): number {
  const { type, k } = sizes;
  const preparation = preparationOf(target, sizes);
  if (preparation === "bytes") return numbersBytes(target, type) + (k / blockWeights) * widenedBlockBytes(target, type);
  return preparation === "numbers" ? numbersBytes(target, type, k) : numbersBytes(target, type);
}

function sourceOf(k: Builder, sizes: QuantisedSizes, preparation: Preparation, panel: Superblocks, scratch: Int): Source {
  const { type } = sizes;
  if (preparation === "bytes") return widened(k, sizes, panel, scratch);
  if (preparation === "numbers") storeNumbers(k, type, panel, scratch);
  const numbers = preparation === "numbers" ? { stored: scratch } : { scratch };
  return (body) => eachBlock(k, type, panel, numbers, body);
}

/** A panel of bytes and floats: [block][quads, then numbers][column]. */
function widened(k: Builder, { type, k: depth }: QuantisedSizes, panel: Superblocks, scratch: Int): Source {
  const first = scratch.add(numbersBytes(k.target, type));
  const blockBytes = widenedBlockBytes(k.target, type);
  const to = k.copy(first);
  eachBlock(k, type, panel, { scratch }, ({ quad, number }) => {
    for (let j = 0; j < panel.vectors; j++) {
      for (let i = 0; i < quadsOfBlock; i++) k.store(quad(i, j), to, whole, widenedAt(k, i, j));
      for (let i = 0; i < numbersOf(type); i++) k.store(number(i, j), to, whole, widenedAt(k, quadsOfBlock + i, j));
    }
    to.bump(blockBytes);
  });
  return (body) => k.loop(first, first.add((depth / blockWeights) * blockBytes), blockBytes, (block) => body(widenedBlock(k, block)));
}

/** A block of bytes and floats: [quads, then numbers][column]. */
export function widenedBlock(k: Builder, block: Int): PanelBlock {
  const load = (i: number, j: number) => k.load(block, whole, widenedAt(k, i, j));
  return { quad: load, number: (i, j) => load(quadsOfBlock + i, j) };
}

/** Bytes of a {@link widenedBlock}. */
export function widenedBlockBytes(target: Target, type: QuantisedSizes["type"]): number {
  return (quadsOfBlock + numbersOf(type)) * panelWidth(target) * 4;
}

function widenedAt(k: Builder, i: number, j: number): number {
  return (i * panelWidth(k.target) + j * k.laneCount) * 4;
}

interface Tile {
  readonly rows: number;
  readonly columns: number;
}

/** Where a tile reads its rows, as lines of bytes, and where its results go. */
interface TilePlaces {
  readonly lines: Int;
  readonly result: PanelResult;
}

function tile(
  k: Builder,
  { type, k: depth }: QuantisedSizes,
  { rows, columns }: Tile,
  source: Source,
  { lines, result }: TilePlaces,
): void {
  const vectors = Math.ceil(columns / k.laneCount);
  const line = lineLayout(k.target, type, depth);
  const sums = gridOf({ rows, vectors }, () => k.variable());
  const numbers = k.copy(lines.add(depth));
  const quants = k.copy(lines);
  source((block) => {
    addBlock(k, { type, line, block, quants, numbers, rows, vectors }, sums);
    quants.bump(blockWeights);
    numbers.bump(line.blockBytes);
  });
  sums.forEach((row, i) =>
    row.forEach((sum, j) => {
      const left = columns - j * k.laneCount;
      const at: Position = { offset: j * k.laneCount * 4, span: left < k.laneCount ? left : "full", copy: 0 };
      const { base, stride, residual } = result;
      k.store(residual ? sum.add(k.load(residual, at, i * stride)) : sum, base, at, i * stride);
    }),
  );
}
