// Attention of a run's rows over the pages of their sequences. A sequence is cut into parts of 512 keys: a tile of rows scores a part's keys page by page,
// takes their softmax and adds the weighted values; parts are merged in order, by the unit that made them or from several (Rabe & Staats 2021;
// flash-decoding: Dao et al. 2023). Every step of a row depends on its own keys alone, in one order, so its bits are the same in every tile and program;
// what a row may not see is never multiplied, so that NaN there stays there.
// Shapes as in pages.ts; R rows, H query heads.
import { type Builder, type Int, kernel, type Position, type Vec } from "../language.ts";
import { exp } from "./math.ts";
import {
  type HeadPlace,
  headInPage,
  loadIndex,
  type PoolSizes,
  pageKeys,
  wideKeys,
  wideKeysScratch,
  wideValues,
  wideValuesScratch,
} from "./pages.ts";
import { fill, type Product, type RightOperand, tileProduct } from "./product.ts";
import { indexAt } from "./row-blocks.ts";
import { rowAt, rowLimit, splitOfRows } from "./rows.ts";

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
}

/** The most rows of a tile. */
const tileRows = 16;
/** Pages of a part: where sums start anew, at positions that are multiples of 512. */
const partPages = 8;
const partKeys = partPages * pageKeys;
/** Query rows (rows of a tile times heads of a group) that a unit works on at a time: their queries, scores and sums stay in the second-level cache. */
const queryRows = 32;
/** Scores of a query row stand a line further than 512 keys would have them: a power of two would put all rows into the same few sets of the cache. */
const scoreStride = (partKeys + 16) * 4;
/** exp of it is 0, and it is finite, so that differences of two are not NaN. */
const lowest = -1e30;

/** Units that one row of a long sequence is dealt among, at least: enough for many threads, and few where a program's other rows are not there. */
const unitsOfRow = 64;
/** Units that share a program's tiles: as many as tiles of a prompt of 1024 rows. */
const mostWalks = 64;
/** Programs of more rows have units enough without dealing parts. */
const fewRows = 8;
/** Units of programs of so many rows or fewer wait for memory rather than for products: what comes next is prefetched. */
const rowsThatWait = 64;

/** Parts of the longest sequence. */
function partsOf({ pagesOfSlot }: Pick<PoolSizes, "pagesOfSlot">): number {
  return Math.ceil(pagesOfSlot / partPages);
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
 * positions i32 [R], slots i32 [R], pages i32 [S, P], tiles i32 [R, 2], o [R, H · D] or parts, count i32. One unit per key head, tile and share of the parts; in programs of many rows a unit has several tiles, as most are not there.
 */
export const pagedAttention = kernel<PagedAttentionSizes>("pagedAttention", (k, sizes) => {
  const p = k.pointers("q", "keys", "values", "positions", "slots", "pages", "tiles", "result");
  const { rows, kvHeads, dealt } = sizes;
  const limit = rowLimit(k, { rows, live: true });
  const { scratch, begin, end } = k.range();
  const places = placesIn(sizes, scratch);
  const walks = Math.min(rows, mostWalks);
  // Most tiles of small programs are not there, so units follow the tiles; in large ones a thread stays with a head, whose keys and values its cache keeps.
  const followsTiles = rows <= rowsThatWait;
  k.loop(begin, end, 1, (unit) => {
    const share = unit.rem(dealt);
    const [head, walk] = followsTiles
      ? [unit.div(dealt).rem(kvHeads), unit.div(dealt * kvHeads)]
      : [unit.div(dealt * walks), unit.div(dealt).rem(walks)];
    k.loop(walk, limit, walks, (tile) =>
      eachTile(k, sizes, p, tile, (tile) =>
        attendTile({ k, sizes, p, places, tile, head, queries: tile.count.mul(groupOf(sizes)) }, share),
      ),
    );
  });
  const units = kvHeads * walks * dealt;
  return { ...(followsTiles ? splitOfRows(units, limit, 1, kvHeads * dealt) : { units }), scratchBytes: scratchBytes(sizes) };
});

/** o of rows below the count from their parts, in order. Pointers: parts [R, H, parts, D + 2], positions i32 [R], o [R, H · D], count i32. A unit is a row's head. */
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
      storeNormalised(k, headDim, all, rowAt(o, unit, headDim));
    });
  });
  return { ...splitOfRows(rows * heads, limit, 1, heads), scratchBytes: partBytes(sizes) };
});

/** What a unit works with. Query row r is row ⌊r / group⌋ of the tile and head r mod group of the key head's group. */
interface Work {
  readonly k: Builder;
  readonly sizes: PagedAttentionSizes;
  readonly p: Pointers;
  readonly places: Places;
  readonly tile: Tile;
  /** The key head. */
  readonly head: Int;
  /** How many query rows the tile has. */
  readonly queries: Int;
}

