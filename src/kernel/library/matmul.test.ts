import { describe, expect, test } from "vitest";
import { type Precision, roundToBfloat16 } from "../../base/index.ts";
import { ints, random, runs, sameBits, unwritten } from "../testing.test.helper.ts";
import { matmul } from "./matmul.ts";
import { type MatmulForm, packedBytes, packMatrix } from "./pack.ts";

const sizes = [
  [1, 1, 1],
  [3, 5, 7],
  [4, 8, 4],
  [13, 17, 31],
  [33, 9, 260],
  [37, 41, 19],
  [70, 33, 5],
  [101, 18, 11],
  [19, 300, 6],
  [5, 9, 650],
  [26, 35, 672],
] as const;

const forms = (["float32", "bfloat16"] as const).flatMap((precision) =>
  (["nt", "nn", "tn"] as const).map((form) => [form, precision] as const),
);

/** The interpreter takes its time: it gets what it does in a moment. */
const sizesFor = (name: string) => sizes.filter(([m, n, k]) => m * n * k < 30_000 || !name.startsWith("interpreter"));

describe.each(runs)("$name", ({ name, target, run }) => {
  for (const [form, precision] of forms)
    test.each(sizesFor(name))(`matmul ${form} in ${precision}, %i × %i × %i, equals the sum in float64`, (m, n, k) => {
      const [a, b] = [random(m * k, 1), random(k * n, 2)];
      const want = product(form, [m, n, k], operand(a, precision), operand(b, precision));
      const right = { form, n, k, precision };
      const packed = run(packMatrix, right, [b, unwritten(packedBytes(target, right) / 4)])[1]!;
      const c = run(matmul, { ...right, m, accumulate: false }, [a, packed, unwritten(m * n)])[2]!;
      expectClose(c, want, k);
      const twice = run(matmul, { ...right, m, accumulate: true }, [a, packed, c])[2]!;
      expectClose(
        twice,
        want.map((x) => 2 * x),
        k,
      );
    });

  test.each([
    ["nt", "float32", 1, 37, 30],
    ["nt", "bfloat16", 8, 9, 61],
    ["nn", "float32", 26, 34, 350],
  ] as const)("of the rows of matmul %s in %s, %i × %i × %i, only live ones are computed, to the same bits", (form, precision, m, n, k) => {
    const right = { form, n, k, precision };
    const a = random(m * k, 1);
    const packed = run(packMatrix, right, [random(k * n, 2), unwritten(packedBytes(target, right) / 4)])[1]!;
    const all = run(matmul, { ...right, m }, [a, packed, unwritten(m * n)])[2]!;
    for (const live of [-1, 0, 1, m - 3, m, m + 1]) {
      const some = run(matmul, { ...right, m, live: true }, [a, packed, unwritten(m * n), ints([live])])[2]!;
      const end = Math.min(m, Math.max(0, live)) * n;
      expect(sameBits(some.subarray(0, end), all.subarray(0, end)), `${live} live rows`).toBe(true);
      expect(some.subarray(end).every(Number.isNaN), `${live} live rows, the others`).toBe(true);
    }
  });
});

function operand(values: Float32Array, precision: Precision): Float32Array {
  return precision === "bfloat16" ? values.map(roundToBfloat16) : values;
}

function product(form: MatmulForm, [m, n, k]: readonly [number, number, number], a: Float32Array, b: Float32Array): Float64Array {
  const left = (i: number, p: number) => (form === "tn" ? a[p * m + i]! : a[i * k + p]!);
  const right = (p: number, j: number) => (form === "nt" ? b[j * k + p]! : b[p * n + j]!);
  return Float64Array.from({ length: m * n }, (_, at) => {
    let sum = 0;
    for (let p = 0; p < k; p++) sum += left(Math.floor(at / n), p) * right(p, at % n);
    return sum;
  });
}

function expectClose(have: Float32Array, want: Float64Array, k: number): void {
  const worst = want.reduce((max, x, i) => Math.max(max, Math.abs(x - have[i]!)), 0);
  expect(worst).toBeLessThan(1e-6 * Math.max(4, k));
}
