import { expect, test } from "vitest";
import { sparkline } from "./sparkline.ts";

test("falls where the values fall, and fits the width", () => {
  expect(sparkline([8, 7, 6, 5, 4, 3, 2, 1], 8)).toBe("█▇▆▅▄▃▂▁");
  expect(sparkline([8, 8, 1, 1], 2)).toBe("█▁");
  expect(
    sparkline(
      Array.from({ length: 1000 }, (_, i) => 1 / (i + 1)),
      20,
    ),
  ).toHaveLength(20);
});

test("one value, equal values and none", () => {
  expect(sparkline([3], 10)).toBe("▁");
  expect(sparkline([2, 2, 2], 3)).toBe("▁▁▁");
  expect(sparkline([], 10)).toBe("");
});
