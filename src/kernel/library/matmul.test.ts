import { describe, expect, test } from "vitest";
import { type Precision, roundToBfloat16 } from "../../base/index.ts";
import { random, runs, unwritten } from "../testing.test.helper.ts";
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
      const want = product(form, m, n, k, operand(a, precision), operand(b, precision));
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

  test.each(["nt", "nn"] as const)("matmul %s of a part of wider rows into a part of wider rows", (form) => {
    const [m, n, k, leftStride, resultStride] = [13, 17, 31, 40, 23];
    const [a, b, c] = [random(m * leftStride, 1), random(k * n, 2), random(m * resultStride, 3)];
    const right = { form, n, k, precision: "float32" as const };
    const packed = run(packMatrix, right, [b, unwritten(packedBytes(target, right) / 4)])[1]!;
    const made = run(matmul, { ...right, m, leftStride, resultStride, accumulate: false }, [a, packed, c])[2]!;
    const part = (from: Float32Array, stride: number, columns: number) =>
      Float32Array.from({ length: m * columns }, (_, i) => from[Math.floor(i / columns) * stride + (i % columns)]!);
    expectClose(part(made, resultStride, n), product(form, m, n, k, part(a, leftStride, k), b), k);
    expect(made.filter((_, i) => i % resultStride >= n)).toEqual(c.filter((_, i) => i % resultStride >= n));
  });
});

function operand(values: Float32Array, precision: Precision): Float32Array {
  return precision === "bfloat16" ? values.map(roundToBfloat16) : values;
}

function product(form: MatmulForm, m: number, n: number, k: number, a: Float32Array, b: Float32Array): Float64Array {
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
