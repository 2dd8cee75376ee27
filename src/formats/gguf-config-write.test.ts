import { expect, test } from "vitest";
import { type LlamaConfig, llamaConfig } from "../model/index.ts";
import { ggufConfig } from "./gguf-config-write.ts";

const base = { vocabSize: 100, dim: 32, nLayers: 4, nHeads: 4 };
const config = (parts: Partial<LlamaConfig> = {}) => llamaConfig({ ...base, ...parts });
const valuesOf = (parts: Partial<LlamaConfig>) =>
  Object.fromEntries([...ggufConfig(config(parts)).pairs].map(([key, { value }]) => [key, value]));
const everyFourth = [true, true, true, false];

test("a LLaMA's sizes", () => {
  const { architecture, pairs, tensors, warnings } = ggufConfig(config({ nKvHeads: 2, headDim: 16, hiddenDim: 96 }));
  expect([architecture, tensors, warnings]).toEqual(["llama", [], []]);
  expect([...pairs].map(([key, { type, value }]) => [key, type, value])).toEqual([
    ["llama.vocab_size", "u32", 100],
    ["llama.context_length", "u32", 2048],
    ["llama.embedding_length", "u32", 32],
    ["llama.block_count", "u32", 4],
    ["llama.feed_forward_length", "u32", 96],
    ["llama.attention.head_count", "u32", 4],
    ["llama.attention.head_count_kv", "u32", 2],
    ["llama.attention.key_length", "u32", 16],
    ["llama.attention.value_length", "u32", 16],
    ["llama.attention.layer_norm_rms_epsilon", "f32", 1e-5],
    ["llama.rope.dimension_count", "u32", 16],
    ["llama.rope.freq_base", "f32", 10000],
  ]);
});

test.each<[string, Partial<LlamaConfig>]>([
  ["llama", { qkvBias: true, attentionOutputBias: true, ffnBias: true }],
  ["llama", { ffnBias: true }],
  ["llama", { ropeLayers: [true, true, true, true] }],
  ["qwen2", { qkvBias: true }],
  ["llama", { qkvBias: true, headDim: 16 }],
  ["qwen3", { qkNorm: true }],
  ["qwen3", { qkNorm: true, qkvBias: true }],
  ["smollm3", { ropeLayers: everyFourth }],
  [
    "llama",
    {
      qkvBias: true,
      ropeScaling: { type: "llama3", factor: 8, originalLength: 512, lowFrequencyFactor: 1, highFrequencyFactor: 4 },
    },
  ],
])("%s is the architecture of %j", (architecture, parts) => {
  expect(ggufConfig(config(parts)).architecture).toBe(architecture);
});

test.each<[Partial<LlamaConfig>, string]>([
  [{ norm: "layer" }, 'its norm is "layer", but the models of a GGUF have "rms" there'],
  [{ normPlacement: "post" }, 'normPlacement is "post"'],
  [{ activation: "gelu" }, 'activation is "gelu", but the models of a GGUF have "swiglu" there'],
  [{ swishBeta: 2 }, "swishBeta is 2"],
  [{ positions: "learned" }, 'positions is "learned"'],
  [{ qkNorm: true, ffnBias: true }, "its ffnBias is true, but models of qwen3, the likest architecture, have false there"],
  [{ qkNorm: true, ropeLayers: everyFourth }, "ropeLayers leaves out layers, as qwen3 does not"],
  [{ ropeLayers: [false, true, true, true] }, "ropeLayers leaves out other layers than every fourth"],
  [{ ropeScaling: { type: "dynamic", factor: 2, originalLength: 64 } }, "RoPE is scaled by dynamic NTK, for which a GGUF has no key"],
  [{ ropeScaling: { type: "yarn", factor: 2, originalLength: 64, truncate: false } }, "YaRN's truncate is false"],
  [
    { qkNorm: true, ropeScaling: { type: "longrope", originalLength: 64, shortFactors: [1, 1, 1, 1], longFactors: [1, 2, 3, 4] } },
    "RoPE is scaled by longrope, whose divisors llama.cpp reads for llama alone, and not for qwen3",
  ],
])("%j is refused", (parts, message) => {
  expect(() => ggufConfig(config(parts))).toThrow(message);
  expect(() => ggufConfig(config(parts))).toThrow(": write a Hugging Face folder");
});

