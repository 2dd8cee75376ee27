// Attention of a run's rows over the pages of their sequences. A sequence is cut into parts of 512 keys: a tile of rows scores a part's keys page by page,
// takes their softmax and adds the weighted values; parts are merged in order, by the unit that made them or from several (Rabe & Staats 2021;
// flash-decoding: Dao et al. 2023). Every step of a row depends on its own keys alone, in one order, so its bits are the same in every tile and program;
// what a row may not see is never multiplied, so that NaN there stays there.
// Shapes as in pages.ts; R rows, H query heads.
import { type Builder, type Int, kernel } from "../language.ts";
import { storeOutput } from "./attention-output.ts";
import { addPage, type Page, scorePage } from "./page-products.ts";
import {
  firstKey,
  groupOf,
  type PagedAttentionSizes,
  type Pointers,
  partKeys,
  partPages,
  partsOf,
  placesIn,
  rowsOfUnit,
  rowsThatWait,
  scratchBytes,
  sumsOf,
  type Tile,
  tileRows,
  unitsOfTile,
  type Work,
} from "./paged-work.ts";
import { headInPage, loadIndex, type PoolSizes, pageKeys } from "./pages.ts";
import { fill } from "./product.ts";
import { rowAt, rowLimit, splitOfRows } from "./rows.ts";
import { addSums, copySums, sumsIn, weighScores } from "./softmax-parts.ts";
import { turnQueries, writeTurned } from "./turned-rows.ts";

/** Units that one row of a long sequence is dealt among, at least: enough for many threads, and few where a program's other rows are not there. */
const unitsOfRow = 64;
/** Programs of more rows have units enough without dealing parts. */
const fewRows = 8;
/**
 * How many pages ahead of the one that is read: twice, as a processor that waits for as many lines as it can passes over prefetches. A page of float32 is
 * read more than once itself.
 */
function pagesAhead({ type }: PagedAttentionSizes): readonly number[] {
  return type === "f32" ? [1] : [1, 2];
}

/** How many units of a head and a piece share a program's tiles: as many as a prompt has tiles, and some for those that are not full. */
function walksOf(rows: number): number {
  return rows <= rowsThatWait ? rows : Math.ceil(rows / tileRows) + 8;
}

/** The number of units among which the parts of a sequence are dealt. */
export function dealtParts(sizes: Pick<PagedAttentionSizes, "rows" | "pagesOfSlot" | "kvHeads">): number {
  return sizes.rows <= fewRows ? Math.min(partsOf(sizes), Math.ceil(unitsOfRow / sizes.kvHeads)) : 1;
}

/** Bytes of the parts' results, [R, H, parts, D + 2]: at most 1/1024 · H / KV of what R sequences of P pages have in the pool as float32, and a little. */
export function partsBytes(sizes: Pick<PagedAttentionSizes, "rows" | "heads" | "headDim" | "pagesOfSlot">): number {
  return sizes.rows * sizes.heads * partsOf(sizes) * partBytes(sizes);
}

function partBytes({ headDim }: Pick<PoolSizes, "headDim">): number {
  return (headDim + 2) * 4;
}

/**
 * o of the rows of all tiles; where parts are dealt, their results instead, for {@link mergeParts}. Pointers: q [R, H · D], keys, values [G, KV, 64, D],
 * positions i32 [R], slots i32 [R], pages i32 [S, P], tiles i32 [R, 2], o [R, H · D], its lines or parts, where rows
 * are turned on their way k, v [R, KV · D] and turns i32 [2, A], count i32. One unit per key head, some rows of a tile and share of the parts; in programs of many rows a unit has several tiles, as most are not there.
 */
