// What a unit of attention over pages works on: a tile of rows and the queries of one key head, a part of 512 keys at a time.
// Shapes as in pages.ts; R rows, H query heads.
import type { Builder, Int } from "../language.ts";
import { type PoolSizes, pageKeys, wideKeysScratch, wideValuesScratch } from "./pages.ts";
import type { QuantisedType } from "./quantised-blocks.ts";
import { anglesBytes, type RopeSizes } from "./rope.ts";
import { rowAt } from "./rows.ts";

/** Sizes of a pool and of the rows that attend its keys. */
export interface PagedAttentionSizes extends PoolSizes {
  /** R, the rows of a run. */
  readonly rows: number;
  /** H, the query heads; a multiple of the key heads. */
  readonly heads: number;
  /** Keys that a row sees at most; 0 for all before it. */
  readonly window: number;
  /** Units of one tile and key head among which the parts of a long sequence are dealt; 1 where one unit walks them all. */
  readonly dealt: number;
  /** The type of weights that read o as lines of bytes, which then stand in its place; D is a multiple of 32. */
  readonly lines?: QuantisedType;
  /** Where q and k are not turned yet, nor keys and values written: how they are turned on their way, in programs of few rows. */
  readonly turned?: Turning;
}

/** How RoPE turns heads. */
export type Turning = Pick<RopeSizes, "pairing" | "attentionFactor">;

/** The most rows of a tile. */
export const tileRows = 64;
/** Units of programs of so many rows or fewer wait for memory rather than for products: the pages that come next are prefetched. */
export const rowsThatWait = 64;
/** Pages of a part: where sums start anew, at positions that are multiples of 512. */
export const partPages = 8;
/** Keys of a part. */
export const partKeys = partPages * pageKeys;
/** Query rows (rows of a tile times heads of a group) that a unit works on: their queries, scores and sums stay in the second-level cache. */
const queryRows = 96;
/** Bytes from a query row's scores to the next row's: a line more than 512 scores have, as a power of two would put all rows into the same few sets of the cache. */
export const scoreStride = (partKeys + 16) * 4;

/** What a unit works with. Query row r is row ⌊r / group⌋ of the tile and head r mod group of the key head's group. */
export interface Work {
  readonly k: Builder;
  readonly sizes: PagedAttentionSizes;
  readonly p: Pointers;
  readonly places: Places;
  readonly tile: Tile;
  /** The key head. */
  readonly head: Int;
}

/** Where the operands are, by their names in the kernel. */
export interface Pointers {
  readonly q: Int;
  readonly keys: Int;
  readonly values: Int;
  readonly positions: Int;
  readonly slots: Int;
  readonly pages: Int;
  readonly tiles: Int;
  readonly result: Int;
  /** New keys and values [R, KV · D] and the table of turns, where rows are turned on their way. */
  readonly turned?: Readonly<Record<"k" | "v" | "turns", Int>>;
}

/** Rows of a tile that a unit works on: consecutive rows of one sequence at consecutive positions. */
export interface Tile {
  readonly slot: Int;
  readonly first: Int;
  readonly position: Int;
  readonly count: Int;
}

/** A unit's scratch. */
export interface Places {
  /** Scaled queries [query rows, D]. */
  readonly queries: Int;
  /** Scores of a part, then weights [query rows, 512], see {@link scoreStride}. */
  readonly scores: Int;
  /** Sums over the part at hand, and over the parts before it. */
  readonly part: Sums;
  readonly all: Sums;
  /** A page's keys and values, widened. */
  readonly keys: Int;
  readonly values: Int;
  /** A row's angles, and a turned key. */
  readonly angles: Int;
  readonly key: Int;
}

/** Unnormalised outputs of D channels, the largest score, and the sum of weights: of one query row or one after the other of several. */
export interface Sums {
  readonly out: Int;
  readonly max: Int;
  readonly sum: Int;
}

/** Query heads per key head. */
export function groupOf({ heads, kvHeads }: Pick<PagedAttentionSizes, "heads" | "kvHeads">): number {
  return heads / kvHeads;
}

/** Rows of a tile that a unit works on; a power of two. */
export function rowsOfUnit(sizes: Pick<PagedAttentionSizes, "rows" | "heads" | "kvHeads">): number {
  return 2 ** Math.floor(Math.log2(Math.max(1, Math.min(tileRows, sizes.rows, queryRows / groupOf(sizes)))));
}

/** Units that share a tile and a key head. */
export function unitsOfTile(sizes: Pick<PagedAttentionSizes, "rows" | "heads" | "kvHeads">): number {
  return Math.ceil(Math.min(tileRows, sizes.rows) / rowsOfUnit(sizes));
}

/** Parts of the longest sequence. */
export function partsOf({ pagesOfSlot }: Pick<PoolSizes, "pagesOfSlot">): number {
  return Math.ceil(pagesOfSlot / partPages);
}

/** Lays a unit's scratch out. */
export function placesIn(sizes: PagedAttentionSizes, scratch: Int): Places {
  const count = rowsOfUnit(sizes) * groupOf(sizes);
  let end = scratch;
  const take = (bytes: number) => {
    const start = end;
    end = end.add(bytes);
    return start;
  };
  const vectors = count * sizes.headDim * 4;
  const sums = () => ({ out: take(vectors), max: take(count * 4), sum: take(count * 4) });
  return {
    queries: take(vectors),
    scores: take(count * scoreStride),
    part: sums(),
    all: sums(),
    keys: take(wideKeysScratch(sizes)),
    values: take(wideValuesScratch(sizes)),
    angles: take(turnedBytes(sizes)),
    key: end,
  };
}

/** Bytes that {@link placesIn} lays out. */
export function scratchBytes(sizes: PagedAttentionSizes): number {
  const count = rowsOfUnit(sizes) * groupOf(sizes);
  return (
    count * ((3 * sizes.headDim + 4) * 4 + scoreStride) +
    wideKeysScratch(sizes) +
    wideValuesScratch(sizes) +
    turnedBytes(sizes) +
    sizes.headDim * 4
  );
}

function turnedBytes({ headDim, turned }: PagedAttentionSizes): number {
  return turned === undefined ? 0 : anglesBytes({ headDim, ...turned });
}

/** The sums of a query row, of several. */
export function sumsOf({ out, max, sum }: Sums, headDim: number, row: Int): Sums {
  return { out: rowAt(out, row, headDim), max: rowAt(max, row, 1), sum: rowAt(sum, row, 1) };
}

/** The first key that a row at a position sees. */
export function firstKey({ window }: PagedAttentionSizes, position: Int): Int {
  return window > 0 ? position.sub(window - 1).max(0) : position.k.int(0);
}

/** Keys [low, high), counted from some position; none where low is not below high. */
export interface Seen {
  readonly low: Int;
  readonly high: Int;
}

/** What row i of the tile sees of `size` keys from position `start` on. */
export function seenOf({ sizes, tile }: Work, start: Int, size: number, i: Int | number): Seen {
  const own = tile.position.add(i);
  const within = (position: Int) => position.sub(start).max(0).min(size);
  return { low: within(firstKey(sizes, own)), high: within(own.add(1)) };
}