interface Pointers {
  readonly q: Int;
  readonly keys: Int;
  readonly values: Int;
  readonly positions: Int;
  readonly slots: Int;
  readonly pages: Int;
  readonly tiles: Int;
  readonly result: Int;
}

/** Rows of a tile, at most as many as a unit works on at a time: consecutive rows of one sequence at consecutive positions. */
interface Tile {
  readonly slot: Int;
  readonly first: Int;
  readonly position: Int;
  readonly count: Int;
}

/** A unit's scratch. */
interface Places {
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
}

/** Unnormalised outputs of D channels, the largest score, and the sum of exponentials: of one query row or one after the other of several. */
interface Sums {
  readonly out: Int;
  readonly max: Int;
  readonly sum: Int;
}

function groupOf({ heads, kvHeads }: PagedAttentionSizes): number {
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
  const sums = () => ({ out: take(vectors), max: take(count * 4), sum: take(count * 4) });
  return {
    queries: take(vectors),
    scores: take(count * scoreStride),
    part: sums(),
    all: sums(),
    keys: take(wideKeysScratch(sizes)),
    values: end,
  };
}

function scratchBytes(sizes: PagedAttentionSizes): number {
  const count = rowsAtOnce(sizes) * groupOf(sizes);
  return count * ((3 * sizes.headDim + 4) * 4 + scoreStride) + wideKeysScratch(sizes) + wideValuesScratch(sizes);
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
  loadQueries(work);
  eachPart(work, share, (part) => {
    attendPart(work, part);
    if (dealt > 1) keepPart(work, part);
    else mergePart(work, part);
  });
  if (dealt === 1) storeTile(work);
}

/** Queries are scaled by 1/√D, so that scores need not be. */
function loadQueries({ k, sizes, p, places, tile, head }: Work): void {
  const { heads, headDim } = sizes;
  const width = groupOf(sizes) * headDim;
  const scale = k.constant(1 / Math.sqrt(headDim));
  k.loop(0, tile.count, 1, (i) => {
    const from = rowAt(rowAt(p.q, tile.first.add(i), heads * headDim), head, width);
    const to = rowAt(places.queries, i, width);
    k.lanes(width, (at) => k.store(k.load(from, at).mul(scale), to, at), 4);
  });
}

/** Scores of a part's pages, their softmax, and the weighted values. */
function attendPart(work: Work, part: Int): void {
  const { k, sizes, p, places, tile } = work;
  const start = part.mul(partPages);
  const first = firstKey(sizes, tile.position).div(pageKeys).max(start);
  const end = tile.position.add(tile.count).sub(1).div(pageKeys).add(1).min(start.add(partPages));
  const placeOf = (pool: Int, index: Int) => pool.add(headInPage(k, sizes, p.pages, { slot: tile.slot, index, head: work.head }));
  const eachPage = (pool: Int, body: (page: Page) => void) =>
    k.loop(first, end, 1, (index) => {
      const base = placeOf(pool, index);
      const next = () => (pool === p.keys ? nextKeys(index) : placeOf(pool, index.add(1).min(end.sub(1))));
      const from = sizes.rows <= rowsThatWait ? { base, ahead: next().sub(base) } : { base };
      body({ start: index.mul(pageKeys), from, scores: places.scores.add(index.sub(start).mul(pageKeys * 4)) });
    });
  /** The first values come behind the last page of keys. */
  const nextKeys = (index: Int) => {
    const next = k.copy(placeOf(p.values, first));
    k.if(index.add(1), "<", end, () => next.set(placeOf(p.keys, index.add(1))));
    return next;
  };
  eachPage(p.keys, (page) => scorePage(work, page));
  const [from, to] = [first, end].map((page) => page.sub(start).mul(pageKeys * 4)) as [Int, Int];
  weighScores(work, part, { from, to });
  const out = places.part.out;
  k.loop(out, rowAt(out, work.queries, sizes.headDim), sizes.headDim * 4, (row) => fill(k, row, sizes.headDim, k.constant(0)));
  eachPage(p.values, (page) => addPage(work, page));
}

/** A page as a tile meets it. */
interface Page {
  /** Its first position. */
  readonly start: Int;
  /** Where the head's keys, or values, are. */
  readonly from: HeadPlace;
  /** Where the scores of its keys begin in the first query row. */
  readonly scores: Int;
}

/** Keys [low, high), counted from some position; none where low is not below high. */
interface Seen {
  readonly low: Int;
  readonly high: Int;
}

