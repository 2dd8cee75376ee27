import { expect, test } from "vitest";
import { inSlices, type Sliced, wholly } from "./sliced.ts";

/** Sums numbers, and takes a millisecond for each. */
function* slowSum(count: number, before = () => {}): Sliced<number> {
  let sum = 0;
  for (let i = 1; i <= count; i++) {
    before();
    for (const end = performance.now() + 1; performance.now() < end; );
    sum += i;
    yield;
  }
  return sum;
}

test("work in slices comes to what it is at once, and others get on meanwhile", async () => {
  let turns = 0;
  const ticking = setInterval(() => turns++, 0);
  expect(wholly(slowSum(20))).toBe(210);
  expect(turns).toBe(0);
  expect(await inSlices(slowSum(20))).toBe(210);
  clearInterval(ticking);
  expect(turns).toBeGreaterThan(1);
  const fail = () => {
    throw new Error("no");
  };
  expect(() => wholly(slowSum(1, fail))).toThrow("no");
  await expect(inSlices(slowSum(1, fail))).rejects.toThrow("no");
});

test("a signal ends it between two slices", async () => {
  const abort = new AbortController();
  let done = 0;
  const work = inSlices(
    slowSum(1000, () => done++),
    abort.signal,
  );
  setTimeout(() => abort.abort(new Error("enough")), 0);
  await expect(work).rejects.toThrow("enough");
  expect(done).toBeLessThan(1000);
});