export const pagedAttention = kernel<PagedAttentionSizes>("pagedAttention", (k, sizes) => {
  const { rows, kvHeads, dealt, turned } = sizes;
  const given = k.pointers("q", "keys", "values", "positions", "slots", "pages", "tiles", "result");
  const p = turned ? { ...given, turned: k.pointers("k", "v", "turns") } : given;
  const limit = rowLimit(k, { rows, live: true });
  const { scratch, begin, end } = k.range();
  const places = placesIn(sizes, scratch);
  const units = kvHeads * unitsOfTile(sizes) * dealt;
  const all = walksOf(rows) * units;
  const followsRows = rows <= rowsThatWait;
  k.loop(begin, followsRows ? end.min(k.int(units).mul(limit)) : end, 1, (unit) => {
    const { head, walk, piece, share } = placeOfUnit(sizes, unit, limit);
    k.loop(walk, limit, walksOf(rows), (tile) =>
      withRows(k, sizes, p, { tile, piece }, (tile) => attendTile({ k, sizes, p, places, tile, head }, share)),
    );
  });
  return { ...(followsRows ? splitOfRows(all, limit, 1, units) : { units: all }), scratchBytes: scratchBytes(sizes) };
});

/** What a unit does: a piece of every so many tiles, for a key head, and which share of the parts. */
interface UnitPlace {
  readonly head: Int;
  /** The first tile. */
  readonly walk: Int;
  readonly piece: Int;
  readonly share: Int;
}

/**
 * Tiles of small programs, most of which are not there, have as many units as rows. Where parts are dealt, each stretch of units has all of these rows, as some
 * see more than others. In large programs a thread stays with a head, whose keys and values its cache keeps, and the last rows come first, as they see most.
 */
function placeOfUnit(sizes: PagedAttentionSizes, unit: Int, limit: Int | number): UnitPlace {
  const { k } = unit;
  const { rows, kvHeads, dealt } = sizes;
  const pieces = unitsOfTile(sizes);
  if (rows <= fewRows) {
    const { quotient, remainder } = divideByRows(k, unit, limit, rows);
    const ofHead = dealt * pieces;
    return { head: quotient.div(ofHead), walk: remainder, piece: quotient.rem(ofHead).div(dealt), share: quotient.rem(dealt) };
  }
  const ofAll = walksOf(rows) * pieces;
  const [head, at] =
    rows <= rowsThatWait
      ? [
          unit.div(pieces).rem(kvHeads),
          unit
            .div(pieces * kvHeads)
            .mul(pieces)
            .add(unit.rem(pieces)),
        ]
      : [unit.div(ofAll), k.int(ofAll - 1).sub(unit.rem(ofAll))];
  return { head, walk: at.div(pieces), piece: at.rem(pieces), share: k.int(0) };
}

/** Divides a unit's number by the number of live rows, which is at most `rows`. */
function divideByRows(k: Builder, unit: Int, limit: Int | number, rows: number): { readonly quotient: Int; readonly remainder: Int } {
  const [live, quotient, remainder] = [k.int(0).add(limit), k.copy(unit), k.int(0)];
  for (let count = 2; count <= rows; count++)
    k.if(live, "==", count, () => {
      quotient.set(unit.div(count));
      remainder.set(unit.rem(count));
    });
  return { quotient, remainder };
}

/** o of rows below the count from their parts, in order. Pointers: parts [R, H, parts, D + 2], positions i32 [R], o [R, H · D] or its lines, count i32. A unit is a row's head. */
export const mergeParts = kernel<PagedAttentionSizes>("mergeParts", (k, sizes) => {
  const { parts, positions, o } = k.pointers("parts", "positions", "o");
  const { rows, heads, headDim, pagesOfSlot } = sizes;
  const limit = rowLimit(k, { rows, live: true });
  const { scratch, begin, end } = k.range();
  const all = sumsIn(scratch, headDim);
  k.loop(begin, end, 1, (unit) => {
    const row = unit.div(heads);
    const position = loadIndex(k, rowAt(positions, row, 1), pagesOfSlot * pageKeys);
    const [first, last] = [firstKey(sizes, position).div(partKeys), position.div(partKeys)];
    const partOf = (part: Int) => sumsIn(parts.add(unit.mul(partsOf(sizes)).add(part).mul(partBytes(sizes))), headDim);
    k.if(row, "<", limit, () => {
      copySums(k, headDim, partOf(first), all);
      k.loop(first.add(1), last.add(1), 1, (part) => addSums(k, headDim, partOf(part), all));
      storeOutput(k, sizes, all, { row, head: unit.rem(heads), o });
    });
  });
  return { ...splitOfRows(rows * heads, limit, 1, heads), scratchBytes: partBytes(sizes) };
});

