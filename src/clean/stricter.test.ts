import { expect, test } from "vitest";
import { CleanDocument, openNearLimit, openStages } from "./index.ts";

async function nearLimitOf(entry: string | Record<string, unknown>) {
  const [stage] = await openStages([entry]);
  return openNearLimit(stage!.chain.steps[0]!, { read: () => Promise.reject(new Error("no step here has files")) });
}

test("a document that stays near a limit is told with the reason and the step's own limit", async () => {
  const near = await nearLimitOf({ length: { minCharacters: 100, maxCharacters: 1000 } });
  const told = (length: number) => near?.(new CleanDocument("x".repeat(length)));
  expect(told(105)).toEqual({ reason: "short", measured: 105, limit: 100 });
  expect(told(500)).toBeUndefined();
  expect(told(950)).toEqual({ reason: "long", measured: 950, limit: 1000 });
  const quality = await nearLimitOf("gopherQuality");
  const words = (count: number) => new CleanDocument(`the be to of ${"llama ".repeat(count - 4)}`);
  expect(quality?.(words(52))).toEqual({ reason: "fewWords", measured: 52, limit: 50 });
  expect(quality?.(words(90))).toBeUndefined();
});

test("steps without limits have none, and a limit of 0 stays", async () => {
  expect(await nearLimitOf("wikitext")).toBeUndefined();
  expect(await nearLimitOf({ length: { minCharacters: 0 } })).toBeUndefined();
});
