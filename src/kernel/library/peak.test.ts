import { describe, expect, test } from "vitest";
import { ints, random, runs, sameBits, unwritten } from "../testing.test.helper.ts";
import { avx2, avx512Dots } from "../x64/target.ts";
import { superblockWeights } from "./panel-layouts.ts";
import { multiplyAddPeak, multiplyAddPeakFlops, peakProducts, stream, streamBytes } from "./peak.ts";
import { panelWidth } from "./product.ts";
import { lineLayout } from "./quantise.ts";
import { quantisedPeak, quantisedPeakBytes, quantisedPeakOperations } from "./quantised-peak.ts";

describe.each(runs)("$name", ({ run, target }) => {
  /** Words of factors whose product is one in every place. */
  const factors = { float32: Float32Array.of(2, 0.5), bf16: ints([0x40004000, 0x3f003f00]), int8: ints([0x01010101, 0x01010101]) };

  test.each(["float32", "bf16", "int8"] as const)("every multiply-add of %s that is counted is done", (product) => {
    const sizes = { product, units: 3, repeats: 5 };
    const y = run(multiplyAddPeak, sizes, [factors[product], unwritten(3)])[1]!;
    const perUnit = multiplyAddPeakFlops(target, sizes) / 2 / 3 / target.lanes;
    expect([...y]).toEqual([perUnit, perUnit, perUnit]);
  });

  test.each(["q8_0", "q4_1", "q5_0", "q6_K"] as const)("every multiply-add of blocks of %s that is counted is done", (type) => {
    const sizes = { type, units: 3, repeats: 2 };
    const { weights, lines } = quantisedPeakBytes(target, type);
    const depth = superblockWeights(type);
    const { starts, bytes } = lineLayout(target, type, depth);
    // Bytes of one and scales of one; no minimum counts, because of a row's numbers only the scale is not zero.
    const words = ints(Array<number>(weights / 4).fill(0x01010101)).fill(1, 8 * panelWidth(target));
    const rows = ints(Array<number>(lines / 4).fill(0x01010101));
    for (let row = 0; row < lines; row += bytes) {
      rows.fill(0, (row + depth) / 4, (row + bytes) / 4);
      rows[(row + depth) / 4 + starts] = 1;
    }
    const y = run(quantisedPeak, sizes, [words, rows, unwritten(3)])[2]!;
    const perUnit = quantisedPeakOperations(target, sizes) / 2 / 3 / target.lanes;
    expect([...y]).toEqual([perUnit, perUnit, perUnit]);
  });

  test.each([
    { reads: 1, writes: 1, updates: 0 },
    { reads: 0, writes: 0, updates: 1 },
    { reads: 2, writes: 2, updates: 1 },
  ])("streams: $reads read, $updates updated, $writes written", (mix) => {
    for (const count of [1, 67, 16384, 16384 + 35]) {
      const read = Array.from({ length: mix.reads + mix.updates }, (_, i) => random(count, i));
      const written = Array.from({ length: mix.writes }, () => unwritten(count));
      const after = run(stream, { count, ...mix }, [...read, ...written]);
      const sum = read.reduce((a, b) => a.map((x, i) => x + b[i]!));
      after.forEach((array, i) => void expect(sameBits(array, i < mix.reads ? read[i]! : sum)).toBe(true));
    }
  });
});

test("bytes of a stream: an update is read and written", () => {
  expect(streamBytes({ count: 10, reads: 1, writes: 2, updates: 3 })).toBe(4 * 10 * 9);
});

test("products are those that the target has an instruction for", () => {
  expect(peakProducts(avx2)).toEqual(["float32"]);
  expect(peakProducts(avx512Dots)).toEqual(["float32", "bf16", "int8"]);
});
