import { expect, test } from "vitest";
import { fuzzedForms, fuzzForm } from "./fuzz-tokenizers.test.helper.ts";

test("changed files of every form open or are refused in a sentence", async () => {
  for (const form of await fuzzedForms()) {
    const refused = await fuzzForm(form, 1, 45);
    expect(refused, form.name).toBeGreaterThan(5);
    expect(refused, form.name).toBeLessThan(45);
  }
});
