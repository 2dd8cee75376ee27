// A pattern whose time grows with the square of a run would not end here.
import { expect, test } from "vitest";
import { cutRuns } from "./split-pattern.test.helper.ts";
import { type SplitName, splitPatterns } from "./split-pattern.ts";

test.each(Object.keys(splitPatterns) as SplitName[])("the %s pattern takes time in proportion to runs of a million characters", (name) => {
  for (const [text, joined] of cutRuns(name, 1_000_000)) expect(joined === text).toBe(true);
});
