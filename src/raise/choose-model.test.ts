import { expect, test } from "vitest";
import { llamaConfig, parameterCount } from "../model/index.ts";
import { rungFor, vocabularyFor } from "./choose-model.ts";

const sizeFor = (flops: number, bytes: number) => {
  const { model } = rungFor({ flops, bytes }, vocabularyFor({ flops, bytes }));
  return parameterCount(llamaConfig(model));
};

test("more time gives a larger model, and every rung is a valid one", () => {
  const counts = [1e11, 1e13, 1e14, 1e16].map((flops) => sizeFor(flops, 1e9));
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  expect(new Set(counts).size).toBe(counts.length);
});

test("little text gives a small model, however much time there is", () => {
  const counts = [2e4, 1e6, 1e7, 1e9].map((bytes) => sizeFor(1e16, bytes));
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  expect(counts[0]).toBe(sizeFor(0, 2e4));
  expect(counts.at(-1)).toBe(sizeFor(1e16, 1e12));
});

test("a short text gets a small vocabulary", () => {
  expect(vocabularyFor({ flops: 1e13, bytes: 1e9 })).toBe(4096);
  expect(vocabularyFor({ flops: 1e13, bytes: 400_000 })).toBe(1000);
  expect(vocabularyFor({ flops: 1e13, bytes: 10 })).toBe(512);
});
