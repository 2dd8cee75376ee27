import { expect, test } from "vitest";
import { betterBefore } from "./better-before.ts";

const rows = (...losses: number[]) => losses.map((heldOutLoss, i) => ({ step: 10 * (i + 1), heldOutLoss, bitsPerByte: 1, seconds: 1 }));

test("a run whose held-out loss rose has a better evaluation before its last; by chance alone it has none", () => {
  expect(betterBefore(rows(5, 4, 4.5))?.step).toBe(20);
  expect(betterBefore(rows(5, 4, 4.01))).toBeUndefined();
  expect(betterBefore(rows(5, 4, 3))).toBeUndefined();
  expect(betterBefore(rows(5))).toBeUndefined();
  expect(betterBefore([])).toBeUndefined();
});
