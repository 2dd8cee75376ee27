// Small random models of every kind that a GGUF can say, as folders.
import { join } from "node:path";
import { atomicWrite, atomicWriteJson } from "../files/index.ts";
import { hfName, tokenizerConfigJson, tokenizerJson, writeHfConfig, writeSafetensors } from "../formats/index.ts";
import { tinyChatTemplate, tinyChatTokenizer } from "../load/tiny-model.test.helper.ts";
import { initialise, type LlamaConfig, llamaConfig, parameterRows } from "../model/index.ts";

const base = {
  ...{ vocabSize: tinyChatTokenizer.pieces.length, dim: 32, nLayers: 4, nHeads: 4, nKvHeads: 2, hiddenDim: 48, contextLength: 128 },
  ropeTheta: 1000,
};
/** Four pairs of channels per head. */
const factors = [1, 1.5, 2.25, 4];

/** Configs by name; the architecture is what each must be written as. */
export const variants: readonly { readonly name: string; readonly architecture: string; readonly parts: Partial<LlamaConfig> }[] = [
  { name: "plain", architecture: "llama", parts: {} },
  { name: "tied, with a head of its own size", architecture: "llama", parts: { tiedOutput: true, headDim: 16 } },
  { name: "all biases", architecture: "llama", parts: { qkvBias: true, attentionOutputBias: true, ffnBias: true } },
  { name: "Qwen2's biases", architecture: "qwen2", parts: { qkvBias: true } },
  { name: "the same with a head of its own size", architecture: "llama", parts: { qkvBias: true, headDim: 16 } },
  { name: "Qwen3's norms", architecture: "qwen3", parts: { qkNorm: true, tiedOutput: true } },
  { name: "the same with biases", architecture: "qwen3", parts: { qkNorm: true, qkvBias: true, headDim: 16 } },
  { name: "SmolLM3's layers without RoPE", architecture: "smollm3", parts: { ropeLayers: [true, true, true, false], qkvBias: true } },
  { name: "linear scaling", architecture: "llama", parts: { ropeScaling: { type: "linear", factor: 3 } } },
  { name: "YaRN", architecture: "llama", parts: { ropeScaling: { type: "yarn", factor: 4, originalLength: 32 } } },
  {
    ...{ name: "YaRN with numbers of its own", architecture: "qwen2" },
    parts: { qkvBias: true, ropeScaling: { type: "yarn", factor: 4, originalLength: 32, betaFast: 8, betaSlow: 2, attentionFactor: 1.5 } },
  },
  {
    ...{ name: "Llama 3.1's scaling", architecture: "llama" },
    parts: { ropeScaling: { type: "llama3", factor: 8, originalLength: 64, lowFrequencyFactor: 1, highFrequencyFactor: 4 } },
  },
  {
    ...{ name: "longrope beyond its original length", architecture: "llama" },
    parts: { ropeScaling: { type: "longrope", originalLength: 8, shortFactors: [1, 1, 1, 1], longFactors: factors } },
  },
  {
    ...{ name: "longrope within its original length", architecture: "llama" },
    parts: {
      contextLength: 256, // llama.cpp makes room for as many at least, and goes by that
      ropeScaling: { type: "longrope", originalLength: 256, shortFactors: factors, longFactors: [4, 4, 4, 4], attentionFactor: 1.25 },
    },
  },
];

/** Writes the folder of a model with random weights, larger than first weights usually are, so that it prefers some tokens. */
export async function writeVariant(folder: string, parts: Partial<LlamaConfig>): Promise<LlamaConfig> {
  const config = llamaConfig({ ...base, ...parts });
  const rows = parameterRows(config);
  const values = initialise(rows, 7);
  const tensors = rows.map(({ name, shape, init }, r) => {
    const data = (values.get(name) ?? new Float32Array()).map((x, i) =>
      init === "ones" || init === "zeros" ? x + Math.sin(r + i) / 4 : 15 * x,
    );
    return { name: hfName(name), dtype: "F32" as const, shape, data };
  });
  await atomicWriteJson(join(folder, "config.json"), writeHfConfig({ config, bosTokenId: 1, eosTokenIds: [2] }));
  await atomicWriteJson(join(folder, "tokenizer.json"), tokenizerJson(tinyChatTokenizer));
  const said = { ...tokenizerConfigJson(tinyChatTokenizer), chat_template: tinyChatTemplate };
  await atomicWriteJson(join(folder, "tokenizer_config.json"), said);
  await atomicWrite(join(folder, "model.safetensors"), writeSafetensors(tensors));
  return config;
}
