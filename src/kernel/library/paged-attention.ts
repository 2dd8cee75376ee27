// Attention of a run's rows over the pages of their sequences. A tile of rows meets a page at a time; the softmax is corrected as it goes (Rabe & Staats
// 2021; Dao et al. 2022). Sums start anew at every 512th position, and the parts are merged in order (flash-decoding: Dao et al. 2023), by the unit that
// made them or from several. Every step of a row depends on its own keys alone, in one order, so its bits are the same in every tile and program;
// what a row may not see is never multiplied, so that NaN there stays there.
// Shapes as in pages.ts; R rows, H query heads.
import { type Builder, type Int, kernel, type Position, type Vec } from "../language.ts";
import { exp } from "./math.ts";
import { headInPage, loadIndex, type PoolSizes, pageKeys, wideKeys, wideKeysScratch, wideValues, wideValuesScratch } from "./pages.ts";
import { fill, type LeftOperand, type Result, type RightOperand, type Start, tileProduct } from "./product.ts";
import { indexAt } from "./row-blocks.ts";
import { eachLiveRow, rowAt } from "./rows.ts";

export interface PagedAttentionSizes extends PoolSizes {
  /** R. */
  readonly rows: number;
  /** H. */
  readonly heads: number;
  /** Keys that a row sees at most; 0 for all before it. */
  readonly window: number;
  /** Units of one tile and key head among which the parts of a long sequence are dealt; 1 where one unit walks them all. */
  readonly dealt: number;
}

/** The most rows of a tile. */
const tileRows = 16;
/** Pages of a part: where sums start anew, at positions that are multiples of 512. */
const partPages = 8;
const partKeys = partPages * pageKeys;
/** Query rows (rows of a tile times heads of a group) that a unit works on at a time: their queries, scores and sums stay in the second-level cache. */
const queryRows = 64;
/** exp of it is 0, and it is finite, so that differences of two are not NaN. */
const lowest = -1e30;

/** The most units among which one sequence's parts are dealt. */
const mostDealt = 16;
/** Programs of more rows have units enough without dealing parts. */
const fewRows = 8;

/** Parts of the longest sequence. */
export function partsOf({ pagesOfSlot }: Pick<PoolSizes, "pagesOfSlot">): number {
  return Math.ceil(pagesOfSlot / partPages);
}

/** Among how many units the parts of a sequence are dealt. */
export function dealtParts(sizes: Pick<PagedAttentionSizes, "rows" | "pagesOfSlot">): number {
  return sizes.rows <= fewRows ? Math.min(partsOf(sizes), mostDealt) : 1;
}

/** Bytes of the parts' results, [R, H, parts, D + 2]: at most 1/1024 · H / KV of what R sequences of P pages have in the pool as float32. */
export function partsBytes(sizes: Pick<PagedAttentionSizes, "rows" | "heads" | "headDim" | "pagesOfSlot">): number {
  return sizes.rows * sizes.heads * partsOf(sizes) * partBytes(sizes);
}

function partBytes({ headDim }: Pick<PoolSizes, "headDim">): number {
  return (headDim + 2) * 4;
}

/** Unnormalised output of D channels, the largest score and the sum of exponentials of one query row. */
interface Sums {
  readonly out: Int;
  readonly max: Int;
  readonly sum: Int;
}

/** Rows of a tile, at most as many as a unit works on at a time: consecutive rows of one sequence at consecutive positions. */
interface Tile {
  readonly slot: Int;
  readonly first: Int;
  readonly position: Int;
  readonly count: Int;
}

/**
 * o of the rows of all tiles; where parts are dealt, their results instead, for {@link mergeParts}. Pointers: q [R, H · D], keys, values [G, KV, 64, D],
 * positions i32 [R], slots i32 [R], pages i32 [S, P], tiles i32 [R, 2], o [R, H · D] or parts. One unit a key head, tile and share of the parts.
 */
export const pagedAttention = kernel<PagedAttentionSizes>("pagedAttention", (k, sizes) => {
  const p = k.pointers("q", "keys", "values", "positions", "slots", "pages", "tiles", "result");
  const { scratch, begin, end } = k.range();
  const { rows, kvHeads, dealt } = sizes;
  const places = placesIn(sizes, scratch);
  k.loop(begin, end, 1, (unit) => {
    const share = unit.rem(dealt);
    const tile = unit.div(dealt).rem(rows);
    const head = unit.div(dealt * rows);
    eachTile(k, sizes, p, tile, (tile) => {
      loadQueries(k, sizes, tile, head, p.q, places.queries);
      eachPart(k, sizes, tile, share, (part) => {
        attendPart(k, sizes, p, places, tile, head, part);
        if (dealt > 1) keepPart(k, sizes, tile, head, part, places, p.result);
        else mergePart(k, sizes, tile, part, places);
      });
      if (dealt === 1) storeTile(k, sizes, tile, head, places, p.result);
    });
  });
  return { units: kvHeads * rows * dealt, scratchBytes: scratchBytes(sizes) };
});

