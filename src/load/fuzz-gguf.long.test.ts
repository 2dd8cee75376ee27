import { expect, test } from "vitest";
import { fuzzedModels, fuzzModel } from "./fuzz-gguf.test.helper.ts";

/** Another seed every day, which a failure names, so that the cases do not end. */
const seed = Math.floor(Date.now() / 86_400_000);

test.each(fuzzedModels())("10,000 changed GGUF models open or are refused in a sentence: $name", { timeout: 3_600_000 }, async (model) => {
  console.log(`seed ${seed}`);
  expect(await fuzzModel(model, seed, 10_000)).toBeGreaterThan(1000);
});