test("scalings by keys", () => {
  expect(valuesOf({ ropeScaling: { type: "linear", factor: 4 } })).toMatchObject({
    "llama.rope.scaling.type": "linear",
    "llama.rope.scaling.factor": 4,
  });
  const yarn = { type: "yarn", factor: 4, originalLength: 512 } as const;
  expect(valuesOf({ ropeScaling: yarn })).toMatchObject({
    "llama.rope.scaling.type": "yarn",
    "llama.rope.scaling.factor": 4,
    "llama.rope.scaling.original_context_length": 512,
  });
  expect(valuesOf({ ropeScaling: yarn })).not.toHaveProperty("llama.rope.scaling.attn_factor");
  const sharper = valuesOf({ ropeScaling: { ...yarn, attentionFactor: 2, betaFast: 16, betaSlow: 2 } });
  expect(sharper["llama.rope.scaling.attn_factor"]).toBeCloseTo(2 / (0.1 * Math.log(4) + 1), 12);
  expect(sharper).toMatchObject({ "llama.rope.scaling.yarn_beta_fast": 16, "llama.rope.scaling.yarn_beta_slow": 2 });
});

/** The values of a config's tensors. */
function tensorsOf(parts: Partial<LlamaConfig>): Record<string, readonly number[]> {
  const all = ggufConfig(config(parts)).tensors.map(({ name, shape, data }) => {
    const [bytes] = [...(data() as Iterable<Uint8Array>)];
    const values = new Float32Array(bytes!.slice().buffer);
    expect(shape).toEqual([values.length]);
    return [name, [...values]] as [string, readonly number[]];
  });
  return Object.fromEntries(all);
}

test("scalings by divisors: fast pairs of Llama 3.1 are kept, slow ones are slowed by the factor, and no key divides again", () => {
  const ropeScaling = { type: "llama3", factor: 8, originalLength: 8192, lowFrequencyFactor: 1, highFrequencyFactor: 4 } as const;
  const parts: Partial<LlamaConfig> = { headDim: 128, ropeTheta: 500_000, ropeScaling };
  const { "rope_freqs.weight": divisors = [] } = tensorsOf(parts);
  expect([divisors.length, divisors[0], divisors[28], divisors.at(-1)]).toEqual([64, 1, 1, 8]);
  // 8192 · f / 2π = 2.29 turns within the length: (2.29 − 1) / 3 of the frequency is kept (conversion/llama.py, rope_freqs).
  const turns = (8192 * 500_000 ** (-62 / 128)) / (2 * Math.PI);
  const kept = (turns - 1) / 3;
  expect(divisors[31]).toBeCloseTo(1 / ((1 - kept) / 8 + kept), 5);
  expect(Object.keys(valuesOf(parts)).filter((key) => key.includes("scaling"))).toEqual([]);
  const long = { type: "longrope", originalLength: 64, shortFactors: [1, 1.5, 2, 2.5], longFactors: [1, 2, 3, 4] } as const;
  expect(tensorsOf({ ropeScaling: long })).toEqual({
    "rope_factors_long.weight": [1, 2, 3, 4],
    "rope_factors_short.weight": [1, 1.5, 2, 2.5],
  });
  const keys = valuesOf({ ropeScaling: long });
  expect(keys).toMatchObject({ "llama.rope.scaling.type": "longrope", "llama.rope.scaling.original_context_length": 64 });
  expect(keys["llama.rope.scaling.attn_factor"]).toBeCloseTo(Math.sqrt(1 + Math.log(32) / Math.log(64)), 12);
  expect(keys).not.toHaveProperty("llama.rope.scaling.factor");
});

test("a window is written, and it is said that llama.cpp does not follow it", () => {
  const { pairs, warnings } = ggufConfig(config({ slidingWindow: 16, slidingLayers: [true, false, true, false] }));
  expect(pairs.get("llama.attention.sliding_window")).toEqual({ type: "u32", value: 16 });
  expect(pairs.get("llama.attention.sliding_window_pattern")?.value).toEqual({ type: "bool", values: [true, false, true, false] });
  expect(warnings).toEqual([
    "a row attends to 16 keys, which llama.cpp does not follow for the architecture llama: longer texts differ there",
  ]);
});