/** o of rows below the count from their parts, in order. Pointers: parts [R, H, parts, D + 2], positions i32 [R], o [R, H · D], count i32. A unit is a row. */
export const mergeParts = kernel<PagedAttentionSizes>("mergeParts", (k, sizes) => {
  const { parts, positions, o } = k.pointers("parts", "positions", "o");
  const { rows, heads, headDim, pagesOfSlot } = sizes;
  const merge = (row: Int, scratch: Int) => {
    const position = loadIndex(k, rowAt(positions, row, 1), pagesOfSlot * pageKeys);
    const [first, last] = [firstKey(sizes, position).div(partKeys), position.div(partKeys)];
    const all = sumsIn(scratch, headDim);
    k.loop(0, heads, 1, (head) => {
      const at = row.mul(heads).add(head);
      const partOf = (part: Int) => sumsIn(parts.add(at.mul(partsOf(sizes)).add(part).mul(partBytes(sizes))), headDim);
      copySums(k, headDim, partOf(first), all);
      k.loop(first.add(1), last.add(1), 1, (part) => addSums(k, headDim, partOf(part), all));
      storeNormalised(k, headDim, all, rowAt(o, at, headDim));
    });
  };
  return { units: eachLiveRow(k, { rows, live: true }, merge, 1), scratchBytes: partBytes(sizes) };
});

interface Pointers {
  readonly keys: Int;
  readonly values: Int;
  readonly positions: Int;
  readonly slots: Int;
  readonly pages: Int;
  readonly tiles: Int;
}

/** A unit's scratch. Query row r is row ⌊r / group⌋ of the tile and head r mod group of the key head's group. */
interface Places {
  /** Scaled queries [query rows, D]. */
  readonly queries: Int;
  /** Scores, then weights [query rows, 64]. */
  readonly scores: Int;
  /** Of the part at hand, and of the parts before it. */
  readonly part: Stacked;
  readonly all: Stacked;
  readonly keys: Int;
  readonly values: Int;
}

/** {@link Sums} of all query rows: outputs together, maxima together, sums together. */
interface Stacked {
  readonly out: Int;
  readonly max: Int;
  readonly sum: Int;
}

function groupOf({ heads, kvHeads }: Pick<PagedAttentionSizes, "heads" | "kvHeads">): number {
  return heads / kvHeads;
}

/** Rows of a tile that a unit works on at a time. */
function rowsAtOnce(sizes: PagedAttentionSizes): number {
  return Math.min(tileRows, Math.max(1, Math.floor(queryRows / groupOf(sizes))));
}

function placesIn(sizes: PagedAttentionSizes, scratch: Int): Places {
  const count = rowsAtOnce(sizes) * groupOf(sizes);
  let end = scratch;
  const take = (bytes: number) => {
    const start = end;
    end = end.add(bytes);
    return start;
  };
  const vectors = count * sizes.headDim * 4;
  const stacked = () => ({ out: take(vectors), max: take(count * 4), sum: take(count * 4) });
  return {
    queries: take(vectors),
    scores: take(count * pageKeys * 4),
    part: stacked(),
    all: stacked(),
    keys: take(wideKeysScratch(sizes)),
    values: end,
  };
}

function scratchBytes(sizes: PagedAttentionSizes): number {
  const count = rowsAtOnce(sizes) * groupOf(sizes);
  return count * (3 * sizes.headDim + pageKeys + 4) * 4 + wideKeysScratch(sizes) + wideValuesScratch(sizes);
}

