// Hugging Face's trainer as the judge of the rule for ties that is its own (test/goldens/make_hf_training.py).
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { trainTokenizer } from "../dist/tokenizer/index.js";

const cases = JSON.parse(readFileSync(new URL("goldens/hf-training.golden.json", import.meta.url), "utf8"));

test("smallest-ids gives the merges of Hugging Face's tokenizers; the other rules do not", async () => {
  expect(cases.length).toBe(6);
  for (const { words, merges } of cases) {
    const learned = async (ties) => {
      const model = await trainTokenizer(words, { kind: "bytes", pattern: "gpt2", vocabSize: 258 + merges.length, ties });
      return merges.map((_, rank) => `${model.pieces[model.merges[2 * rank]]} ${model.pieces[model.merges[2 * rank + 1]]}`);
    };
    expect(await learned("smallest-ids")).toEqual(merges);
    for (const ties of ["shorter-piece", "greater-pair"]) expect(await learned(ties)).not.toEqual(merges);
  }
});
