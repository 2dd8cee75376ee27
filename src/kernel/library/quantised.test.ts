import { describe, expect, test } from "vitest";
import { bytesOf, CriaError, elementLayouts } from "../../base/index.ts";
import type { Target } from "../ir.ts";
import { specialise } from "../language.ts";
import { random, runs, sameBits, unwritten } from "../testing.test.helper.ts";
import { wasm128 } from "../wasm/lower.ts";
import { quantisedLinesBytes, quantiseLines } from "./quantise.ts";
import { quantisedTypes, randomQuantised } from "./quantised.test.helper.ts";
import type { QuantisedType } from "./quantised-blocks.ts";
import { packedQuantisedBytes, packQuantised, quantisedMatmul } from "./quantised-matmul.ts";

/** Rows that fill no vector evenly: 5 blocks of 32, 3 superblocks of 256. */
const depthOf = (type: QuantisedType) => blockOf(type) * (blockOf(type) === 32 ? 5 : 3);
const blockOf = (type: QuantisedType) => elementLayouts[type].block;
const room = (bytes: number) => unwritten(bytes / 4);

describe.each(runs)("$name", ({ run, target }) => {
  describe.each(quantisedTypes)("%s", (type) => {
    const k = depthOf(type);

    test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("%d in a row makes its products NaN", (bad) => {
      const n = 3;
      const { buffer } = randomQuantised(type, n, k, 2);
      const x = activations(2, k);
      x[7] = bad;
      const packed = run(packQuantised, { type, n, k }, [buffer, room(packedQuantisedBytes(target, { type, n, k }))])[1]!;
      const lines = run(quantiseLines, { type, m: 2, k }, [x, room(quantisedLinesBytes(target, { type, m: 2, k }))])[1]!;
      const many = run(quantisedMatmul, { type, m: 2, n, k }, [lines, packed, unwritten(2 * n)])[2]!;
      expect([...many].map(Number.isNaN)).toEqual([true, true, true, false, false, false]);
    });

    test.each([
      [1, 1, k],
      [7, 37, k],
      [50, 34, blockOf(type)],
    ])("%i rows times a packed matrix of %i × %i", (m, n, k) => {
      const { buffer, weights } = randomQuantised(type, n, k, 3);
      const x = activations(m, k);
      const packed = run(packQuantised, { type, n, k }, [buffer, room(packedQuantisedBytes(target, { type, n, k }))])[1]!;
      const lines = run(quantiseLines, { type, m, k }, [x, room(quantisedLinesBytes(target, { type, m, k }))])[1]!;
      const y = run(quantisedMatmul, { type, m, n, k }, [lines, packed, unwritten(m * n)])[2]!;
      expect(worst(y, product(rounded(x), weights, m, n, k))).toBeLessThan(1e-6);
    });

    test("a row's bits do not depend on how many there are", () => {
      const [n, most] = [37, 11];
      const { buffer } = randomQuantised(type, n, k, 4);
      const x = activations(most, k);
      const packed = run(packQuantised, { type, n, k }, [buffer, room(packedQuantisedBytes(target, { type, n, k }))])[1]!;
      const product = (m: number) => {
        const lines = run(quantiseLines, { type, m, k }, [x.slice(0, m * k), room(quantisedLinesBytes(target, { type, m, k }))])[1]!;
        return run(quantisedMatmul, { type, m, n, k }, [lines, packed, unwritten(m * n)])[2]!;
      };
      const all = product(most);
      for (const m of [1, 4]) expect(sameBits(product(m), all.slice(0, m * n)), `${m} rows`).toBe(true);
    });
  });
});

test("interleaved weights take the file's bytes, or four bytes more a scale where the file has fewer", () => {
  const [n, k] = [64, 512];
  const ratio = (type: QuantisedType) => packedQuantisedBytes(wasm128, { type, n, k }) / bytesOf(type, [n, k]);
  expect(["q8_0", "q4_0", "q4_1"].map((type) => ratio(type as QuantisedType))).toEqual([1, 1, 1]);
  expect(ratio("q4_K")).toBeCloseTo(24 / 18, 10);
  expect(ratio("q6_K")).toBeCloseTo(32 / 26.25, 10);
});

test("what does not fit is refused", () => {
  const refusal =
    (type: string, k: number, target: Target = wasm128) =>
    () =>
      specialise(quantisedMatmul, { type: type as QuantisedType, m: 1, n: 1, k }, target);
  expect(refusal("q4_K", 128)).toThrow("[kernel] q4_K: rows of 128 weights, must be a multiple of 256");
  expect(refusal("q4_0", 0)).toThrow(CriaError);
  expect(refusal("q4_k", 256)).toThrow('[kernel] quantised type "q4_k", did you mean "q4_K"?');
});

/** Normal numbers, with blocks of zeros, of one large number, and of nothing but tiny ones. */
function activations(m: number, k: number): Float32Array {
  const x = random(m * k, 7);
  x.fill(0, 0, 32);
  x.fill(1e-35, k - 32, k);
  if (m > 1) x[k + 1] = 1000;
  return x;
}

/** What is left of activations after quantisation: 127 steps to either side of zero for each 32. */
function rounded(x: Float32Array): Float64Array {
  return Float64Array.from(x, (value, i) => {
    const block = x.subarray(i - (i % 32), i - (i % 32) + 32);
    const largest = block.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    if (largest < 2 ** -100) return 0;
    // In the kernels' own precision, so that ties fall alike.
    const steps = Math.fround(value * Math.fround(127 / largest));
    return Math.round(steps) * Math.fround(largest * Math.fround(1 / 127));
  });
}

/** Every sum, and what it would be were all terms positive: errors count against that. */
interface Sums {
  readonly sums: ArrayLike<number>;
  readonly magnitudes: ArrayLike<number>;
}

function product(x: Float64Array, w: Float64Array, m: number, n: number, k: number): Sums {
  const [sums, magnitudes] = [new Float64Array(m * n), new Float64Array(m * n)];
  sums.forEach((_, at) => {
    const [row, column] = [Math.floor(at / n) * k, (at % n) * k];
    for (let i = 0; i < k; i++) {
      const term = x[row + i]! * w[column + i]!;
      sums[at]! += term;
      magnitudes[at]! += Math.abs(term);
    }
  });
  return { sums, magnitudes };
}

/** Largest error; NaN where a result is. */
function worst(have: Float32Array, { sums, magnitudes }: Sums): number {
  expect(have.length).toBe(sums.length);
  return have.reduce((most, value, i) => Math.max(most, Math.abs(value - sums[i]!) / Math.max(magnitudes[i]!, Number.MIN_VALUE)), 0);
}
