// Products of a page with the queries of a tile: scores of its keys, and its values by their weights. A register tile is made of all query heads of some
// consecutive rows, so that a page is read once for the heads that share it, and it reaches no further than the last of its rows sees.
import type { Builder, Int } from "../language.ts";
import { groupOf, rowsThatWait, type Seen, scoreStride, seenOf, type Work } from "./paged-work.ts";
import { type HeadPlace, pageKeys, wideKeys, wideValues } from "./pages.ts";
import { eachStep, type Product, type RightOperand, scaled, tileProduct } from "./product.ts";
import { rowAt } from "./rows.ts";

/** A page as a tile meets it. */
export interface Page {
  /** Its first position. */
  readonly start: Int;
  /** Where the head's keys, or values, are. */
  readonly from: HeadPlace;
  /** Where the scores of its keys begin in the first query row. */
  readonly scores: Int;
}

/** Scores of the keys that any of the tile's rows sees; what lies beside them may be anything. */
export function scorePage(work: Work, page: Page): void {
  const { k, sizes } = work;
  narrowOrWide(
    work,
    () => scoreKeys(work, page, { ...page.from, word: "f16", depthStride: pageKeys * 2 }),
    () => scoreKeys(work, page, { ...wideKeys(k, sizes, page.from, work.places.keys), depthStride: pageKeys * 4 }),
  );
}

/** Adds weights · values of a page to the outputs of the part. */
export function addPage(work: Work, page: Page): void {
  const { k, sizes, places, tile } = work;
  const { headDim } = sizes;
  const { high } = seenOf(work, page.start, pageKeys, tile.count.sub(1));
  narrowOrWide(
    work,
    () => addValues(work, page, { ...page.from, word: "f16", depthStride: headDim * 2 }),
    () => addValues(work, page, { ...wideValues(k, sizes, page.from, high, places.values), depthStride: headDim * 4 }),
  );
}

/** Float16 is widened in registers where that is an instruction, or where one query reads it, and else in memory; that changes no bits. */
function narrowOrWide({ k, sizes, tile }: Work, narrow: () => void, wide: () => void): void {
  if (sizes.type !== "f16") wide();
  else if (k.target.halfLoads) narrow();
  else if (groupOf(sizes) === 1) k.if(tile.count, "==", 1, narrow, wide);
  else wide();
}

/** Some rows of a tile with all heads of the group, or with some of them where a register tile has not so many rows. */
interface QueryRows {
  /** The first of the tile's rows, and how many these are. */
  readonly row: Int;
  readonly rows: number;
  /** The first of the query rows, and how many these are. */
  readonly query: Int;
  readonly queries: number;
}

/** Rows of a tile whose query rows make the highest register tile: a power of two, as most tiles have so many; 1 where not even those of one fit. */
function rowsOfTile(k: Builder, group: number): number {
  return powerOfTwo(Math.max(1, k.target.tile.rows / group));
}

/** The largest power of two that is at most x. */
function powerOfTwo(x: number): number {
  return 2 ** Math.floor(Math.log2(x));
}

/** Cuts a tile into register tiles: as many of the highest as there are, then of half the rows, and so on. */
function eachRegisterTile(work: Work, body: (part: QueryRows) => void): void {
  const { k, sizes, tile } = work;
  const group = groupOf(sizes);
  let done: Int | number = 0;
  for (let rows = rowsOfTile(k, group); rows >= 1; rows /= 2) {
    const end = tile.count.div(rows).mul(rows);
    k.loop(done, end, rows, (row) => eachPiece(work, { row, rows }, body));
    done = end;
  }
}

/** Query rows that read a page of float32 together where memory is waited for: each pass prefetches again what the processor passed over in the one before. */
const rowsOfPass = 2;

function eachPiece({ k, sizes }: Work, { row, rows }: Pick<QueryRows, "row" | "rows">, body: (part: QueryRows) => void): void {
  const group = groupOf(sizes);
  const query = row.mul(group);
  const queries = rows * group;
  const isPass = rows === 1 && sizes.type === "f32" && sizes.rows <= rowsThatWait;
  const pieces = Math.ceil(queries / (isPass ? rowsOfPass : k.target.tile.rows));
  eachStep(k, queries, Math.ceil(queries / pieces), (size, first) => body({ row, rows, query: query.add(first), queries: size }));
}