/** Runs `body` for the rows of a tile, a few at a time; what the tile says is held within the run and the page table. */
function eachTile(k: Builder, sizes: PagedAttentionSizes, p: Pointers, tile: Int, body: (tile: Tile) => void): void {
  const { rows, slots, pagesOfSlot } = sizes;
  const at = p.tiles.add(tile.mul(8));
  const first = loadIndex(k, at, rows);
  const slot = loadIndex(k, rowAt(p.slots, first, 1), slots);
  const position = loadIndex(k, rowAt(p.positions, first, 1), pagesOfSlot * pageKeys);
  const count = loadIndex(k, at.add(4), tileRows + 1)
    .min(k.int(rows).sub(first))
    .min(k.int(pagesOfSlot * pageKeys).sub(position));
  const size = rowsAtOnce(sizes);
  k.loop(0, count, size, (start) =>
    body({ slot, first: first.add(start), position: position.add(start), count: count.sub(start).min(size) }),
  );
}

/** The first key that a row at a position sees. */
function firstKey({ window }: PagedAttentionSizes, position: Int): Int {
  return window > 0 ? position.sub(window - 1).max(0) : position.k.int(0);
}

/** Runs `body` for the parts of this share that any row of the tile sees, in order. */
function eachPart(k: Builder, sizes: PagedAttentionSizes, { position, count }: Tile, share: Int, body: (part: Int) => void): void {
  const { dealt } = sizes;
  const first = firstKey(sizes, position).div(partKeys);
  const skipped = first
    .sub(share)
    .add(dealt - 1)
    .max(0)
    .div(dealt)
    .mul(dealt);
  const end = position.add(count).sub(1).div(partKeys).add(1);
  k.loop(share.add(skipped), end, dealt, body);
}

/** Scaled by 1/√D, so that scores need not be. */
function loadQueries(k: Builder, sizes: PagedAttentionSizes, { first, count }: Tile, head: Int, q: Int, to: Int): void {
  const width = groupOf(sizes) * sizes.headDim;
  const scale = k.constant(1 / Math.sqrt(sizes.headDim));
  k.loop(0, count, 1, (i) => {
    const from = rowAt(rowAt(q, first.add(i), sizes.heads * sizes.headDim), head, width);
    const place = rowAt(to, i, width);
    k.lanes(width, (at) => k.store(k.load(from, at).mul(scale), place, at), 4);
  });
}

/** Sums over the pages of one part. */
function attendPart(k: Builder, sizes: PagedAttentionSizes, p: Pointers, places: Places, tile: Tile, head: Int, part: Int): void {
  const { position, count } = tile;
  const { headDim } = sizes;
  const rows = count.mul(groupOf(sizes));
  k.loop(0, rows, 1, (row) => {
    const { out, max, sum } = sumsOf(places.part, headDim, row);
    fill(k, out, headDim, k.constant(0));
    k.storeScalar(k.constant(lowest), max);
    k.storeScalar(k.constant(0), sum);
  });
  const first = firstKey(sizes, position).div(pageKeys).max(part.mul(partPages));
  const last = position
    .add(count)
    .sub(1)
    .div(pageKeys)
    .min(part.mul(partPages).add(partPages - 1));
  k.loop(first, last.add(1), 1, (page) => attendPage(k, sizes, p, places, tile, head, page));
}

/** The keys [low, high) of a page that row i of the tile sees; none where low is not below high. */
function seenOf(sizes: PagedAttentionSizes, { position }: Tile, page: Int, i: Int | number): { low: Int; high: Int } {
  const start = page.mul(pageKeys);
  const own = position.add(i);
  const high = own.add(1).sub(start).max(0).min(pageKeys);
  return { low: firstKey(sizes, own).sub(start).max(0).min(pageKeys), high };
}

function attendPage(k: Builder, sizes: PagedAttentionSizes, p: Pointers, places: Places, tile: Tile, head: Int, page: Int): void {
  const group = groupOf(sizes);
  const { headDim } = sizes;
  const { queries, scores, part } = places;
  const at = headInPage(k, sizes, p.pages, tile.slot, page, head);
  const keys = wideKeys(k, sizes, p.keys.add(at), places.keys);
  const rows = tile.count.mul(group);
  eachRowOfTiles(k, 0, rows, (count, row) => {
    const left = { base: rowAt(queries, row, headDim), rowStride: headDim * 4, depthStride: 4 };
    const right = { base: keys, depthStride: pageKeys * 4 };
    product(k, count, pageKeys, headDim, left, right, { base: rowAt(scores, row, pageKeys), rowStride: pageKeys * 4 }, "zero");
  });
  k.loop(0, tile.count, 1, (i) => {
    const { low, high } = seenOf(sizes, tile, page, i);
    const row = i.mul(group);
    k.if(low, "<", high, () =>
      k.loop(row, row.add(group), 1, (row) => softmaxRow(k, sizes, rowAt(scores, row, pageKeys), low, high, sumsOf(part, headDim, row))),
    );
  });
  addValues(k, sizes, places, tile, page, p.values.add(at));
}

