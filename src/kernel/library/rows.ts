// How kernels over the rows of a matrix split into units of work: blocks of consecutive rows.
import type { Builder, Int } from "../language.ts";

export interface Range {
  readonly begin: Int;
  readonly end: Int;
}

/** Rows of a unit: enough to pay for claiming it, few enough that threads share a sequence evenly. */
export const rowsOfUnit = 8;

/** Runs `body` for every row of this thread's units. @returns the number of units. */
export function eachRow(k: Builder, rows: number, range: Range, body: (row: Int) => void, block = rowsOfUnit): number {
  k.loop(range.begin, range.end, 1, (unit) => {
    const first = unit.mul(block);
    k.loop(first, first.add(block).min(rows), 1, body);
  });
  return Math.ceil(rows / block);
}

/** The address of row `row` of a matrix of `channels` 32-bit columns. */
export function rowAt(base: Int, row: Int, channels: number): Int {
  return base.add(row.mul(channels * 4));
}
