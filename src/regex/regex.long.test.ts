// Tens of thousands of random patterns against backtracking; ten megabytes in which one thing repeats.
import { expect, test } from "vitest";
import { compare, linear } from "./compare.test.helper.ts";
import { Regex } from "./regex.ts";

test("40,000 random patterns find what backtracking finds", () => {
  const { compared, refused } = compare(7, 40_000);
  expect(compared).toBeGreaterThan(2 * refused);
}, 600_000);

test.each(linear)(
  "%s takes time in proportion to ten megabytes",
  (pattern, unit) => {
    const text = unit.repeat(10_000_000 / unit.length);
    let count = 0;
    for (const { end, start } of new Regex(pattern).matches(text)) count += end - start;
    expect(count).toBeLessThanOrEqual(text.length);
  },
  600_000,
);