/** What row i of the tile sees of `size` keys from position `start` on. */
function seenOf({ sizes, tile }: Work, start: Int, size: number, i: Int | number): Seen {
  const own = tile.position.add(i);
  const within = (position: Int) => position.sub(start).max(0).min(size);
  return { low: within(firstKey(sizes, own)), high: within(own.add(1)) };
}

function scorePage(work: Work, page: Page): void {
  const { k, sizes, places } = work;
  const { headDim } = sizes;
  const score = (right: RightOperand) =>
    eachRowOfTiles(k, work.queries, (count, row) => {
      const left = { base: rowAt(places.queries, row, headDim), rowStride: headDim * 4, depthStride: 4 };
      const to = { base: page.scores.add(row.mul(scoreStride)), rowStride: scoreStride };
      multiply(k, { rows: count, columns: pageKeys }, { depth: headDim, a: left, b: right, c: to, start: "zero" });
    });
  narrowOrWide(
    work,
    () => score({ ...page.from, word: "f16", depthStride: pageKeys * 2 }),
    () => score({ ...wideKeys(k, sizes, page.from, places.keys), depthStride: pageKeys * 4 }),
  );
}

/** Float16 is widened in registers where one register tile reads it, and in memory where several do; that changes no bits. */
function narrowOrWide({ k, sizes, queries }: Work, narrow: () => void, wide: () => void): void {
  if (sizes.type === "f16") k.if(queries, "<=", mostRows(k), narrow, wide);
  else wide();
}

/** Scores of the part's pages become exponentials against the row's largest. */
function weighScores(work: Work, part: Int, pages: Span): void {
  const { k, sizes, places, tile } = work;
  const group = groupOf(sizes);
  k.loop(0, tile.count, 1, (i) => {
    const seen = seenOf(work, part.mul(partKeys), partKeys, i);
    const row = i.mul(group);
    const weigh = (row: Int) =>
      softmaxRow(work, places.scores.add(row.mul(scoreStride)), seen, pages, sumsOf(places.part, sizes.headDim, row));
    k.if(seen.low, "<", seen.high, () => k.loop(row, row.add(group), 1, weigh));
  });
}

/** Bytes [from, to) of a row of scores: whole pages. */
interface Span {
  readonly from: Int;
  readonly to: Int;
}

function softmaxRow({ k, sizes }: Work, scores: Int, seen: Seen, pages: Span, { max, sum }: Sums): void {
  const hidden = k.constant(lowest);
  const end = k.splatInt(seen.high);
  const start = sizes.window > 0 ? k.splatInt(seen.low) : undefined;
  const scoreAt = (at: Position) => {
    const key = indexAt(k, at);
    const score = key.intLess(end).select(k.load(scores, at), hidden);
    return start ? key.intLess(start).select(hidden, score) : score;
  };
  const largest = overPages(k, pages, lowest, (most, at) => most.maxTo(scoreAt(at)))
    .reduce((a, b) => a.max(b))
    .maximum();
  const totals = overPages(k, pages, 0, (total, at) => {
    const weight = exp(k, scoreAt(at).sub(largest));
    k.store(weight, scores, at);
    total.addTo(weight);
  });
  k.storeScalar(totals.reduce((a, b) => a.add(b)).sum(), sum);
  k.storeScalar(largest, max);
}

/** Runs `body` for every vector of scores, with one of up to four variables in turn. @returns the variables. */
function overPages(k: Builder, { from, to }: Span, initial: number, body: (variable: Vec, at: Position) => void): Vec[] {
  const vectors = pageKeys / k.laneCount;
  const variables = Array.from({ length: Math.min(4, vectors) }, () => k.variable(initial));
  k.loop(from, to, pageKeys * 4, (index) => {
    for (let v = 0; v < vectors; v++) body(variables[v % variables.length]!, { index, offset: v * k.laneCount * 4, span: "full", copy: 0 });
  });
  return variables;
}

/** Adds weights · values of a page to the output. */
function addPage(work: Work, page: Page): void {
  const { k, sizes, places, tile } = work;
  const { headDim } = sizes;
  const { high } = seenOf(work, page.start, pageKeys, tile.count.sub(1));
  narrowOrWide(
    work,
    () => addValues(work, page, { ...page.from, word: "f16", depthStride: headDim * 2 }),
    () => addValues(work, page, { ...wideValues(k, sizes, page.from, high, places.values), depthStride: headDim * 4 }),
  );
}

/**
 * Key after key: those that all rows see are a product of the whole tile; those that only some rows see, before and behind, are added row by row.
 */
