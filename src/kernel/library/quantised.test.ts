import { describe, expect, test } from "vitest";
import { CriaError } from "../../base/index.ts";
import type { Target } from "../ir.ts";
import { specialise } from "../language.ts";
import { ints, random, runs, unwritten } from "../testing.test.helper.ts";
import { wasm128 } from "../wasm/lower.ts";
import { quantisedLinesBytes, quantisedRowsBytes, quantiseLines, quantiseRows } from "./quantise.ts";
import { formats, randomQuantised } from "./quantised.test.helper.ts";
import { type QuantisedType, quantisedBytes } from "./quantised-blocks.ts";
import { packedQuantisedBytes, packQuantised, quantisedMatmul } from "./quantised-matmul.ts";
import { quantisedEmbeddingRows, quantisedRowsTimesMatrix } from "./quantised-rows.ts";

const types = Object.keys(formats) as QuantisedType[];
/** Rows that fill no vector evenly: 5 blocks of 32, 3 superblocks of 256. */
const depthOf = (type: QuantisedType) => formats[type].weights * (formats[type].weights === 32 ? 5 : 3);
const room = (bytes: number) => unwritten(bytes / 4);

describe.each(runs)("$name", ({ run, target }) => {
  describe.each(types)("%s", (type) => {
    const k = depthOf(type);

    test("rows of a table are what the format says", () => {
      const { buffer, weights } = randomQuantised(type, 6, k, 1);
      const tokens = [3, 5, 0, -7, 99, 4, 1];
      const made = run(quantisedEmbeddingRows, { type, rows: tokens.length, channels: k, vocabulary: 6 }, [
        buffer,
        ints(tokens),
        unwritten(tokens.length * k),
      ])[2]!;
      const want = tokens.flatMap((token) => {
        const row = Math.max(0, Math.min(5, token));
        return [...weights.subarray(row * k, (row + 1) * k)];
      });
      const largest = weights.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
      expect(worst(made, { sums: want, magnitudes: want.map(() => largest) })).toBeLessThan(1e-6);
    });

    test.each([1, 3])("%i rows times a matrix", (m) => {
      const n = 19;
      const { buffer, weights } = randomQuantised(type, n, k, 2);
      const x = activations(m, k);
      const rows = run(quantiseRows, { type, m, k }, [x, room(quantisedRowsBytes(target, { type, m, k }))])[1]!;
      const y = run(quantisedRowsTimesMatrix, { type, m, n, k }, [rows, buffer, unwritten(m * n)])[2]!;
      expect(worst(y, product(rounded(x), weights, m, n, k))).toBeLessThan(1e-6);
    });

    test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("%d in a row makes its products NaN", (bad) => {
      const n = 3;
      const { buffer } = randomQuantised(type, n, k, 2);
      const x = activations(2, k);
      x[7] = bad;
      const rows = run(quantiseRows, { type, m: 2, k }, [x, room(quantisedRowsBytes(target, { type, m: 2, k }))])[1]!;
      const few = run(quantisedRowsTimesMatrix, { type, m: 2, n, k }, [rows, buffer, unwritten(2 * n)])[2]!;
      const packed = run(packQuantised, { type, n, k }, [buffer, room(packedQuantisedBytes(target, { type, n, k }))])[1]!;
      const lines = run(quantiseLines, { type, m: 2, k }, [x, room(quantisedLinesBytes(target, { type, m: 2, k }))])[1]!;
      const many = run(quantisedMatmul, { type, m: 2, n, k }, [lines, packed, unwritten(2 * n)])[2]!;
      for (const y of [few, many]) expect([...y].map(Number.isNaN)).toEqual([true, true, true, false, false, false]);
    });

    test.each([
      [1, 1, k],
      [7, 37, k],
      [50, 34, formats[type].weights],
    ])("%i rows times a packed matrix of %i × %i", (m, n, k) => {
      const { buffer, weights } = randomQuantised(type, n, k, 3);
      const x = activations(m, k);
      const packed = run(packQuantised, { type, n, k }, [buffer, room(packedQuantisedBytes(target, { type, n, k }))])[1]!;
      const lines = run(quantiseLines, { type, m, k }, [x, room(quantisedLinesBytes(target, { type, m, k }))])[1]!;
      const y = run(quantisedMatmul, { type, m, n, k }, [lines, packed, unwritten(m * n)])[2]!;
      expect(worst(y, product(rounded(x), weights, m, n, k))).toBeLessThan(1e-6);
    });
  });
});

test("sizes are the formats'", () => {
  for (const type of types) expect(quantisedBytes(type, { n: 3, k: 512 })).toBe((3 * 512 * formats[type].bytes) / formats[type].weights);
});

test("what does not fit is refused", () => {
  const refusal =
    (type: string, k: number, target: Target = wasm128) =>
    () =>
      specialise(quantisedRowsTimesMatrix, { type: type as QuantisedType, m: 1, n: 1, k }, target);
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
