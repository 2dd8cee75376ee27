// Pages on every target between pages that fault: what is written, copied and attended, in every layout.
import { describe, expect, test } from "vitest";
import { dequantise, quantise } from "../../base/index.ts";
import { ints, random, runs, sameBits, unwritten, worstError } from "../testing.test.helper.ts";
import { pageCopy, pageWrite } from "./page-write.ts";
import { dealtParts, mergeParts, pagedAttention, partsBytes } from "./paged-attention.ts";
import type { PagedAttentionSizes } from "./paged-work.ts";
import { headBytes, type PoolType } from "./pages.ts";

const [rows, kvHeads, pages, slots, pagesOfSlot] = [5, 2, 3, 2, 9] as const;
const live = 4;
/** Rows across the end of a page of the first sequence, of which the first is only written, and the first of the second; one row is not live. */
const positions = [62, 63, 64, 0, 7];
const [table, sequences, count] = [ints([2, 1, ...Array(7).fill(0), 0, ...Array(8).fill(7)]), ints([0, 0, 0, 1, 1]), ints([live])];

describe.each(runs)("$name", ({ run }) => {
  test.each([
    ["f32", 6, 4],
    ["f32", 6, 8],
    ["f16", 10, 10],
    ["q8_0", 32, 6],
    ["q8_0", 96, 2],
  ] as const)("%s, heads of %i, %i on 2", (type, headDim, heads) => {
    const pool = { type, pages, slots, pagesOfSlot, kvHeads, headDim };
    const words = (pages * kvHeads * headBytes(pool)) / 4;
    const [q, k, v] = [heads, kvHeads, kvHeads].map((count, i) => random(rows * count * headDim, i)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const at = [ints(positions), sequences, table] as const;
    const blank = new Float32Array(new Uint8Array(words * 4).fill(0x7f).buffer);
    const [keys, values] = run(pageWrite, { ...pool, rows }, [blank, blank.slice(), k, v, ...at, count]);
    const stored = storedValues(type, headDim, values!);
    const [wantedKeys, wantedValues] = [k, v].map((x) => dequantise(type, quantise(type, Float64Array.from(x)))) as [
      Float64Array,
      Float64Array,
    ];
    // Row 3 of the run: position 0 of the second sequence, which lies in page 0.
    expect([...stored.subarray(0, headDim)]).toEqual([...wantedValues.subarray(3 * kvHeads * headDim).subarray(0, headDim)]);

    const moved = run(pageCopy, { type, pages, kvHeads, headDim, copies: 2 }, [values!, ints([2, 0, 1, 1])])[0]!;
    const third = words / pages;
    expect(sameBits(moved.subarray(0, third), values!.subarray(2 * third))).toBe(true);
    expect(sameBits(moved.subarray(third), values!.subarray(third))).toBe(true);

    const sizes = { ...pool, rows, heads, window: 2, dealt: 1 };
    const tiles = ints([1, 2, 3, 1, 0, 0, 0, 0, 0, 0]);
    const given = [q, keys!, values!, ...at, tiles];
    const o = run(pagedAttention, sizes, [...given, unwritten(q.length), count])[7]!;
    const width = heads * headDim;
    const rowsIn = (x: Float32Array) => x.subarray(width, live * width);
    const wanted = attended(sizes, q, wantedKeys, wantedValues);
    expect(worstError(rowsIn(o), wanted.slice(width))).toBeLessThan(1e-5);
    expect([...o.subarray(0, width), ...o.subarray(live * width)].every(Number.isNaN)).toBe(true);

    const dealt = { ...sizes, dealt: dealtParts(sizes) };
    expect(dealt.dealt).toBe(2);
    const parts = run(pagedAttention, dealt, [...given, unwritten(partsBytes(dealt) / 4), count])[7]!;
    const merged = run(mergeParts, dealt, [parts, ints(positions), unwritten(q.length), count])[2]!;
    expect(sameBits(rowsIn(merged), rowsIn(o))).toBe(true);
    expect(merged.subarray(live * width).every(Number.isNaN)).toBe(true);
  });

  test.each(["f32", "f16", "q8_0"] as const)("%s: rows that follow one another are written with the bits of rows by themselves", (type) => {
    const [rows, headDim, last] = [53, type === "q8_0" ? 32 : 21, 116];
    const pool = { type, pages, slots: 1, pagesOfSlot: 2, kvHeads, headDim };
    const [k, v] = [1, 2].map((seed) => random(rows * kvHeads * headDim, seed)) as [Float32Array, Float32Array];
    const blank = new Float32Array(new Uint8Array(pages * kvHeads * headBytes(pool)).fill(0x7f).buffer);
    const order = Array.from({ length: rows }, (_, row) => row);
    const written = (order: readonly number[]) => {
      const at = [ints(order.map((row) => last - row)), ints(Array(rows).fill(0)), ints([2, 0])];
      const [ordered, orderedValues] = [k, v].map((x) => Float32Array.from(order.flatMap((row) => [...rowOf(x, row, kvHeads * headDim)])));
      return run(pageWrite, { ...pool, rows }, [blank, blank.slice(), ordered!, orderedValues!, ...at, ints([rows])]);
    };
    const falling = written(order);
    const rising = written(order.toReversed());
    for (const pool of [0, 1]) expect(sameBits(rising[pool]!, falling[pool]!)).toBe(true);
    // Some rows of the first page and of the second are there, and what lies before them is as it was.
    expect(sameBits(falling[0]!, blank)).toBe(false);
  });

  test("indices that lead outside stay inside", () => {
    const [headDim, heads] = [10, 4];
    const pool = { type: "f16", pages, slots, pagesOfSlot, kvHeads, headDim } as const;
    const dealt = { ...pool, rows, heads, window: 0, dealt: 2 };
    const words = (pages * kvHeads * headBytes(pool)) / 4;
    const numbers = [words, words, rows * kvHeads * headDim, rows * kvHeads * headDim, rows * heads * headDim].map((n, i) => random(n, i));
    const [keys, values, k, v, q] = numbers as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
    const extremes = [-(2 ** 31), 2 ** 31 - 1, -1, 2 ** 24 + 1, 3, 0];
    for (const turn of extremes.keys()) {
      const wrong = (count: number, step: number) =>
        ints(Array.from({ length: count }, (_, i) => extremes[(turn + step * i) % extremes.length]!));
      const at = [wrong(rows, 1), wrong(rows, 5), wrong(slots * pagesOfSlot, 1)] as const;
      run(pageWrite, { ...pool, rows }, [keys, values, k, v, ...at, wrong(1, 1)]);
      run(pageCopy, { ...pool, copies: 2 }, [values, wrong(4, 1)]);
      const given = [q, keys, values, ...at, wrong(2 * rows, 1)];
      run(pagedAttention, { ...dealt, dealt: 1 }, [...given, unwritten(q.length), wrong(1, 1)]);
      const parts = run(pagedAttention, dealt, [...given, unwritten(partsBytes(dealt) / 4), wrong(1, 1)])[7]!;
      run(mergeParts, dealt, [parts, at[0], unwritten(q.length), wrong(1, 1)]);
    }
  });
});

function rowOf(x: Float32Array, row: number, width: number): Float32Array {
  return x.subarray(row * width, (row + 1) * width);
}

/** Values of a pool as numbers. */
function storedValues(type: PoolType, headDim: number, pool: Float32Array): Float64Array {
  return dequantise(type, new Uint8Array(pool.buffer, pool.byteOffset, pages * kvHeads * headBytes({ type, headDim })));
}

/** Rows 1 to 3: they see the row before them, where it is of their sequence, and themselves. */
function attended({ headDim, heads }: PagedAttentionSizes, q: Float32Array, k: Float64Array, v: Float64Array): number[] {
  return Array.from({ length: live * heads * headDim }, (_, i) => {
    const [row, head, channel] = [Math.floor(i / (heads * headDim)), Math.floor(i / headDim) % heads, i % headDim];
    const seen = row === 0 || row === 3 ? [row] : [row - 1, row];
    const from = (key: number) => (key * kvHeads + Math.floor(head / (heads / kvHeads))) * headDim;
    const score = (key: number) => {
      let sum = 0;
      for (let c = 0; c < headDim; c++) sum += q[(row * heads + head) * headDim + c]! * k[from(key) + c]!;
      return Math.exp(sum / Math.sqrt(headDim));
    };
    const weights = seen.map(score);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return seen.reduce((sum, key, j) => sum + (weights[j]! / total) * v[from(key) + channel]!, 0);
  });
}
