// The three products of a linear layer (forward, gradient of the input, gradient of the weight): register tiles walk over packed factors
// (Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication").
import { fail, isQuantised, type WeightDType } from "../../base/index.ts";
import { type Builder, type Int, kernel } from "../language.ts";
import { type PackSizes, panelBytes, panelWord, stepBytes, wordsOf } from "./pack.ts";
import { eachTile, groupRows, leftBytes, packLeft, prefetchLeft } from "./pack-left.ts";
import { type Depth, type PanelWord, type Product, panelWidth, type Start, scaled, tileProduct } from "./product.ts";
import { type Live, rowLimit, splitOfRows } from "./rows.ts";
import { depthOfPiece, panelsOfPiece, type WidenedSizes, widenBytes, widenedPanelBytes, widenPanels } from "./widen-panels.ts";

/** Words of depth in a block: a panel of it nearly fills the first-level cache, a block of panels half of the second. */
const blockDepth = 256;
/** Columns that share a unit of work; fewer where the unit widens them, which takes the second-level cache too. */
const blockColumns = { packed: 512, widened: 256 } as const;

/** Sizes of C [m, n] = A · B over a depth of k, and how the factors lie. */
export interface MatmulSizes extends Omit<PackSizes, "type">, Live {
  readonly m: number;
  /** What B was packed from, by `packMatrix` or, where it is quantised, by `packQuantised`; float32 by default. */
  readonly type?: WeightDType;
  /** Whether the product is added to C. */
  readonly accumulate?: boolean;
}

/** C = A · packed B, or C += with `accumulate`. Pointers: a, packed, c, and live where there are live rows. One unit per block of rows and columns. */
export const matmul = kernel<MatmulSizes>("matmul", (k, sizes) => {
  const { a, packed, c } = k.pointers("a", "packed", "c");
  const { m, live } = sizes;
  const limit = rowLimit(k, { rows: m, ...sizes });
  const { scratch, begin, end } = k.range();
  const { rowsOf, panelsOf, columnBlocks, length } = unitOf(k, sizes);
  const leftSize = leftBytes(k.target, sizes, length);
  const right = widenedSizes(k, sizes);
  const piece = { panels: panelsOf, length };
  const factor = right ? widenedFactor(k, right, packed, piece, scratch.add(leftSize)) : plainFactor(k, sizes, packed);
  // Programs for some rows are run with one, too, for which 16-bit floats are not widened beforehand.
  const isForOne = live && right && !isQuantised(right.type) && m <= rowsOf;
  k.loop(begin, end, 1, (unit) => {
    const firstRow = unit.div(columnBlocks).mul(rowsOf);
    const lastRow = firstRow.add(rowsOf).min(limit);
    const firstPanel = unit.rem(columnBlocks).mul(panelsOf);
    const block = { firstRow, lastRow, firstPanel, lastPanel: firstPanel.add(panelsOf), a, c, scratch };
    const multiply = () => multiplyBlock(k, sizes, block, factor);
    const asItLies = () => multiplyBlock(k, sizes, block, plainFactor(k, sizes, packed));
    const oneOrSeveral = () => k.if(lastRow, "==", 1, asItLies, multiply);
    if (live) k.if(firstRow, "<", lastRow, isForOne ? oneOrSeveral : multiply);
    else multiply();
  });
  return {
    ...splitOfRows(Math.ceil(m / rowsOf) * columnBlocks, limit, rowsOf, columnBlocks),
    scratchBytes: leftSize + factor.scratchBytes,
  };
});

/** Panels of a unit; those that do not exist are left out. */
interface Columns {
  readonly firstPanel: Int;
  readonly lastPanel: Int;
}

/** A unit's rows and panels, and where the matrices and its scratch are. */
interface Block extends Columns {
  readonly firstRow: Int;
  readonly lastRow: Int;
  readonly a: Int;
  readonly c: Int;
  readonly scratch: Int;
}

/** Blocks of depth, one after the other. */
function multiplyBlock(k: Builder, sizes: MatmulSizes, block: Block, factor: RightFactor): void {
  const { accumulate } = sizes;
  const depth = wordsOf(sizes);
  const { length } = unitOf(k, sizes);
  if (length >= depth) return multiplyDepth(k, sizes, block, factor, { first: 0, steps: depth, start: accumulate ? "load" : "zero" });
  k.loop(0, depth, length, (first) => {
    const steps = k.int(depth).sub(first).min(length);
    multiplyDepth(k, sizes, block, factor, { first, steps: { steps, depth }, start: accumulate ? "load" : { first } });
  });
}

