import { expect, test } from "vitest";
import { fuzzedModels, fuzzModel } from "./fuzz-gguf.test.helper.ts";

test.each(fuzzedModels())("changed GGUF models open or are refused in a sentence: $name", async (model) => {
  const refused = await fuzzModel(model, 1, 75);
  expect(refused).toBeGreaterThan(25);
  expect(refused).toBeLessThan(75);
});
