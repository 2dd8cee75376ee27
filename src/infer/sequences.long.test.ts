import { test } from "vitest";
import { fuzzPages } from "./cached-text.test.helper.ts";
import { fuzzQueue } from "./sequence-queue.test.helper.ts";

const seeds = 1500;

test("random texts on pages, more of them", () => {
  for (let seed = 1000; seed < 1000 + seeds; seed++) fuzzPages(seed, 150);
}, 600_000);

test("random calls on sequences, more of them", async () => {
  for (let seed = 1000; seed < 1000 + seeds; seed++) await fuzzQueue(seed, 150);
}, 600_000);