/** Scores of a row become exponentials against the running maximum; what was summed before shrinks by the change. */
function softmaxRow(k: Builder, { headDim, window }: PagedAttentionSizes, scores: Int, low: Int, high: Int, { out, max, sum }: Sums): void {
  const [from, to] = [k.splatInt(low), k.splatInt(high)];
  const seen = (at: Position) => {
    const key = indexAt(k, at);
    const below = key.intLess(to).select(k.load(scores, at), k.constant(lowest));
    return window > 0 ? key.intLess(from).select(k.constant(lowest), below) : below;
  };
  const old = k.splat(max);
  const largest = old.max(k.maximum(pageKeys, seen));
  const total = k.sum(pageKeys, (at) => {
    const value = exp(k, seen(at).sub(largest));
    k.store(value, scores, at);
    return value;
  });
  const shrink = exp(k, old.sub(largest));
  k.storeScalar(k.splat(sum).fma(shrink, total), sum);
  k.storeScalar(largest, max);
  k.lanes(headDim, (at) => k.store(k.load(out, at).mul(shrink), out, at), 4);
}

/**
 * out += weights · values, key after key. Keys that all rows see are a product of the whole tile; those that only some rows see, before and behind, are
 * added row by row.
 */
function addValues(k: Builder, sizes: PagedAttentionSizes, places: Places, tile: Tile, page: Int, from: Int): void {
  const group = groupOf(sizes);
  const { headDim, window } = sizes;
  const last = seenOf(sizes, tile, page, tile.count.sub(1));
  const values = wideValues(k, sizes, from, last.high, places.values);
  const start = last.low;
  const end = start.max(seenOf(sizes, tile, page, 0).high);
  const add = (count: number, row: Int, low: Int, high: Int) => {
    const left = { base: rowAt(places.scores, row, pageKeys).add(low.mul(4)), rowStride: pageKeys * 4, depthStride: 4 };
    const right = { base: rowAt(values, low, headDim), depthStride: headDim * 4 };
    const to = { base: rowAt(places.part.out, row, headDim), rowStride: headDim * 4 };
    product(k, count, headDim, { steps: high.sub(low) }, left, right, to, "continue");
  };
  const byRow = (keysOf: (seen: { low: Int; high: Int }) => { low: Int; high: Int }) =>
    k.loop(0, tile.count, 1, (i) => {
      const { low, high } = keysOf(seenOf(sizes, tile, page, i));
      k.if(low, "<", high, () =>
        eachRowOfGroup(group, k.target.tile.rows, (count, first) => add(count, i.mul(group).add(first), low, high)),
      );
    });
  if (window > 0) byRow(({ low, high }) => ({ low, high: high.min(start) }));
  k.if(start, "<", end, () => eachRowOfTiles(k, 0, tile.count.mul(group), (count, row) => add(count, row, start, end)));
  byRow(({ high }) => ({ low: end, high }));
}

/** Rows of the largest register tile of powers of two. */
function largestTile(rows: number): number {
  return 2 ** Math.floor(Math.log2(rows));
}

/** Cuts a number of rows that is known at run time into register tiles: as many of the largest as there are, then of half its rows, and so on. */
function eachRowOfTiles(k: Builder, from: number, rows: Int, body: (count: number, row: Int) => void): void {
  let done: Int | number = from;
  for (let count = largestTile(k.target.tile.rows); count >= 1; count /= 2) {
    const end = rows.div(count).mul(count);
    k.loop(done, end, count, (row) => body(count, row));
    done = end;
  }
}

/** The same of a constant number. */
function eachRowOfGroup(rows: number, tile: number, body: (count: number, first: number) => void): void {
  for (let first = 0; first < rows; ) {
    const count = Math.min(largestTile(tile), largestTile(rows - first));
    body(count, first);
    first += count;
  }
}

/** C (+)= A · B in register tiles, which are the wider the fewer rows there are. */
function product(
  k: Builder,
  rows: number,
  columns: number,
  depth: number | { readonly steps: Int },
  a: LeftOperand,
  b: RightOperand,
  c: Result,
  start: Start,
): void {
  const { tile } = k.target;
  const width = tile.vectors * k.laneCount * (largestTile(tile.rows) / rows);
  for (let first = 0; first < columns; first += width) {
    const shape = { rows, columns: Math.min(width, columns - first) };
    tileProduct(k, shape, depth, a, { ...b, base: b.base.add(first * 4) }, { ...c, base: c.base.add(first * 4) }, start);
  }
}

