import { describe, expect, test } from "vitest";
import { ints, random, runs } from "../testing.test.helper.ts";
import { attention, attentionGradient } from "./attention.ts";

// B sequences, H query heads, KV key heads, T rows, D channels of a head.
const sizes = [
  { batch: 1, heads: 1, kvHeads: 1, rows: 1, headDim: 2 },
  { batch: 2, heads: 2, kvHeads: 1, rows: 33, headDim: 5 },
  { batch: 1, heads: 4, kvHeads: 2, rows: 70, headDim: 12 },
  { batch: 1, heads: 2, kvHeads: 2, rows: 64, headDim: 18 },
  // A window within a block, and one that reaches into a third.
  { batch: 2, heads: 2, kvHeads: 1, rows: 35, headDim: 3, window: 1 },
  { batch: 1, heads: 1, kvHeads: 1, rows: 68, headDim: 2, window: 34 },
] as const;

describe.each(runs)("$name", ({ run }) => {
  test.each(sizes)("attention and its gradient %o", (c) => {
    const { q, k, v, dO } = inputs(c);
    const want = reference(c, { q, k, v, dO });
    const nan = (like: ArrayLike<number>) => new Float32Array(like.length).fill(Number.NaN);
    const [, , , o, lse] = run(attention, c, [q, k, v, nan(want.o), nan(want.lse)]);
    expectClose(o!, want.o);
    expectClose(lse!, want.lse);
    const results = run(attentionGradient, c, [q, k, v, o!, lse!, dO, nan(q), nan(k), nan(v)]).slice(6);
    [want.dq, want.dk, want.dv].forEach((gradient, i) => expectClose(results[i]!, gradient));
  });

  test.each([sizes[1], sizes[2], { ...sizes[2], window: 20 }])("attention and its gradient over packed documents %o", (sizes) => {
    const c = { ...sizes, documentMask: true as const };
    const { q, k, v, dO } = inputs(c);
    // The second document is shorter than a block, the third begins on one, the fourth is one row, and the last sequence holds one document.
    const starts = [0, 27, 32, 33, 65].filter((start) => start < c.rows);
    const firstKeys = Array.from({ length: c.batch * c.rows }, (_, at) => {
      const isWhole = c.batch > 1 && at >= (c.batch - 1) * c.rows;
      return isWhole ? 0 : starts.findLast((start) => start <= at % c.rows)!;
    });
    const want = reference(c, { q, k, v, dO }, firstKeys);
    const nan = (like: ArrayLike<number>) => new Float32Array(like.length).fill(Number.NaN);
    const [, , , o, lse] = run(attention, c, [q, k, v, nan(want.o), nan(want.lse), ints(firstKeys)]);
    expectClose(o!, want.o);
    expectClose(lse!, want.lse);
    const results = run(attentionGradient, c, [q, k, v, o!, lse!, dO, nan(q), nan(k), nan(v), ints(firstKeys)]).slice(6, 9);
    [want.dq, want.dk, want.dv].forEach((gradient, i) => expectClose(results[i]!, gradient));
  });

  test("documents that all begin with their sequence give the bits of attention without documents", () => {
    const c = { batch: 1, heads: 1, kvHeads: 1, rows: 34, headDim: 5 };
    const { q, k, v, dO } = inputs(c);
    const [o, lse] = [new Float32Array(q.length), new Float32Array(34)];
    const firstKeys = ints(Array<number>(34).fill(0));
    const whole = run(attention, c, [q, k, v, o, lse]);
    expect(run(attention, { ...c, documentMask: true }, [q, k, v, o, lse, firstKeys]).slice(0, 5)).toEqual(whole);
    const gradients = [
      q,
      k,
      v,
      whole[3]!,
      whole[4]!,
      dO,
      new Float32Array(q.length),
      new Float32Array(k.length),
      new Float32Array(v.length),
    ];
    expect(run(attentionGradient, { ...c, documentMask: true }, [...gradients, firstKeys]).slice(0, 9)).toEqual(
      run(attentionGradient, c, gradients),
    );
  });

  test("first keys outside the sequence, which no caller writes, lead to no memory outside", () => {
    const c = { batch: 1, heads: 1, kvHeads: 1, rows: 40, headDim: 3, documentMask: true as const };
    const { q, k, v } = inputs(c);
    const firstKeys = ints(Array.from({ length: 40 }, (_, i) => (i < 32 ? -(2 ** 31) : 2 ** 31 - 1)));
    const [, , , o] = run(attention, c, [q, k, v, new Float32Array(q.length), new Float32Array(40), firstKeys]);
    expectClose(o!.subarray(0, 32 * 3), reference(c, { q, k, v, dO: q }).o.subarray(0, 32 * 3));
  });
});

type Sizes = { batch: number; heads: number; kvHeads: number; rows: number; headDim: number; window?: number | undefined };

function inputs({ batch, heads, kvHeads, rows, headDim }: Sizes) {
  const [queries, keys] = [batch * rows * heads * headDim, batch * rows * kvHeads * headDim];
  return { q: random(queries, 1, 2), k: random(keys, 2), v: random(keys, 3), dO: random(queries, 4) };
}

/** Scores, softmax and their derivatives as the formulas say, in float64. */
function reference(c: Sizes, { q, k, v, dO }: Readonly<Record<"q" | "k" | "v" | "dO", Float32Array>>, firstKeys?: readonly number[]) {
  const { batch, heads, kvHeads, rows, headDim: D, window = rows } = c;
  const made = { o: like(q), lse: new Float64Array(batch * heads * rows), dq: like(q), dk: like(k), dv: like(v) };
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let i = 0; i < rows; i++) {
        const query = ((b * rows + i) * heads + h) * D;
        const keyOf = (j: number) => ((b * rows + j) * kvHeads + Math.floor((h * kvHeads) / heads)) * D;
        const dot = (x: Float32Array, at: number, y: Float32Array, other: number) => {
          let sum = 0;
          for (let d = 0; d < D; d++) sum += x[at + d]! * y[other + d]!;
          return sum;
        };
        const first = Math.max(firstKeys?.[b * rows + i] ?? 0, i + 1 - window);
        const exps = Array.from({ length: i + 1 }, (_, j) => (j < first ? 0 : Math.exp(dot(q, query, k, keyOf(j)) / Math.sqrt(D))));
        const total = exps.reduce((a, x) => a + x, 0);
        made.lse[(b * heads + h) * rows + i] = Math.log(total);
        const dP = exps.map((_, j) => dot(dO, query, v, keyOf(j)));
        const delta = exps.reduce((sum, e, j) => sum + (e / total) * dP[j]!, 0);
        exps.forEach((e, j) => {
          const p = e / total;
          const ds = (p * (dP[j]! - delta)) / Math.sqrt(D);
          for (let d = 0; d < D; d++) {
            made.o[query + d]! += p * v[keyOf(j) + d]!;
            made.dv[keyOf(j) + d]! += p * dO[query + d]!;
            made.dq[query + d]! += ds * k[keyOf(j) + d]!;
            made.dk[keyOf(j) + d]! += ds * q[query + d]!;
          }
        });
      }
  return made;
}

function like(x: Float32Array): Float64Array {
  return new Float64Array(x.length);
}

function expectClose(have: Float32Array, want: Float64Array): void {
  const worst = want.reduce((max, x, i) => Math.max(max, Math.abs(x - have[i]!) / (1 + Math.abs(x))), 0);
  expect(Number.isNaN(have[0]!)).toBe(false);
  expect(worst).toBeLessThan(5e-5);
}
