import { expect, test } from "vitest";
import { fuzzedForms, fuzzForm } from "./fuzz-tokenizers.test.helper.ts";

test("10,000 changed files of each form open or are refused in a sentence", { timeout: 3_600_000 }, async () => {
  for (const form of await fuzzedForms()) expect(await fuzzForm(form, 2, 10_000), form.name).toBeGreaterThan(100);
});
