import { expect, test } from "vitest";
import { roundToBfloat16, roundToInt8Blocks } from "./index.ts";

test.each([
  [1, 1],
  [1 + 2 ** -8, 1],
  [1 + 3 * 2 ** -8, 1 + 2 ** -6],
  [1 + 2 ** -8 + 2 ** -20, 1 + 2 ** -7],
  [-Math.PI, -3.140625],
  [3.4e38, Number.POSITIVE_INFINITY],
  [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
  [Number.NaN, Number.NaN],
])("%d is rounded to %d", (x, rounded) => {
  expect(roundToBfloat16(x)).toBe(rounded);
});

test("blocks of bytes have 127 steps to either side, ties to even, and are NaN where an element is not finite", () => {
  const values = new Float64Array(96);
  values.set([127, -127, 0.5, 1.5, -2.5, 63.4], 0);
  values.fill(1e-35, 32, 64);
  values.set([1, Number.POSITIVE_INFINITY], 64);
  const rounded = roundToInt8Blocks(values);
  const step = Math.fround(127 * Math.fround(1 / 127));
  expect([...rounded.subarray(0, 7)]).toEqual([127, -127, 0, 2, -2, 63, 0].map((steps) => steps * step));
  expect([...rounded.subarray(32, 64)]).toEqual(Array(32).fill(0));
  expect([...rounded.subarray(64)].every(Number.isNaN)).toBe(true);
});
