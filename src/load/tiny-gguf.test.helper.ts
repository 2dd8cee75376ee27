// The small model of tiny-model.test.helper.ts as a GGUF, whose architecture llama pairs neighbours as llama2.c does.

import { pair, type TestTensor, testGguf } from "../formats/gguf-file.test.helper.ts";
import type { GgufValue } from "../formats/index.ts";
import { ggufName, ggufTokenizerPairs, hfName } from "../formats/index.ts";
import { parameterRows } from "../model/index.ts";
import { tinyChatTemplate, tinyChatTokenizer, tinyConfig, tinyTokenizer, tinyWeights } from "./tiny-model.test.helper.ts";

/** The metadata of the model, with some keys in another form, or gone where their value is undefined. */
export function tinyGgufPairs(changes: Readonly<Record<string, GgufValue | undefined>> = {}): Map<string, GgufValue> {
  const { dim, nLayers, nHeads, nKvHeads, hiddenDim, contextLength, normEpsilon } = tinyConfig;
  const pairs = new Map<string, GgufValue>([
    pair("general.architecture", "text", "llama"),
    pair("llama.block_count", "u32", nLayers),
    pair("llama.context_length", "u32", contextLength),
    pair("llama.embedding_length", "u32", dim),
    pair("llama.feed_forward_length", "u32", hiddenDim),
    pair("llama.attention.head_count", "u32", nHeads),
    pair("llama.attention.head_count_kv", "u32", nKvHeads),
    pair("llama.attention.layer_norm_rms_epsilon", "f32", Math.fround(normEpsilon)),
    ...ggufTokenizerPairs(tinyTokenizer),
  ]);
  for (const [key, value] of Object.entries(changes))
    if (value === undefined) pairs.delete(key);
    else pairs.set(key, value);
  return pairs;
}

/** The tensors as float32. */
export function tinyGgufTensors(): TestTensor[] {
  const weights = tinyWeights(tinyConfig);
  return parameterRows(tinyConfig).map(({ name, shape }) => {
    const values = weights.get(hfName(name))!;
    return {
      name: ggufName(name),
      sizes: [...shape].reverse(),
      type: 0,
      data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    };
  });
}

export function tinyGguf(changes: Readonly<Record<string, GgufValue | undefined>> = {}, tensors = tinyGgufTensors()): Uint8Array {
  return testGguf({ pairs: tinyGgufPairs(changes), tensors });
}

/** The model that chats. */
export function tinyChatGguf(changes: Readonly<Record<string, GgufValue | undefined>> = {}): Uint8Array {
  const template = pair("tokenizer.chat_template", "text", tinyChatTemplate);
  return tinyGguf({ ...Object.fromEntries([...ggufTokenizerPairs(tinyChatTokenizer), template]), ...changes });
}