/** Runs `body` where a piece of a tile has rows; what the tile says is held within the run and the page table. */
function withRows(
  k: Builder,
  sizes: PagedAttentionSizes,
  p: Pointers,
  { tile, piece }: { readonly tile: Int; readonly piece: Int },
  body: (tile: Tile) => void,
): void {
  const { rows, slots, pagesOfSlot } = sizes;
  const at = p.tiles.add(tile.mul(8));
  const first = loadIndex(k, at, rows);
  const slot = loadIndex(k, rowAt(p.slots, first, 1), slots);
  const position = loadIndex(k, rowAt(p.positions, first, 1), pagesOfSlot * pageKeys);
  const start = piece.mul(rowsOfUnit(sizes));
  const count = loadIndex(k, at.add(4), tileRows + 1)
    .min(k.int(rows).sub(first))
    .min(k.int(pagesOfSlot * pageKeys).sub(position))
    .sub(start)
    .min(rowsOfUnit(sizes));
  k.if(count, ">", 0, () => body({ slot, first: first.add(start), position: position.add(start), count }));
}

/** Runs `body` for the parts of this share that any row of the tile sees, in order. */
function eachPart({ k, sizes, tile }: Work, share: Int, body: (part: Int) => void): void {
  const { dealt } = sizes;
  const first = firstKey(sizes, tile.position).div(partKeys);
  const skipped = first
    .sub(share)
    .add(dealt - 1)
    .max(0)
    .div(dealt)
    .mul(dealt);
  const end = tile.position.add(tile.count).sub(1).div(partKeys).add(1);
  k.loop(share.add(skipped), end, dealt, body);
}

/** The rows of a tile, or where parts are dealt their parts of this share. */
function attendTile(work: Work, share: Int): void {
  const { dealt } = work.sizes;
  if (work.sizes.turned) writeTurned(work, share);
  loadQueries(work);
  eachPart(work, share, (part) => {
    attendPart(work, part);
    if (dealt > 1) keepPart(work, part);
    else mergePart(work, part);
  });
  if (dealt === 1) storeTile(work);
}

/** Queries are scaled by log₂ e / √D, so that scores need not be, and are exponents of two. */
function loadQueries({ k, sizes, p, places, tile, head }: Work): void {
  const { heads, headDim } = sizes;
  const width = groupOf(sizes) * headDim;
  const scale = k.constant(Math.LOG2E / Math.sqrt(headDim));
  k.loop(0, tile.count, 1, (i) => {
    const from = rowAt(rowAt(p.q, tile.first.add(i), heads * headDim), head, width);
    const to = rowAt(places.queries, i, width);
    const unscaled = sizes.turned ? turnQueries({ k, sizes, p, places, tile, head }, i, from, to) : from;
    k.lanes(width, (at) => k.store(k.load(unscaled, at).mul(scale), to, at), 4);
  });
}

/** Scores of a part's pages, their softmax, and the weighted values. */
function attendPart(work: Work, part: Int): void {
  const { k, sizes, places, tile } = work;
  const pages = pagesOfPart(work, part);
  const width = sizes.headDim;
  const out = places.part.out;
  eachPage(work, pages, "keys", scorePage);
  weighScores(work, part);
  k.loop(out, rowAt(out, tile.count, groupOf(sizes) * width), width * 4, (row) => fill(k, row, width, k.constant(0)));
  eachPage(work, pages, "values", addPage);
}

/** Pages [first, end) of a sequence: those of the part that begins with page `start` that any row of the tile sees. */
interface PartPages {
  readonly start: Int;
  readonly first: Int;
  readonly end: Int;
}

