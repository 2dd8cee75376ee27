// Google's trainers as the judges: the same pieces, ids and scores from the same corpus (test/goldens/make_spm_training.py).
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { trainTokenizer } from "../dist/tokenizer/index.js";

const { settings, corpus, models } = JSON.parse(readFileSync(new URL("goldens/spm-training.golden.json", import.meta.url), "utf8"));

test.each(Object.entries(models))("mode %s: SentencePiece's pieces, ids and scores", async (mode, { pieces, scores }) => {
  const model = await trainTokenizer([corpus], {
    kind: "sentencepiece",
    mode,
    vocabSize: settings.vocab_size,
    characterCoverage: settings.character_coverage,
  });
  expect(model.pieces).toEqual(pieces);
  expect(model.scores.map((score) => score + 0)).toEqual(scores.map((score) => score + 0));
});

test("the two releases differ on this corpus, so that each mode is judged by its own", () => {
  expect(models.spm.pieces).not.toEqual(models["spm-0.1.97"].pieces);
});
