import { expect, test } from "vitest";
import type { BatchSource } from "../batches/index.ts";
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

test("a step's batches come with the position behind them, while the next step's are on their way", async () => {
  const batches = source();
  const prefetcher = new Prefetcher(batches, 2);
  for (let step = 1; step <= 3; step++) {
    const taken = await prefetcher.take();
    expect(taken).toMatchObject({
      batches: [{ tokens: Int32Array.of(2 * step - 1) }, { tokens: Int32Array.of(2 * step) }],
      state: 2 * step,
    });
    await prefetcher.settle();
    expect(batches.state).toBe(2 * step + 2);
  }
});

test("who takes a batch that could not be read is told, and nobody else", async () => {
  const prefetcher = new Prefetcher(source(2), 1);
  await prefetcher.take();
  await prefetcher.settle();
  await expect(prefetcher.take()).rejects.toThrow("the disk is gone");
});