function pagesOfPart({ sizes, tile }: Work, part: Int): PartPages {
  const start = part.mul(partPages);
  const first = firstKey(sizes, tile.position).div(pageKeys).max(start);
  return { start, first, end: tile.position.add(tile.count).sub(1).div(pageKeys).add(1).min(start.add(partPages)) };
}

type PoolName = "keys" | "values";

function eachPage(work: Work, pages: PartPages, pool: PoolName, body: (work: Work, page: Page) => void): void {
  const { k, sizes, places } = work;
  k.loop(pages.first, pages.end, 1, (index) => {
    const base = placeOf(work, pool, index);
    const next = () => pagesAhead(sizes).map((ahead) => placeAhead(work, pages, pool, index.add(ahead)));
    const from = sizes.rows <= rowsThatWait ? { base, next: next() } : { base };
    body(work, { start: index.mul(pageKeys), from, scores: places.scores.add(index.sub(pages.start).mul(pageKeys * 4)) });
  });
}

function placeOf({ k, sizes, p, tile, head }: Work, pool: PoolName, index: Int): Int {
  return p[pool].add(headInPage(k, sizes, p.pages, { slot: tile.slot, index, head }));
}

/** What is read after a part's last keys are its first values, and after its last values the keys of the next part, which mostly is this thread's. */
function placeAhead(work: Work, { first, end }: PartPages, pool: PoolName, index: Int): Int {
  const { k, sizes } = work;
  const last = end.sub(1);
  const place = k.copy(placeOf(work, pool, index.min(last)));
  k.if(index, ">=", end, () => {
    if (pool === "keys") place.set(placeOf(work, "values", index.sub(end).add(first).min(last)));
    else place.set(placeOf(work, "keys", index.min(sizes.pagesOfSlot - 1)));
  });
  return place;
}

/** A query row that sees anything of a part. */
interface Seeing {
  readonly queryRow: Int;
  /** Row · H + head of the run. */
  readonly place: Int;
  /** The first part that the row sees. */
  readonly firstPart: Int;
}

function eachSeeing({ k, sizes, tile, head }: Work, part: Int, body: (seeing: Seeing) => void): void {
  const group = groupOf(sizes);
  k.loop(0, tile.count, 1, (i) => {
    const own = tile.position.add(i);
    const firstPart = firstKey(sizes, own).div(partKeys);
    const place = tile.first.add(i).mul(sizes.heads).add(head.mul(group));
    const visit = () => k.loop(0, group, 1, (member) => body({ queryRow: i.mul(group).add(member), place: place.add(member), firstPart }));
    k.if(own, ">=", part.mul(partKeys), () => k.if(firstPart, "<=", part, visit));
  });
}

/** The part joins those before it; a row's first one is what they are. */
function mergePart(work: Work, part: Int): void {
  const { k, places } = work;
  const { headDim } = work.sizes;
  eachSeeing(work, part, ({ queryRow, firstPart }) => {
    const [own, all] = [sumsOf(places.part, headDim, queryRow), sumsOf(places.all, headDim, queryRow)];
    k.if(
      firstPart,
      "==",
      part,
      () => copySums(k, headDim, own, all),
      () => addSums(k, headDim, own, all),
    );
  });
}

/** The part goes where {@link mergeParts} finds it. */
function keepPart(work: Work, part: Int): void {
  const { k, sizes, p, places } = work;
  eachSeeing(work, part, ({ queryRow, place }) => {
    const to = p.result.add(place.mul(partsOf(sizes)).add(part).mul(partBytes(sizes)));
    copySums(k, sizes.headDim, sumsOf(places.part, sizes.headDim, queryRow), sumsIn(to, sizes.headDim));
  });
}

function storeTile({ k, sizes, p, places, tile, head }: Work): void {
  const group = groupOf(sizes);
  k.loop(0, tile.count, 1, (i) =>
    k.loop(0, group, 1, (member) => {
      const sums = sumsOf(places.all, sizes.headDim, i.mul(group).add(member));
      storeOutput(k, sizes, sums, { row: tile.first.add(i), head: head.mul(group).add(member), o: p.result });
    }),
  );
}
