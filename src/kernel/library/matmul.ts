// The three products of a linear layer (forward, gradient of the input, gradient of the weight): register tiles walk over packed factors
// (Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication").
import { type Builder, type Int, kernel } from "../language.ts";
import { eachTile, groupRows, leftBytes, type MatmulSizes, packLeft, prefetchLeft, wordsOf } from "./pack.ts";
import { type Depth, type LeftOperand, panelWidth, type Result, type Start, scaled, tileProduct } from "./product.ts";

/** Words of depth in a block: a panel of it nearly fills the first-level cache, a block of panels half of the second. */
const blockDepth = 256;
/** Columns that share a unit of work. */
const blockColumns = 512;

/** C = A · packed B, or C += with `accumulate`. Pointers: a, packed, c. One unit a block of rows and columns. */
export const matmul = kernel<MatmulSizes & { accumulate: boolean }>("matmul", (k, sizes) => {
  const { a, packed, c } = k.pointers("a", "packed", "c");
  const { scratch, begin, end } = k.range();
  const { m, n, accumulate, resultStride = n } = sizes;
  const depth = wordsOf(sizes);
  const group = groupRows(k.target, sizes);
  const { rowsOf, panelsOf, columnBlocks } = unitOf(m, Math.ceil(n / panelWidth(k.target)), panelWidth(k.target), group);
  const length = depthOfBlock(depth);
  k.loop(begin, end, 1, (unit) => {
    const firstRow = unit.div(columnBlocks).mul(rowsOf);
    const lastRow = firstRow.add(rowsOf).min(m);
    const firstPanel = unit.rem(columnBlocks).mul(panelsOf);
    const columns = { firstPanel, lastPanel: firstPanel.add(panelsOf) };
    const multiply = (first: Int | number, steps: Depth, start: Start) =>
      k.loop(firstRow, lastRow, group, (row) => {
        const range = { first: row, last: row.add(group).min(lastRow) };
        const left = packLeft(k, sizes, a, range, { length, first }, scratch);
        const right = packed.add(scaled(first, panelWidth(k.target) * 4));
        eachTile(k, m, range, (rows, at) => {
          const ahead = (panel: Int) => {
            const share = at.sub(row).div(k.target.tile.rows).mul(panelsOf).add(panel.sub(firstPanel));
            prefetchLeft(k, sizes, a, range, { length, first }, share, (panelsOf * group) / k.target.tile.rows);
          };
          tileRow(k, sizes, columns, rows, steps, left(at), right, rowOf(c, at, resultStride), start, ahead);
        });
      });
    if (length >= depth) return multiply(0, depth, accumulate ? "load" : "zero");
    k.loop(0, depth, length, (first) => {
      const steps = k.int(depth).sub(first).min(length);
      multiply(first, { steps, rest: depth % k.target.tile.unroll }, accumulate ? "load" : { first });
    });
  });
  return { units: Math.ceil(m / rowsOf) * columnBlocks, scratchBytes: leftBytes(k.target, sizes, length) };
});

/** Blocks are equal, of whole vectors, but for the last. */
function depthOfBlock(depth: number): number {
  const blocks = Math.ceil(depth / (blockDepth * 1.25));
  return Math.ceil(depth / blocks / 16) * 16;
}

/** Units of work that a product has at least, where it is large enough: threads end together, also when one of them was slow. */
const wantedUnits = 48;
const leastUnits = 16;

/** Rows of a unit: many, to read B seldom. Panels: many, to pack A seldom. */
function unitOf(m: number, panels: number, width: number, group: number): { rowsOf: number; panelsOf: number; columnBlocks: number } {
  const fewest = Math.ceil((panels * width) / blockColumns);
  const wanted = Math.min(192, Math.max(24, (m * fewest) / wantedUnits));
  const rowsOf = Math.ceil(m / Math.ceil(m / wanted) / group) * group;
  const panelsOf = Math.max(Math.min(3, panels), Math.ceil(panels / Math.max(fewest, Math.ceil(leastUnits / Math.ceil(m / rowsOf)))));
  return { rowsOf, panelsOf, columnBlocks: Math.ceil(panels / panelsOf) };
}

function rowOf(c: Int, row: Int, stride: number): Result {
  return { base: c.add(row.mul(stride * 4)), rowStride: stride * 4 };
}

/** A row of tiles over one block of depth: what is packed of A stays in the first-level cache while the panels go by. */
function tileRow(
  k: Builder,
  sizes: MatmulSizes,
  { firstPanel, lastPanel }: { readonly firstPanel: Int; readonly lastPanel: Int },
  rows: number,
  steps: Depth,
  left: LeftOperand,
  packed: Int,
  result: Result,
  start: Start,
  ahead: (panel: Int) => void,
): void {
  const { n, precision } = sizes;
  const width = panelWidth(k.target);
  const tile = (panel: Int, columns: number) => {
    ahead(panel);
    const right = { base: packed.add(panel.mul(wordsOf(sizes) * width * 4)), depthStride: width * 4 };
    tileProduct(k, { rows, columns, precision }, steps, left, right, { ...result, base: result.base.add(panel.mul(width * 4)) }, start);
  };
  const whole = Math.floor(n / width);
  if (whole > 0) k.loop(firstPanel, lastPanel.min(whole), 1, (panel) => tile(panel, width));
  if (n % width > 0) k.if(lastPanel, ">", whole, () => tile(k.int(whole), n % width));
}
