// A run folder as other tools see it: PyTorch, through transformers where that is installed, else a small reader, gives our logits.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTokenizer, trainTokenizer } from "../dist/tokenizer/index.js";
import { compareLogits, python, text } from "./run-folder.helper.mjs";

test("the logits of a run folder are the same in PyTorch, and a text's ids in transformers", async (context) => {
  if (python === undefined) return context.skip("there is no Python with torch here");
  const folder = await mkdtemp(join(tmpdir(), "cria-run-"));
  try {
    const tokenizer = await trainTokenizer(["a llama is a llama"], {
      kind: "sentencepiece",
      vocabSize: 272,
      specials: { unk: "<unk>", bos: "<s>", eos: "</s>" },
    });
    const found = await compareLogits(folder, {}, tokenizer);
    const textIds = createTokenizer(tokenizer).encode(text, { template: true, parseSpecial: true });
    if (found.text_ids !== null) expect(found.text_ids).toEqual([...textIds]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
