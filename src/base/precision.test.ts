import { expect, test } from "vitest";
import { roundToBfloat16 } from "./index.ts";

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