function addValues(work: Work, page: Page, values: RightOperand): void {
  const { k, sizes, places, tile, queries } = work;
  const { headDim, window } = sizes;
  const group = groupOf(sizes);
  const seenBy = (i: Int | number) => seenOf(work, page.start, pageKeys, i);
  const start = seenBy(tile.count.sub(1)).low;
  const end = start.max(seenBy(0).high);
  const add = (count: number, row: Int, { low, high }: Seen) => {
    const left = { base: page.scores.add(row.mul(scoreStride)).add(low.mul(4)), rowStride: scoreStride, depthStride: 4 };
    const right = { ...values, base: values.base.add(low.mul(values.depthStride)) };
    const to = { base: rowAt(places.part.out, row, headDim), rowStride: headDim * 4 };
    multiply(k, { rows: count, columns: headDim }, { depth: { steps: high.sub(low) }, a: left, b: right, c: to, start: "continue" });
  };
  const byRow = (keysOf: (seen: Seen) => Seen) =>
    k.loop(0, tile.count, 1, (i) => {
      const keys = keysOf(seenBy(i));
      k.if(keys.low, "<", keys.high, () => eachRowOfGroup(k, group, (count, first) => add(count, i.mul(group).add(first), keys)));
    });
  if (window > 0) byRow(({ low, high }) => ({ low, high: high.min(start) }));
  k.if(start, "<", end, () => eachRowOfTiles(k, queries, (count, row) => add(count, row, { low: start, high: end })));
  byRow(({ high }) => ({ low: end, high }));
}

/** Accumulators of a register tile, in vectors. */
function accumulators(k: Builder): number {
  const { rows, vectors } = k.target.tile;
  return powerOfTwo(rows) * vectors;
}

/** The most rows of a register tile: it is as wide as it is high or wider, so that it reads a page in long pieces. */
function mostRows(k: Builder): number {
  return powerOfTwo(Math.sqrt(accumulators(k)));
}

/** The largest power of two that is at most x. */
function powerOfTwo(x: number): number {
  return 2 ** Math.floor(Math.log2(x));
}

/** Cuts a number of rows that is known at run time into register tiles: as many of the highest as there are, then of half its height, and so on. */
function eachRowOfTiles(k: Builder, rows: Int, body: (count: number, row: Int) => void): void {
  let done: Int | number = 0;
  for (let count = mostRows(k); count >= 1; count /= 2) {
    const end = rows.div(count).mul(count);
    k.loop(done, end, count, (row) => body(count, row));
    done = end;
  }
}

/** The same of a constant number. */
function eachRowOfGroup(k: Builder, rows: number, body: (count: number, first: Int | number) => void): void {
  const most = mostRows(k);
  const whole = Math.floor(rows / most) * most;
  if (whole === most) body(most, 0);
  else if (whole > 0) k.loop(0, whole, most, (first) => body(most, first));
  for (let first = whole; first < rows; ) {
    const count = powerOfTwo(rows - first);
    body(count, first);
    first += count;
  }
}

/** C (+)= A · B in register tiles, which are the wider the fewer rows there are. */
function multiply(k: Builder, { rows, columns }: { readonly rows: number; readonly columns: number }, { b, c, ...product }: Product): void {
  const width = (accumulators(k) / rows) * k.laneCount;
  const bytes = b.word === "f16" ? 2 : 4;
  for (let first = 0; first < columns; first += width) {
    const shape = { rows, columns: Math.min(width, columns - first) };
    tileProduct(k, shape, { ...product, b: { ...b, base: b.base.add(first * bytes) }, c: { ...c, base: c.base.add(first * 4) } });
  }
}

function sumsIn(base: Int, headDim: number): Sums {
  return { out: base, max: base.add(headDim * 4), sum: base.add(headDim * 4 + 4) };
}

function sumsOf({ out, max, sum }: Sums, headDim: number, row: Int): Sums {
  return { out: rowAt(out, row, headDim), max: rowAt(max, row, 1), sum: rowAt(sum, row, 1) };
}

function copySums(k: Builder, headDim: number, from: Sums, to: Sums): void {
  k.lanes(headDim, (at) => k.store(k.load(from.out, at), to.out, at), 4);
  k.storeScalar(k.splat(from.max), to.max);
  k.storeScalar(k.splat(from.sum), to.sum);
}

/** Adds `from` to `to`, both against the larger of their maxima. */
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
  const { heads, headDim } = sizes;
  k.loop(0, tile.count, 1, (i) =>
    k.loop(0, group, 1, (member) => {
      const to = tile.first.add(i).mul(heads).add(head.mul(group)).add(member);
      storeNormalised(k, headDim, sumsOf(places.all, headDim, i.mul(group).add(member)), rowAt(p.result, to, headDim));
    }),
  );
}
