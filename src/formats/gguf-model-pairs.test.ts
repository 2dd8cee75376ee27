import { expect, test } from "vitest";
import { memorySource } from "../base/index.ts";
import { tinyChatTokenizer, tinyTokenizer } from "../load/tiny-model.test.helper.ts";
import { llamaConfig } from "../model/index.ts";
import type { TokenizerModel } from "../tokenizer/index.ts";
import { ggufChatSources } from "./chat-files.ts";
import { ggufConfig } from "./gguf-config-write.ts";
import { type GgufValue, ggufBytes, readGgufMetadata } from "./gguf-metadata.ts";
import { type GgufModel, ggufModelPairs } from "./gguf-model-pairs.ts";
import { ggufTokenizerModel } from "./gguf-tokenizer.ts";

const count = tinyTokenizer.pieces.length;

/** Pairs as they come back from a file, and the warnings. */
async function written(parts: Partial<GgufModel> & { readonly tokenizer?: TokenizerModel } = {}) {
  const { vocabSize = count } = parts;
  const config = ggufConfig(llamaConfig({ vocabSize, dim: 32, nLayers: 1, nHeads: 2 }));
  const { pairs, warnings } = ggufModelPairs({
    ...{ name: "tiny", type: "q4_K_M", config, vocabSize, tokenizer: tinyTokenizer, templates: new Map(), endIds: [2], generation: {} },
    ...parts,
  });
  return { pairs: (await readGgufMetadata(memorySource("tiny.gguf", ggufBytes(pairs)))).pairs, warnings };
}

const valueAt = (pairs: ReadonlyMap<string, GgufValue>, key: string) => pairs.get(key)?.value;

test("what a file begins with", async () => {
  const { pairs, warnings } = await written();
  expect([...pairs].slice(0, 6).map(([key, { value }]) => [key, value])).toEqual([
    ["general.architecture", "llama"],
    ["general.type", "model"],
    ["general.name", "tiny"],
    ["general.file_type", 15],
    ["general.quantization_version", 2],
    ["llama.vocab_size", count],
  ]);
  expect(ggufTokenizerModel(pairs)).toMatchObject({ pieces: tinyTokenizer.pieces, bosId: 1, eosId: 2, unkId: 0 });
  expect(warnings).toEqual([]);
});

test("a padded model has pieces for its rows, to which nothing is encoded", async () => {
  const { pairs, warnings } = await written({ vocabSize: count + 2 });
  const listed = (key: string) => [...(valueAt(pairs, `tokenizer.ggml.${key}`) as { values: Iterable<unknown> }).values].slice(-3);
  expect(listed("tokens")).toEqual([tinyTokenizer.pieces.at(-1), `[PAD${count}]`, `[PAD${count + 1}]`]);
  expect(listed("token_type")).toEqual([1, 5, 5]);
  expect(listed("scores")).toEqual([tinyTokenizer.scores?.at(-1), -10000, -10000]);
  // Padding is the model's and not the tokenizer's, which comes back as it was.
  expect(ggufTokenizerModel(pairs)).toMatchObject({ pieces: tinyTokenizer.pieces, scores: tinyTokenizer.scores });
  expect(warnings).toEqual([]);
});

test("pieces that the model has no tokens for are left out, and it is said", async () => {
  const tokenizer = { ...tinyChatTokenizer, padId: count - 1 };
  const { pairs, warnings } = await written({ tokenizer, vocabSize: count - 2 });
  expect(ggufTokenizerModel(pairs).pieces).toEqual(tinyChatTokenizer.pieces.slice(0, -2));
  expect(pairs.has("tokenizer.ggml.padding_token_id")).toBe(false);
  expect(warnings).toEqual([
    `the tokenizer has ${count} pieces but the model ${count - 2} tokens: those behind are left out, as nothing can write them`,
  ]);
});

test("templates by name, and three ends", async () => {
  const templates = new Map([
    ["default", "{{ a }}"],
    ["tool_use", "{{ b }}"],
  ]);
  const { pairs, warnings } = await written({ templates, endIds: [5, 2, 4, 6, 7] });
  expect(ggufChatSources(pairs, "tiny")).toEqual({ templates, endIds: [2, 5, 4] });
  expect([...(valueAt(pairs, "tokenizer.chat_templates") as { values: Iterable<string> }).values]).toEqual(["tool_use"]);
  expect(warnings).toEqual(["a GGUF names 3 ids that end a turn: of 5, 6, 7 are left out"]);
});

test("how the model is sampled, and which settings have no key", async () => {
  const { pairs, warnings } = await written({
    generation: { temperature: 0.5, topK: 40, topP: 0.75, repetitionPenalty: 1.25, maxTokens: 100, noRepeatNgramSize: 3 },
  });
  expect(valueAt(pairs, "general.sampling.temp")).toBe(0.5);
  expect(pairs.get("general.sampling.top_k")).toEqual({ type: "i32", value: 40 });
  expect(valueAt(pairs, "general.sampling.top_p")).toBe(0.75);
  expect(valueAt(pairs, "general.sampling.penalty_repeat")).toBe(1.25);
  expect(pairs.has("general.sampling.min_p")).toBe(false);
  expect(warnings).toEqual(["maxTokens, noRepeatNgramSize of the model's generation settings have no key in a GGUF and are left out"]);
});