/** A block of depth, and what its products are added to. */
interface DepthPart {
  readonly first: Int | number;
  readonly steps: Depth;
  readonly start: Start;
}

function multiplyDepth(
  k: Builder,
  sizes: MatmulSizes,
  { firstRow, lastRow, a, c, scratch, ...columns }: Block,
  factor: RightFactor,
  { first, steps, start }: DepthPart,
): void {
  const group = groupRows(k.target, sizes);
  const { rowsOf, panelsOf, length } = unitOf(k, sizes);
  const panel = factor.panels(columns.firstPanel, first);
  k.loop(firstRow, lastRow, group, (row) => {
    const range = { first: row, last: row.add(group).min(lastRow) };
    const packed = { a, range, block: { length, first } };
    const left = packLeft(k, sizes, packed, scratch);
    eachTile(k, sizes, k.target.tile.rows, range, (rows, at) => {
      const ahead = (panel: Int) => {
        if (rowsOf <= group) return; // no group follows
        const share = at.sub(row).div(k.target.tile.rows).mul(panelsOf).add(panel.sub(columns.firstPanel));
        prefetchLeft(k, sizes, packed, share, (panelsOf * group) / k.target.tile.rows);
      };
      const result = { base: c.add(at.mul(sizes.n * 4)), rowStride: sizes.n * 4 };
      tileRow(k, { ...sizes, ...factor }, columns, rows, { depth: steps, a: left(at), c: result, start, panel, ahead });
    });
  });
}

/** B as tiles read it. */
interface RightFactor {
  readonly word: PanelWord;
  /** Bytes that a word of A meets in a column. */
  readonly stepBytes: 2 | 4;
  /** Bytes from a panel to the next. */
  readonly panelStride: number;
  readonly scratchBytes: number;
  /** Where a panel lies, for a unit's columns and a block of depth. */
  panels(firstPanel: Int, first: Int | number): (panel: Int) => Int;
}

function plainFactor(k: Builder, sizes: MatmulSizes, packed: Int): RightFactor {
  const right = plainSizes(sizes);
  const [step, panelStride] = [stepBytes(right), panelBytes(k.target, right)];
  return {
    word: panelWord(right),
    stepBytes: step,
    panelStride,
    scratchBytes: 0,
    panels: (_, first) => {
      const from = packed.add(scaled(first, panelWidth(k.target) * step));
      return (panel) => from.add(panel.mul(panelStride));
    },
  };
}

/** Every unit widens what it reads, once for all its rows. */
function widenedFactor(
  k: Builder,
  right: WidenedSizes,
  packed: Int,
  piece: { readonly panels: number; readonly length: number },
  scratch: Int,
): RightFactor {
  const panelStride = widenedPanelBytes(k.target, piece.length);
  return {
    word: panelWord({ precision: right.precision }),
    stepBytes: 4,
    panelStride,
    scratchBytes: widenBytes(k.target, right, piece),
    panels: (firstPanel, first) => {
      const widened = widenPanels(k, right, packed, { ...piece, firstPanel, first }, scratch);
      return (panel) => widened.add(panel.sub(firstPanel).mul(panelStride));
    },
  };
}

/** What is widened before it is multiplied: quantised blocks, and for several tiles of rows 16-bit floats whose loads take many instructions. */
function widenedSizes({ target }: Builder, { form, m, n, k, precision, type = "f32" }: MatmulSizes): WidenedSizes | undefined {
  if (isQuantised(type)) return { form, type, n, k, precision };
  const loadsOften = type !== "f32" && precision === "float32" && !target.halfLoads && m > target.tile.rows;
  return loadsOften ? { form, type, n, k, precision } : undefined;
}

function plainSizes({ type = "f32", ...sizes }: MatmulSizes): PackSizes {
  return isQuantised(type) ? fail("kernel", `${type} lies in panels of its own`) : { ...sizes, type };
}

