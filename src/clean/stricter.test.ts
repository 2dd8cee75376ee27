import { expect, test } from "vitest";
import type { z } from "zod";
import { CleanDocument, openNearLimit, openStages } from "./index.ts";
import { stepRows } from "./steps.ts";

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

test("a limit is found by its name, whatever other parameters have the same value", async () => {
  // A tenth stricter, both are 220.
  const near = await nearLimitOf({ gopherQuality: { minWords: 200, maxWords: 245, minStopWords: 0, minLetterWords: 0 } });
  const words = (count: number) => new CleanDocument("llama ".repeat(count));
  expect(near?.(words(210))).toEqual({ reason: "fewWords", measured: 210, limit: 200 });
  expect(near?.(words(230))).toEqual({ reason: "manyWords", measured: 230, limit: 245 });
  // The words of a line decide about lines: a page whose lines are near that limit is not.
  const lines = await nearLimitOf({ c4Quality: { minWords: 5, minSentences: 2 } });
  expect(lines?.(new CleanDocument("These are five short words.\n".repeat(5)))).toBeUndefined();
});

test("every row says limits by parameters that it has, of reasons that it has", () => {
  const limited = Object.values(stepRows).filter(({ limits }) => limits !== undefined);
  expect(limited.length).toBeGreaterThan(5);
  for (const { limits, reasons, parameters } of limited)
    for (const [reason, name] of Object.entries(limits ?? {})) {
      expect(Object.keys(reasons)).toContain(reason);
      expect(Object.keys((parameters as z.ZodObject).shape)).toContain(name);
      expect(name).toMatch(/^(min|max)[A-Z]/);
    }
});

test("steps without limits have none, and a limit of 0 stays", async () => {
  expect(await nearLimitOf("wikitext")).toBeUndefined();
  expect(await nearLimitOf({ length: { minCharacters: 0 } })).toBeUndefined();
});
