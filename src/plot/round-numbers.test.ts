import { expect, test } from "vitest";
import { linearTicks, logTicks, roundStep, shortNumber } from "./round-numbers.ts";

test.each([
  [0, 10, 5, [0, 2, 4, 6, 8, 10]],
  [-1, 1, 4, [-1, -0.5, 0, 0.5, 1]],
  [-3.7, 3.7, 4, [-2, 0, 2]],
  [0.13, 0.42, 3, [0.2, 0.3, 0.4]],
  [5, 5, 4, [5]],
])("a linear axis from %d to %d with about %d marks", (low, high, count, marks) => {
  expect(linearTicks(low, high, count)).toEqual(marks);
});

test.each([
  [1, 1000, [1, 10, 100, 1000]],
  [128, 16384, [300, 1000, 3000, 10000]],
  [1.9e5, 1.5e6, [200000, 500000, 1000000]],
  [0.07, 0.4, [0.07, 0.1, 0.2, 0.3]],
  [2, 3, [2, 3]],
  [5.1, 5.2, [5.1, 5.15, 5.2]],
  [7, 7, [7]],
])("a logarithmic axis from %d to %d", (low, high, marks) => {
  expect(logTicks(low, high)).toEqual(marks);
});

test.each([
  [0.3, 0.5],
  [1, 1],
  [1.01, 2],
  [8, 10],
  [2000, 2000],
])("the round step for %d is %d", (least, step) => {
  expect(roundStep(least)).toBeCloseTo(step, 12);
});

test.each([
  [0.08, "0.08"],
  [-2, "−2"],
  [300, "300"],
  [512, "512"],
  [1000, "1k"],
  [1024, "1k"],
  [8192, "8k"],
  [2500, "2.5k"],
  [1.5e6, "1.5M"],
  [2e9, "2B"],
  [3e12, "3T"],
])("%d is written %s", (value, words) => {
  expect(shortNumber(value)).toBe(words);
});
