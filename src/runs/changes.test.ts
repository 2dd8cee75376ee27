import { expect, test } from "vitest";
import { tinyRecipe } from "../train/tiny-run.test.helper.ts";
import { changesSince, kindOfChange, notYetAccepted, notYetLogged } from "./changes.ts";
import type { MetricsRow } from "./metrics-log.ts";

const origin = { target: "avx2", data: { a: "1", b: "2" } };

test("changes are those of the recipe that change numbers, of each source's shards, and of the target", () => {
  const before = { recipe: tinyRecipe(), origin };
  expect(changesSince(before, before)).toEqual([]);
  expect(changesSince(before, { recipe: tinyRecipe({ threads: 2 }), origin: { target: "avx2", data: { b: "2", a: "1" } } })).toEqual([]);
  const now = { recipe: tinyRecipe({ seed: 9 }), origin: { target: "wasm", data: { a: "3", c: "4" } } };
  const changes = changesSince(before, now);
  expect(changes).toEqual([
    { key: "seed", before: 7, now: 9 },
    { key: "data.a", before: "1", now: "3" },
    { key: "data.b", before: "2", now: undefined },
    { key: "data.c", before: undefined, now: "4" },
    { key: "target", before: "avx2", now: "wasm" },
  ]);
  expect(changes.map(kindOfChange)).toEqual(["recipe", "data", "data", "data", "target"]);
  expect(changesSince({ recipe: before.recipe }, { ...now, recipe: before.recipe })).toEqual([]);
});

test("what was accepted at the checkpoint or behind it counts, by what it became last, and what is not met again is taken back", () => {
  const change = (before: unknown, now: unknown) => ({ key: "seed", before, now });
  const row = (step: number, before: unknown, now: unknown): MetricsRow => ({ step, changed: [change(before, now)] });
  const rows = [row(3, 0, 1), row(5, 1, 2), row(5, 2, 3)];
  expect(notYetAccepted([change(1, 3)], rows, 5)).toEqual([]);
  expect(notYetAccepted([change(1, 2)], rows, 5)).toEqual([change(1, 2)]);
  expect(notYetAccepted([change(0, 1)], rows, 4)).toEqual([change(0, 1)]);
  expect(notYetLogged([change(1, 3)], rows, 5)).toEqual([]);
  expect(notYetLogged([], rows, 5)).toEqual([change(3, 1)]);
  expect(notYetLogged([], [...rows, row(5, 3, 1)], 5)).toEqual([]);
  expect(notYetLogged([], rows, 6)).toEqual([]);
});
