import { expect, test } from "vitest";
import { count, describeMemory } from "./amounts.ts";

test("three digits and a unit", () => {
  expect([950, 12_345, 4_560_000].map(count)).toEqual(["950", "12.3K", "4.56M"]);
});

test("memory needed beside memory there", () => {
  const memory = { states: 48e6, workspace: 308e6, there: { bytes: 23.9e9, bound: "what this machine has available" } };
  expect(describeMemory(memory)).toBe(
    "356 MB (weights and optimiser 48 MB, activations and gradients 308 MB); what this machine has available is 23.9 GB",
  );
});
