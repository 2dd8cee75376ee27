// Keys and values of a run's rows into the pages of their sequences, and pages into others. Shapes as in pages.ts; R rows.
import { type Builder, type Int, kernel, type Position, whole } from "../language.ts";
import { headBytes, headInPage, loadIndex, type PoolSizes, pageKeys, q8Bytes } from "./pages.ts";
import { eachStep, scaled } from "./product.ts";
import { quantiseBlock } from "./quantise.ts";
import { blockWeights } from "./quantised-blocks.ts";
import { rowAt, rowLimit, splitOfRows } from "./rows.ts";

/** Sizes of a pool and of the rows that are written to it. */
export interface PageWriteSizes extends PoolSizes {
  /** R, the rows of a run. */
  readonly rows: number;
}

/** Rows of a unit: keys of a channel lie side by side, and threads that write into one cache line of them hold each other up. */
const rowsOfWrite = 16;

/**
 * Rows below the count go where positions and pages say, rounded to the layout. Pointers: keys, values [G, KV, 64, D], k, v [R, KV · D],
 * positions i32 [R], slots i32 [R], pages i32 [S, P], count i32. One unit per block of rows and key head.
 */
export const pageWrite = kernel<PageWriteSizes>("pageWrite", (k, sizes) => {
  const p = k.pointers("keys", "values", "k", "v", "positions", "slots", "pages");
  const { rows, kvHeads, headDim } = sizes;
  const limit = rowLimit(k, { rows, live: true });
  const { begin, end } = k.range();
  const of = (row: Int, head: Int): RowHead => {
    const from = rowAt(rowAt(k.int(0), row, kvHeads * headDim), head, headDim);
    return { row, head, key: p.k.add(from), value: p.v.add(from) };
  };
  const write = (first: Int, end: Int, head: Int) => k.loop(first, end, 1, (row) => writeHead(k, sizes, p, of(row, head)));
  k.loop(begin, end, 1, (unit) => {
    const head = unit.rem(kvHeads);
    const first = unit.div(kvHeads).mul(rowsOfWrite);
    const end = first.add(rowsOfWrite).min(limit);
    if (sizes.type === "q8_0") return write(first, end, head);
    k.loop(first, end, k.laneCount, (row) =>
      k.if(
        stepsAside(k, sizes, p, row, end),
        "==",
        0,
        () => writeHeads(k, sizes, p, of(row, head)),
        () => write(row, row.add(k.laneCount).min(end), head),
      ),
    );
  });
  return splitOfRows(Math.ceil(rows / rowsOfWrite) * kvHeads, limit, rowsOfWrite, kvHeads);
});

/** What {@link writeHead} reads of a run, and the pools that it writes. */
export type WritePointers = Readonly<Record<"keys" | "values" | "positions" | "slots" | "pages", Int>>;

/** A key head of a row, and where its key and its value lie. */
export interface RowHead {
  readonly row: Int;
  readonly head: Int;
  readonly key: Int;
  readonly value: Int;
}

/** Writes a row's key and value of one head to the page of the row's position. */
export function writeHead(k: Builder, sizes: PoolSizes, p: WritePointers, { row, head, ...from }: RowHead): void {
  const { to, key } = placeOf(k, sizes, p, row, head);
  writeKey(k, sizes, from.key, p.keys.add(to), key);
  writeRow(k, sizes, from.value, p.values.add(to), key);
}

/** 0 where as many rows as there are lanes follow one another in a sequence, all in one page and before the end; else more. */
function stepsAside(k: Builder, { slots, pagesOfSlot }: PoolSizes, p: WritePointers, first: Int, end: Int): Int {
  const slotOf = (row: Int) => loadIndex(k, rowAt(p.slots, row, 1), slots);
  const positionOf = (row: Int) => loadIndex(k, rowAt(p.positions, row, 1), pagesOfSlot * pageKeys);
  const [slot, position] = [slotOf(first), positionOf(first)];
  const steps = k.copy(
    position
      .rem(pageKeys)
      .add(k.laneCount - pageKeys)
      .max(0),
  );
  steps.bump(first.add(k.laneCount).sub(end).max(0));
  const addDistance = (a: Int, b: Int) => steps.bump(a.max(b).sub(a.min(b)));
  k.loop(first, first.add(k.laneCount).min(end), 1, (row) => {
    addDistance(slotOf(row), slot);
    addDistance(positionOf(row), position.add(row).sub(first));
  });
  return steps;
}

