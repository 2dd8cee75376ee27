import { expect, test } from "vitest";
import { llamaConfig, parameterCount } from "../../model/index.ts";
import { rungFor, vocabularyFor } from "./choose-model.ts";

test("more time gives a larger model, and every rung is a valid one", () => {
  const counts = [1e11, 1e13, 1e14, 1e16].map((flops) => parameterCount(llamaConfig(rungFor(flops, vocabularyFor(flops, 1e9)).model)));
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  expect(new Set(counts).size).toBe(counts.length);
});

test("a short text gets a small vocabulary", () => {
  expect(vocabularyFor(1e13, 1e9)).toBe(4096);
  expect(vocabularyFor(1e13, 400_000)).toBe(1000);
  expect(vocabularyFor(1e13, 10)).toBe(512);
});
