import { expect, test } from "vitest";
import type { BatchSource } from "../data/index.ts";
import { Prefetcher } from "./prefetch.ts";

function source(failAt = Number.POSITIVE_INFINITY) {
  let taken = 0;
  const empty = new Int32Array(0);
  const next = async () => {
    if (++taken === failAt) throw new Error("the disk is gone");
    return { tokens: Int32Array.of(taken), targets: empty };
  };
  const counting: BatchSource<unknown> = { batchTokens: 1, next, restore: () => {}, state: undefined };
  return Object.defineProperty(counting, "state", { get: () => taken });
}

test("a batch comes with the position behind it, while the next is on its way", async () => {
  const batches = source();
  const prefetcher = new Prefetcher(batches);
  for (let i = 1; i <= 3; i++) {
    expect(await prefetcher.take()).toMatchObject({ tokens: Int32Array.of(i), state: i });
    expect(batches.state).toBe(i + 1);
  }
  await prefetcher.settle();
});

test("who takes a batch that could not be read is told, and nobody else", async () => {
  const prefetcher = new Prefetcher(source(2));
  await prefetcher.take();
  await prefetcher.settle();
  await expect(prefetcher.take()).rejects.toThrow("the disk is gone");
});