function sumsIn(base: Int, headDim: number): Sums {
  return { out: base, max: base.add(headDim * 4), sum: base.add(headDim * 4 + 4) };
}

function sumsOf({ out, max, sum }: Stacked, headDim: number, row: Int): Sums {
  return { out: rowAt(out, row, headDim), max: rowAt(max, row, 1), sum: rowAt(sum, row, 1) };
}

function copySums(k: Builder, headDim: number, from: Sums, to: Sums): void {
  k.lanes(headDim, (at) => k.store(k.load(from.out, at), to.out, at), 4);
  k.storeScalar(k.splat(from.max), to.max);
  k.storeScalar(k.splat(from.sum), to.sum);
}

/** to = to + from, both against the larger of their maxima. */
function addSums(k: Builder, headDim: number, from: Sums, to: Sums): void {
  const [a, b] = [k.splat(to.max), k.splat(from.max)];
  const max = a.max(b);
  const [toShrink, fromShrink] = [exp(k, a.sub(max)), exp(k, b.sub(max))];
  const join = (x: Vec, y: Vec) => x.mul(toShrink).add(y.mul(fromShrink));
  k.lanes(headDim, (at) => k.store(join(k.load(to.out, at), k.load(from.out, at)), to.out, at), 4);
  k.storeScalar(join(k.splat(to.sum), k.splat(from.sum)), to.sum);
  k.storeScalar(max, to.max);
}

function storeNormalised(k: Builder, headDim: number, { out, sum }: Sums, to: Int): void {
  const inverse = k.constant(1).div(k.splat(sum));
  k.lanes(headDim, (at) => k.store(k.load(out, at).mul(inverse), to, at), 4);
}

/** Runs `body` for the query rows that see anything of a part, with the row of the tile, the head of the group, and the first part that the row sees. */
function eachSeeing(
  k: Builder,
  sizes: PagedAttentionSizes,
  tile: Tile,
  part: Int,
  body: (at: { readonly queryRow: Int; readonly i: Int; readonly member: Int; readonly firstPart: Int }) => void,
): void {
  const group = groupOf(sizes);
  k.loop(0, tile.count, 1, (i) => {
    const own = tile.position.add(i);
    const firstPart = firstKey(sizes, own).div(partKeys);
    const visit = () => k.loop(0, group, 1, (member) => body({ queryRow: i.mul(group).add(member), i, member, firstPart }));
    k.if(own, ">=", part.mul(partKeys), () => k.if(firstPart, "<=", part, visit));
  });
}

/** The part joins those before it; a row's first one is what they are. */
function mergePart(k: Builder, sizes: PagedAttentionSizes, tile: Tile, part: Int, { part: from, all: to }: Places): void {
  const { headDim } = sizes;
  eachSeeing(k, sizes, tile, part, ({ queryRow, firstPart }) => {
    const [own, all] = [sumsOf(from, headDim, queryRow), sumsOf(to, headDim, queryRow)];
    k.if(
      firstPart,
      "==",
      part,
      () => copySums(k, headDim, own, all),
      () => addSums(k, headDim, own, all),
    );
  });
}

/** The part where {@link mergeParts} finds it. */
function keepPart(k: Builder, sizes: PagedAttentionSizes, tile: Tile, head: Int, part: Int, places: Places, parts: Int): void {
  const { heads, headDim } = sizes;
  eachSeeing(k, sizes, tile, part, ({ queryRow, i, member }) => {
    const at = tile.first
      .add(i)
      .mul(heads)
      .add(head.mul(groupOf(sizes)))
      .add(member);
    const to = parts.add(at.mul(partsOf(sizes)).add(part).mul(partBytes(sizes)));
    copySums(k, headDim, sumsOf(places.part, headDim, queryRow), sumsIn(to, headDim));
  });
}

function storeTile(k: Builder, sizes: PagedAttentionSizes, { first, count }: Tile, head: Int, { all }: Places, o: Int): void {
  const group = groupOf(sizes);
  const { heads, headDim } = sizes;
  k.loop(0, count, 1, (i) =>
    k.loop(0, group, 1, (member) => {
      const to = first.add(i).mul(heads).add(head.mul(group)).add(member);
      storeNormalised(k, headDim, sumsOf(all, headDim, i.mul(group).add(member)), rowAt(o, to, headDim));
    }),
  );
}
