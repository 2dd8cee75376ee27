// How kernels over the rows of a matrix split into units of work: blocks of consecutive rows.
import type { Builder, Int, Position, Split } from "../language.ts";

/** The units of work [begin, end) of a call. */
export interface Range {
  readonly begin: Int;
  readonly end: Int;
}

/** Rows of a unit: enough to pay for claiming it, few enough that threads share a sequence evenly. */
export const rowsOfUnit = 8;

/** Runs `body` for every row of this thread's units. @returns the number of units. */
export function eachRow(k: Builder, rows: number, range: Range, body: (row: Int) => void, block = rowsOfUnit): number {
  return eachRowBelow(k, { rows, limit: rows, block }, range, body).units;
}

/** Constants of a kernel that can stop at the live rows: where `live` is set, its last pointer is an int32 with their number. */
export interface Live {
  readonly live?: true;
}

/**
 * The row at which a kernel stops: the last, or the last live one. It declares the pointer to the number of live rows,
 * so it is called after the other pointers and before the range.
 */
export function rowLimit(k: Builder, { rows, live }: { readonly rows: number } & Live): Int | number {
  return live ? k.loadInt(k.pointers("live").live).max(0).min(rows) : rows;
}

/** {@link eachRow} of the live rows, for a kernel that has declared its other pointers; `body` gets the thread's scratch too. */
export function eachLiveRow(
  k: Builder,
  sizes: { readonly rows: number } & Live,
  body: (row: Int, scratch: Int) => void,
  block = rowsOfUnit,
): Split {
  const limit = rowLimit(k, sizes);
  const range = k.range();
  return eachRowBelow(k, { rows: sizes.rows, limit, block }, range, (row) => body(row, range.scratch));
}

/** Rows in blocks, of which those below a limit are computed. */
interface LimitedRows {
  readonly rows: number;
  readonly limit: Int | number;
  readonly block: number;
}

function eachRowBelow(k: Builder, { rows, limit, block }: LimitedRows, range: Range, body: (row: Int) => void): Split {
  k.loop(range.begin, range.end, 1, (unit) => {
    const first = unit.mul(block);
    k.loop(first, first.add(block).min(limit), 1, body);
  });
  return splitOfRows(Math.ceil(rows / block), limit, block);
}

/** How a kernel splits whose units follow the rows: every `rows` rows have `units` units. */
export function splitOfRows(all: number, limit: Int | number, rows: number, units = 1): Split {
  return typeof limit === "number" ? { units: all } : { units: all, liveUnits: { rows, units } };
}

/** The address of row `row` of a matrix of `channels` 32-bit columns. */
export function rowAt(base: Int, row: Int, channels: number): Int {
  return base.add(row.mul(channels * 4));
}

/** Sizes of a kernel that works element by element. */
export interface Elements {
  readonly count: number;
  /** Elements of a row, where the kernel stops at the live rows; its last pointer is then an int32 with their number. */
  readonly liveWidth?: number;
}

/** Elements of a unit of work. */
const elementsOfUnit = 4096;

/** Runs `body` for every vector of this thread's units, in a kernel that has declared its other pointers. @returns how the kernel splits into units. */
export function eachElement(k: Builder, { count, liveWidth }: Elements, body: (at: Position) => void): Split {
  if (liveWidth === undefined) return { units: k.flat(count, k.range(), body, elementsOfUnit) };
  const rows = count / liveWidth;
  const limit = rowLimit(k, { rows, live: true });
  return eachPartOfRow(k, { rows, width: liveWidth }, limit, k.range(), body);
}

/** A unit is a few short rows, or a part of a long one. */
function eachPartOfRow(
  k: Builder,
  { rows, width }: { readonly rows: number; readonly width: number },
  limit: Int | number,
  range: Range,
  body: (at: Position) => void,
): Split {
  const parts = Math.ceil(width / elementsOfUnit);
  const block = Math.max(1, Math.floor(elementsOfUnit / width));
  k.loop(range.begin, range.end, 1, (unit) => {
    const first = unit.div(parts).mul(block);
    const part = unit.rem(parts);
    k.loop(first, first.add(block).min(limit), 1, (row) => {
      const start = row.mul(width * 4).add(part.mul(elementsOfUnit * 4));
      k.blocks(part, width, elementsOfUnit, (size) =>
        k.lanes(size, (at) => body({ ...at, index: at.index ? at.index.add(start) : start }), 2),
      );
    });
  });
  return splitOfRows(Math.ceil(rows / block) * parts, limit, block, parts);
}
