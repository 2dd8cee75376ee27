// Kernels over logits: of live rows alone, in blocks and merged, on every target.
import { describe, expect, test } from "vitest";
import { ints, random, runs, unwritten } from "../testing.test.helper.ts";
import { logSumExpBlocks, logSumExpMerge } from "./log-sum-exp.ts";
import { maskLogits } from "./mask-logits.ts";
import { blocksOfRow } from "./row-blocks.ts";
import { groupsOfRow, topKBlocks, topKMerge } from "./top-k.ts";

const rows = 3;
const live = 2;
const count = ints([live]);

/** Quarters, so that there are ties, and what is no number or infinite. */
function logits(columns: number): Float32Array {
  const x = random(rows * columns, 7, 3).map((value) => Math.round(value * 4) / 4);
  x.set([Number.NaN, Number.NEGATIVE_INFINITY], Math.floor(columns / 3));
  return x;
}

const intsOf = (buffer: Float32Array) => [...new Int32Array(buffer.buffer, buffer.byteOffset, buffer.length)];
const rowOf = (x: Float32Array, row: number, width: number) => [...x.subarray(row * width, (row + 1) * width)];
/** The ids of a row, from the largest value to the smallest, NaN and −∞ last. */
function order(row: readonly number[]): number[] {
  const counted = (v: number) => (row[v]! > Number.NEGATIVE_INFINITY ? row[v]! : -Number.MAX_VALUE);
  return [...row.keys()].sort((a, b) => counted(b) - counted(a) || a - b);
}

describe.each(runs)("$name", ({ run }) => {
  test.each([5, 77, 4096 + 33])("%i logits", (columns) => {
    const x = logits(columns);
    const sizes = { rows, columns, live: true } as const;
    const parts = () => unwritten(rows * blocksOfRow(sizes));
    const rowsOf = (buffer: Float32Array, width: number) => Array.from({ length: live }, (_, row) => rowOf(buffer, row, width));
    const isUnwritten = (buffer: Float32Array, width: number) => expect(rowOf(buffer, live, width).every(Number.isNaN)).toBe(true);

    for (const k of [1, Math.min(columns, 40), Math.min(columns, 300)]) {
      const [, ofGroups] = run(topKBlocks, sizes, [x, unwritten(rows * groupsOfRow(sizes)), count]);
      const [, , top, topIds] = run(topKMerge, { ...sizes, k }, [x, ofGroups!, unwritten(rows * k), unwritten(rows * k), count]);
      rowsOf(x, columns).forEach((row, r) => {
        const wanted = order(row).slice(0, k);
        expect(intsOf(topIds!).slice(r * k, (r + 1) * k)).toEqual(wanted);
        expect(rowOf(top!, r, k)).toEqual(wanted.map((v) => row[v]));
      });
      isUnwritten(top!, k);
    }

    const numbers = x.map((value) => (Number.isNaN(value) ? 1 : value));
    const [, maxima, sums] = run(logSumExpBlocks, sizes, [numbers, parts(), parts(), count]);
    const total = run(logSumExpMerge, sizes, [maxima!, sums!, unwritten(rows), count])[2]!;
    rowsOf(numbers, columns).forEach((row, r) => {
      expect(total[r]).toBeCloseTo(Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0)), 5);
    });
    isUnwritten(total, 1);

    const words = Int32Array.from({ length: rows * Math.ceil(columns / 32) }, (_, i) => Math.imul(i + 1, 0x9e3779b1));
    const masked = run(maskLogits, sizes, [x, ints(words), unwritten(rows * columns), count])[2]!;
    rowsOf(x, columns).forEach((row, r) => {
      const isIn = (v: number) => (words[r * Math.ceil(columns / 32) + Math.floor(v / 32)]! >>> (v % 32)) & 1;
      expect(rowOf(masked, r, columns)).toEqual(row.map((value, v) => (isIn(v) ? value : Number.NEGATIVE_INFINITY)));
    });
    isUnwritten(masked, columns);
  });
});