/** Writes the keys and values of as many rows as there are lanes, which follow one another in a page; keys are transposed in registers. */
function writeHeads(k: Builder, sizes: PoolSizes, p: WritePointers, { row, head, ...from }: RowHead): void {
  const { type, kvHeads, headDim } = sizes;
  const bytes = type === "f32" ? 4 : 2;
  const { to, key } = placeOf(k, sizes, p, row, head);
  const stride = kvHeads * headDim * 4;
  eachStep(k, headDim, k.laneCount, (channels, first) => {
    const at: Position = { offset: 0, span: channels === k.laneCount ? "full" : channels, copy: 0 };
    const rows = Array.from({ length: k.laneCount }, (_, i) => k.load(from.key.add(scaled(first, 4)), at, i * stride));
    const columns = p.keys
      .add(to)
      .add(key.mul(bytes))
      .add(scaled(first, pageKeys * bytes));
    k.transpose(rows)
      .slice(0, channels)
      .forEach((keys, c) => {
        const channel = c * pageKeys * bytes;
        if (type === "f32") k.store(keys, columns, whole, channel);
        else k.storeNarrow("f16", keys, columns, whole, channel);
      });
  });
  k.loop(0, k.laneCount, 1, (i) => writeRow(k, sizes, from.value.add(i.mul(stride)), p.values.add(to), key.add(i)));
}

/** Where a row's key head has its page, in bytes from the start of a pool, and which of the page's keys is the row's. */
function placeOf(k: Builder, sizes: PoolSizes, p: WritePointers, row: Int, head: Int): { readonly to: Int; readonly key: Int } {
  const slot = loadIndex(k, rowAt(p.slots, row, 1), sizes.slots);
  const position = loadIndex(k, rowAt(p.positions, row, 1), sizes.pagesOfSlot * pageKeys);
  return { to: headInPage(k, sizes, p.pages, { slot, index: position.div(pageKeys), head }), key: position.rem(pageKeys) };
}

/** One key as a column of [D, 64], or where keys are quantised as a row. */
function writeKey(k: Builder, sizes: PoolSizes, from: Int, page: Int, key: Int): void {
  const { type, headDim } = sizes;
  if (type === "q8_0") return writeRow(k, sizes, from, page, key);
  const bytes = type === "f32" ? 4 : 2;
  const to = k.copy(page.add(key.mul(bytes)));
  k.loop(from, from.add(headDim * 4), 4, (channel) => {
    const value = k.splat(channel);
    if (type === "f32") k.storeScalar(value, to);
    else k.storeNarrow("f16", value, to, { offset: 0, span: 1, copy: 0 });
    to.bump(pageKeys * bytes);
  });
}

/** One key or value as a row of [64, D]. */
function writeRow(k: Builder, { type, headDim }: PoolSizes, from: Int, page: Int, key: Int): void {
  const to = page.add(key.mul(headBytes({ type, headDim }) / pageKeys));
  if (type === "f32") k.lanes(headDim, (at) => k.store(k.load(from, at), to, at), 4);
  else if (type === "f16") k.lanes(headDim, (at) => k.storeNarrow("f16", k.load(from, at), to, at), 4);
  else writeBlocks(k, headDim, from, to);
}

function writeBlocks(k: Builder, headDim: number, from: Int, to: Int): void {
  const block = k.copy(to);
  k.loop(from, from.add(headDim * 4), blockWeights * 4, (numbers) => {
    const { quants, scale } = quantiseBlock(k, numbers, 0);
    k.storeNarrow("f16", scale, block, { offset: 0, span: 1, copy: 0 });
    quants.forEach((q, i) => k.storeNarrow("u8", q, block, undefined, 2 + i * k.laneCount));
    block.bump(q8Bytes);
  });
}

/** Sizes of a pool and how many of its pages are copied. */
export interface PageCopySizes extends Pick<PoolSizes, "type" | "pages" | "kvHeads" | "headDim"> {
  /** N, the pairs of pages. */
  readonly copies: number;
}

/** Copies pages to pages; one to itself stays. Pointers: pool [G, KV, 64, D], copies i32 [N, 2]. One unit per copy and head. */
export const pageCopy = kernel<PageCopySizes>("pageCopy", (k, sizes) => {
  const { pool, copies } = k.pointers("pool", "copies");
  const { begin, end } = k.range();
  const { pages, kvHeads } = sizes;
  const bytes = headBytes(sizes);
  k.loop(begin, end, 1, (unit) => {
    const copy = copies.add(unit.div(kvHeads).mul(8));
    const [from, to] = [loadIndex(k, copy, pages), loadIndex(k, copy.add(4), pages)];
    const head = (page: Int) => pool.add(page.mul(kvHeads).add(unit.rem(kvHeads)).mul(bytes));
    k.if(from, "!=", to, () => k.lanes(bytes / 4, (at) => k.store(k.load(head(from), at), head(to), at), 4));
  });
  return { units: sizes.copies * kvHeads };
});
