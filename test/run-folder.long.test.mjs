// Run folders of LLaMA's relatives in transformers, each in the class that its config.json names: a process of Python for each takes seconds.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { trainTokenizer } from "../dist/tokenizer/index.js";
import { compareLogits, hasModule, python } from "./run-folder.helper.mjs";

/** The model_type that a recipe's model is written as. */
const relatives = [
  ["llama", { headDim: 10, qkvBias: true, attentionOutputBias: true, ffnBias: true }],
  ["mistral", { slidingWindow: 3 }],
  ["qwen2", { qkvBias: true, slidingWindow: 3, slidingLayers: [false, true] }],
  ["qwen3", { qkNorm: true, headDim: 8, slidingWindow: 2, slidingLayers: [false, true] }],
  ["smollm3", { ropeLayers: [true, false], slidingWindow: 3, slidingLayers: [true, false], ffnBias: true }],
];
const canOpen = python !== undefined && hasModule(python, "transformers");

test.skipIf(!canOpen).each(relatives)("transformers opens a run folder of the kind %s and computes its logits", async (kind, parts) => {
  const folder = await mkdtemp(join(tmpdir(), "cria-run-"));
  try {
    const tokenizer = await trainTokenizer(["a llama is a llama"], { kind: "bytes", vocabSize: 260, specials: { eos: "</s>" } });
    await compareLogits(folder, parts, tokenizer);
    expect(JSON.parse(await readFile(join(folder, "config.json"), "utf8")).model_type).toBe(kind);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
