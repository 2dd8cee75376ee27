// Sizes with a name: the paper's (LLaMA, table 2) and small ones for two cores.
import { didYouMean, fail } from "../base/index.ts";
import { type LlamaConfig, llamaConfig } from "./config.ts";

/** The paper's: vocabulary 32,000, context 2,048, nothing tied. */
const paper = { vocabSize: 32000, contextLength: 2048, normEpsilon: 1e-6 };
/** Those of llama2.c and of its kind: small models, where a second table of the vocabulary would be a large part. */
const small = { tiedOutput: true };

/** Configs by name: small models of llama2.c's kind, and the sizes of the paper. */
export const presets = {
  // stories260K of llama2.c.
  "260K": llamaConfig({ ...small, vocabSize: 512, dim: 64, nLayers: 5, nHeads: 8, nKvHeads: 4, hiddenDim: 172, contextLength: 512 }),
  "1M": llamaConfig({ ...small, vocabSize: 2048, dim: 128, nLayers: 4, nHeads: 4, hiddenDim: 352, contextLength: 256 }),
  "5M": llamaConfig({ ...small, vocabSize: 4096, dim: 256, nLayers: 5, nHeads: 8, hiddenDim: 688, contextLength: 256 }),
  // stories15M of llama2.c with a vocabulary for megabytes, not gigabytes: its 32,000 pieces are what makes it 15 M.
  "15M": llamaConfig({ vocabSize: 4096, dim: 288, nLayers: 6, nHeads: 6, hiddenDim: 768, contextLength: 256 }),
  // stories42M and stories110M of llama2.c.
  "42M": llamaConfig({ ...small, vocabSize: 32000, dim: 512, nLayers: 8, nHeads: 8, hiddenDim: 1376, contextLength: 1024 }),
  "110M": llamaConfig({ ...small, vocabSize: 32000, dim: 768, nLayers: 12, nHeads: 12, hiddenDim: 2048, contextLength: 1024 }),
  "7B": llamaConfig({ ...paper, dim: 4096, nLayers: 32, nHeads: 32 }),
  "13B": llamaConfig({ ...paper, dim: 5120, nLayers: 40, nHeads: 40 }),
  "33B": llamaConfig({ ...paper, dim: 6656, nLayers: 60, nHeads: 52 }),
  "65B": llamaConfig({ ...paper, dim: 8192, nLayers: 80, nHeads: 64 }),
} as const satisfies Record<string, LlamaConfig>;

/** The name of a preset. */
export type PresetName = keyof typeof presets;

/** @throws CriaError with the nearest name when there is none of this name. */
export function preset(name: string): LlamaConfig {
  if (Object.hasOwn(presets, name)) return presets[name as PresetName];
  const names = Object.keys(presets);
  return fail("model", `there is no preset "${name}"${didYouMean(name, names)}: choose one of ${names.join(", ")}`);
}
