// Google's trainers as the judges: the same pieces, ids and scores from the same corpus (test/goldens/make_spm_training.py).
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { trainTokenizer } from "../dist/tokenizer/index.js";

const { settings, corpus, models } = JSON.parse(readFileSync(new URL("goldens/spm-training.golden.json", import.meta.url), "utf8"));

test.each(models)("mode $mode, $size pieces: SentencePiece's pieces, ids and scores", async ({ mode, size, pieces }) => {
  const characterCoverage = settings.character_coverage;
  const model = await trainTokenizer([corpus], { kind: "sentencepiece", mode, vocabSize: size, characterCoverage });
  expect(model.pieces).toEqual(pieces);
  const fixed = 3 + 256;
  expect(model.scores.every((score, id) => score === Math.min(0, fixed - id))).toBe(true);
});

test("the two releases differ on this corpus, so that each mode is judged by its own", () => {
  expect(models[0].pieces).not.toEqual(models[1].pieces);
});
