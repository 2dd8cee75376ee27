import { expect, test } from "vitest";
import { openTakers } from "./lock-takers.test.helper.ts";

test("of many programs that find a stale lock exactly one takes it over, in a thousand rounds", async () => {
  await using takers = await openTakers(6);
  for (let round = 0; round < 1000; round++) await takers.round(round % 2 === 0 ? "training.lock.1" : "training.lock");
});

test("however locks are taken, given back and left by the killed, no two programs hold one at once", async () => {
  await using takers = await openTakers(5);
  expect(await takers.churn(2000)).toBeGreaterThan(2000);
});