function scoreKeys(work: Work, page: Page, keys: RightOperand): void {
  const { k, sizes, places } = work;
  const { headDim } = sizes;
  eachRegisterTile(work, ({ row, rows, query, queries }) => {
    const left = { base: rowAt(places.queries, query, headDim), rowStride: headDim * 4, depthStride: 4 };
    const to = { base: page.scores.add(query.mul(scoreStride)), rowStride: scoreStride };
    const width = Math.min(pageKeys, powerOfTwo(vectorsOf(k, queries)) * k.laneCount);
    const { low } = seenOf(work, page.start, pageKeys, row);
    const { high } = seenOf(work, page.start, pageKeys, row.add(rows - 1));
    const first = sizes.window > 0 ? low.div(width).mul(width) : 0;
    k.loop(first, high, width, (column) =>
      multiply(k, { rows: queries, columns: width, first: column }, { depth: headDim, a: left, b: keys, c: to, start: "zero" }),
    );
  });
}

/** Key after key: those that all rows of a register tile see are one product; those that only some see, before and behind, are added row by row. */
function addValues(work: Work, page: Page, values: RightOperand): void {
  const { k, sizes } = work;
  eachRegisterTile(work, (part) => {
    const { row, rows } = part;
    const seenBy = (i: Int) => seenOf(work, page.start, pageKeys, i);
    if (rows === 1) return addKeys(work, page, values, part, seenBy(row));
    const [first, last] = [seenBy(row), seenBy(row.add(rows - 1))];
    const start = last.low;
    const end = start.max(first.high);
    const byRow = (keysOf: (seen: Seen) => Seen) =>
      k.loop(row, row.add(rows), 1, (i) =>
        eachPiece(work, { row: i, rows: 1 }, (own) => addKeys(work, page, values, own, keysOf(seenBy(i)))),
      );
    if (sizes.window > 0) k.if(first.low, "<", start, () => byRow(({ low, high }) => ({ low, high: high.min(start) })));
    addKeys(work, page, values, part, { low: start, high: end });
    k.if(end, "<", last.high, () => byRow(({ high }) => ({ low: end, high })));
  });
}

function addKeys({ k, sizes, places }: Work, page: Page, values: RightOperand, { query, queries }: QueryRows, { low, high }: Seen): void {
  const { headDim } = sizes;
  const left = { base: page.scores.add(query.mul(scoreStride)).add(low.mul(4)), rowStride: scoreStride, depthStride: 4 };
  const right = { ...values, base: values.base.add(low.mul(values.depthStride)) };
  const to = { base: rowAt(places.part.out, query, headDim), rowStride: headDim * 4 };
  k.if(low, "<", high, () =>
    eachStep(k, headDim, columnsOf(k, queries, headDim), (columns, first) =>
      multiply(k, { rows: queries, columns, first }, { depth: { steps: high.sub(low) }, a: left, b: right, c: to, start: "continue" }),
    ),
  );
}

/** Vectors of a register tile of so many rows, whose sums must leave registers for what is multiplied. */
function vectorsOf({ target }: Builder, rows: number): number {
  return Math.max(1, Math.floor((target.tile.rows * target.tile.vectors) / rows));
}

/** Columns of a register tile of so many rows: all of them, or a part in whole vectors. */
function columnsOf(k: Builder, rows: number, columns: number): number {
  const vectors = Math.ceil(columns / k.laneCount);
  return Math.ceil(vectors / Math.ceil(vectors / vectorsOf(k, rows))) * k.laneCount;
}

/** A register tile's rows and columns, and the column of B and C that is its first. */
interface Columns {
  readonly rows: number;
  readonly columns: number;
  readonly first: Int | number;
}

/** C (+)= A · B in a register tile. */
function multiply(k: Builder, { rows, columns, first }: Columns, { b, c, ...product }: Product): void {
  const bytes = b.word === "f16" ? 2 : 4;
  const steps = typeof product.depth === "number" ? product.depth : pageKeys;
  const next = b.next?.map((place) => place.add(scaled(first, steps * bytes)));
  const right = { ...b, base: b.base.add(scaled(first, bytes)), ...(next && { next }) };
  tileProduct(k, { rows, columns }, { ...product, b: right, c: { ...c, base: c.base.add(scaled(first, 4)) } });
}