/** Blocks are equal, of whole vectors, superblocks or panels, but for the last. */
function depthOfBlock(depth: number, multiple: number): number {
  const blocks = Math.ceil(depth / (blockDepth * 1.25));
  return Math.ceil(depth / blocks / multiple) * multiple;
}

/** Units of work that a product has at least, where it is large enough: threads end together, also when one of them was slow. */
const wantedUnits = 48;
const leastUnits = 16;

interface Unit {
  readonly rowsOf: number;
  readonly panelsOf: number;
  readonly columnBlocks: number;
  /** Words of a block of depth. */
  readonly length: number;
}

/** A program of some rows is mostly run with fewer: its units are as many as threads need where only this part of the rows is live. */
const liveShare = 1 / 4;
/** A unit has all live rows where there are at most so many: products of few rows wait for B, which is then read once, and its columns are enough for the threads. */
const fewRows = 64;

/** Rows of a unit: many, to read B seldom. Panels: many, to pack A seldom. */
function unitOf(k: Builder, sizes: MatmulSizes): Unit {
  const { target } = k;
  const { m, n, live } = sizes;
  const width = panelWidth(target);
  const group = groupRows(target, sizes);
  const widened = widenedSizes(k, sizes);
  const panels = Math.ceil(n / width);
  const fewest = Math.ceil((panels * width) / blockColumns[widened ? "widened" : "packed"]);
  const expected = live ? Math.ceil(m * liveShare) : m;
  const wanted = live && m <= fewRows ? m : Math.min(192, Math.max(24, (m * fewest) / wantedUnits));
  const rowsOf = Math.ceil(m / Math.ceil(m / wanted) / group) * group;
  const blocks = Math.ceil(leastUnits / Math.ceil(expected / rowsOf));
  const least = Math.max(Math.min(3, panels), Math.ceil(panels / Math.max(fewest, blocks)));
  const together = widened ? panelsOfPiece(target, widened) : 1;
  const panelsOf = Math.ceil(least / together) * together;
  const length = depthOfBlock(wordsOf(sizes), Math.max(16, widened ? depthOfPiece(target, widened) : 1));
  return { rowsOf, panelsOf, columnBlocks: Math.ceil(panels / panelsOf), length };
}

/** The products of a row of tiles: each with a panel of B. */
interface TileRow extends Omit<Product, "b"> {
  /** Where a panel lies. */
  readonly panel: (panel: Int) => Int;
  /** Asks for a part of what is packed next, while a panel is read. */
  readonly ahead: (panel: Int) => void;
}

/** Multiplies a row of tiles over one block of depth: what is packed of A stays in the first-level cache while the panels go by. */
function tileRow(
  k: Builder,
  { n, precision, word, stepBytes, panelStride }: MatmulSizes & Omit<RightFactor, "panels" | "scratchBytes">,
  { firstPanel, lastPanel }: Columns,
  rows: number,
  { panel: panelAt, ahead, c, ...product }: TileRow,
): void {
  const width = panelWidth(k.target);
  const tile = (panel: Int, columns: number) => {
    ahead(panel);
    const b = { base: panelAt(panel), depthStride: width * stepBytes, word, panelStride };
    tileProduct(k, { rows, columns, precision }, { ...product, b, c: { ...c, base: c.base.add(panel.mul(width * 4)) } });
  };
  const whole = Math.floor(n / width);
  const together = panelsOfTile(k, rows);
  const next = k.copy(firstPanel);
  const panels = (count: number) => {
    const end = next.add(lastPanel.min(whole).sub(next).max(0).div(count).mul(count));
    k.loop(next, end, count, (panel) => tile(panel, count * width));
    next.set(end);
  };
  if (whole >= together && together > 1) panels(together);
  if (whole > 0) k.loop(next, lastPanel.min(whole), 1, (panel) => tile(panel, width));
  if (n % width > 0) k.if(lastPanel, ">", whole, () => tile(k.int(whole), n % width));
}

/** Sums of a tile that do not wait for each other: two multiply-adds begin in a cycle, and each takes four. */
const independentSums = 8;

/** Panels that a tile of few rows walks over at once. A sum's bits do not depend on it. */
function panelsOfTile({ target }: Builder, rows: number): number {
  return Math.max(1, Math.floor(independentSums / (rows * target.tile.vectors)));
}
