import { expect, test } from "vitest";
import { CriaError, Rng } from "../base/index.ts";
import { type LlamaConfig, llamaConfig } from "../model/index.ts";
import { readHfConfig, writeHfConfig } from "./index.ts";

/** The config that Hugging Face serves for SmolLM2-135M, less the keys that say nothing about the model. */
const smol = {
  architectures: ["LlamaForCausalLM"],
  attention_bias: false,
  bos_token_id: 0,
  eos_token_id: 0,
  hidden_act: "silu",
  hidden_size: 576,
  intermediate_size: 1536,
  max_position_embeddings: 8192,
  model_type: "llama",
  num_attention_heads: 9,
  num_hidden_layers: 30,
  num_key_value_heads: 3,
  rms_norm_eps: 1e-5,
  rope_scaling: null,
  rope_theta: 100000,
  tie_word_embeddings: true,
  torch_dtype: "bfloat16",
  vocab_size: 49152,
};
const read = (json: unknown) => readHfConfig("config.json", JSON.stringify(json));
const sizes = { vocabSize: 96, dim: 48, nLayers: 3, nHeads: 6 };

test("a published config is read", () => {
  expect(read(smol)).toEqual({
    architecture: "llama",
    config: llamaConfig({
      ...{ vocabSize: 49152, dim: 576, nLayers: 30, nHeads: 9, nKvHeads: 3, hiddenDim: 1536, contextLength: 8192 },
      ...{ ropeTheta: 100000, tiedOutput: true },
    }),
    bosTokenId: 0,
    eosTokenIds: [0],
    warnings: [],
  });
});

/** config.json of well-known folders, by kind, without what the first has too. */
const published: readonly [what: string, keys: object][] = [
  ["SmolLM2, by nanotron", { is_llama_config: true, rope_interleaved: false, "transformers.js_config": { dtype: "q4" }, pad_token_id: 2 }],
  ["the first conversion of LLaMA", { architectures: ["LLaMAForCausalLM"], max_sequence_length: 2048, pad_token_id: -1, use_cache: true }],
  ["Vicuna with a longer context", { _name_or_path: "vicuna", max_sequence_length: 16384, rope_scaling: { factor: 4, type: "linear" } }],
  ["TinyLlama", { pretraining_tp: 1, initializer_range: 0.02, mlp_bias: false, transformers_version: "4.35.0", attention_dropout: 0 }],
  ["by transformers 5", { dtype: "bfloat16", rope_parameters: { rope_theta: 100000, rope_type: "default" }, rope_scaling: undefined }],
];

test.each(published)("a published config is read without a warning: %s", (_, keys) => {
  expect(read({ ...smol, ...keys })).toMatchObject({ config: { vocabSize: 49152 }, warnings: [] });
});

test("what a file leaves out has transformers' defaults", () => {
  const {
    num_key_value_heads,
    max_position_embeddings,
    rms_norm_eps,
    rope_theta,
    tie_word_embeddings,
    hidden_act,
    eos_token_id,
    ...short
  } = smol;
  const { config, eosTokenIds } = read(short);
  expect(config).toMatchObject({
    nKvHeads: 9,
    contextLength: 2048,
    normEpsilon: 1e-6,
    ropeTheta: 10000,
    tiedOutput: false,
    activation: "swiglu",
  });
  expect(eosTokenIds).toEqual([]);
  expect(read({ ...short, rope_parameters: { rope_type: "default", rope_theta: 500000 }, eos_token_id: [1, 2] })).toMatchObject({
    config: { ropeTheta: 500000 },
    eosTokenIds: [1, 2],
  });
});

const variants: readonly [isLlama: boolean, Partial<LlamaConfig>][] = [
  [true, {}],
  [true, { ropeScaling: { type: "linear", factor: 4 } }],
  [true, { ropeScaling: { type: "dynamic", factor: 2.5, originalLength: 1001 }, contextLength: 2502 }],
  [true, { ropeScaling: { type: "yarn", factor: 4, originalLength: 512 } }],
  [
    true,
    {
      ropeTheta: 5e5,
      ropeScaling: {
        ...({ type: "yarn", factor: 4, originalLength: 512, betaFast: 16, betaSlow: 2, attentionFactor: 1.1 } as const),
        ...{ mscale: 1, mscaleAllDim: 0.5, truncate: false },
      },
    },
  ],
  [true, { ropeScaling: { type: "longrope", originalLength: 512, shortFactors: [1, 2, 3, 4], longFactors: [5, 6, 7, 8.5] } }],
  [
    true,
    {
      ropeScaling: {
        ...({ type: "longrope", originalLength: 512, shortFactors: [1, 2, 3, 4], longFactors: [5, 6, 7, 8] } as const),
        ...{ factor: 2, attentionFactor: 1.5 },
      },
    },
  ],
  [true, { ropeScaling: { type: "llama3", factor: 8, originalLength: 512, lowFrequencyFactor: 1, highFrequencyFactor: 4 } }],
  [true, { headDim: 10, qkvBias: true, attentionOutputBias: true }],
  [true, { ffnBias: true }],
  [false, { attentionOutputBias: true }],
  [false, { qkNorm: true, ffnBias: true }],
  [
    false,
    { norm: "layer", qkvBias: true, ffnBias: true, slidingWindow: 5, slidingLayers: [true, false, true], ropeLayers: [false, true, true] },
  ],
  [true, { nKvHeads: 2, tiedOutput: true, hiddenDim: 100, normEpsilon: 1e-6, ropeTheta: 5e5 }],
  ...(["glu", "bilinear", "reglu", "geglu", "gegluTanh"] as const).map((activation): [boolean, Partial<LlamaConfig>] => [
    true,
    { activation },
  ]),
  ...(["relu", "gelu", "geluTanh", "swish"] as const).map((activation): [boolean, Partial<LlamaConfig>] => [false, { activation }]),
  ...(["sinusoidal", "learned", "none"] as const).map((positions): [boolean, Partial<LlamaConfig>] => [false, { positions }]),
  [false, { swishBeta: 1.5 }],
  [false, { norm: "layer" }],
  [false, { normPlacement: "post" }],
  [false, { ropePairing: "neighbours" }],
];

test.each(variants)("written and read back, transformers' LLaMA %s: %o", (isLlama, parts) => {
  const config = llamaConfig({ ...sizes, ...parts });
  const json = writeHfConfig({ config, bosTokenId: 1, eosTokenIds: [2] });
  expect(json.model_type).toBe(isLlama ? "llama" : "cria");
  expect(Object.hasOwn(json, "cria")).toBe(!isLlama);
  expect(read(json)).toEqual({ architecture: json.model_type, config, bosTokenId: 1, eosTokenIds: [2], warnings: [] });
});

test("a scaling of positions that are not rotary is named in the warning, and the folder opens", () => {
  const config = llamaConfig({ ...sizes, positions: "none", ropeScaling: { type: "linear", factor: 2 } });
  const { warnings, ...others } = read(writeHfConfig({ config, bosTokenId: 1, eosTokenIds: [2] }));
  expect(others.config).toEqual(config);
  expect(warnings).toEqual([
    '[config] config.json: RoPE\'s scaling is "linear" but the model\'s positions are "none", which have none: the model is computed without regard to it',
  ]);
});

const bad: readonly [what: string, json: unknown, message: RegExp][] = [
  ["another model", { ...smol, model_type: "gpt2" }, /model_type is the string "gpt2" but cria computes "llama"/],
  ["no model type", { ...smol, model_type: undefined }, /model_type is nothing/],
  ["a missing size", { ...smol, hidden_size: undefined }, /hidden_size is missing/],
  ["a size that is a word", { ...smol, vocab_size: "many" }, /vocab_size is the string "many" but must be an integer/],
  ["no tokens", { ...smol, vocab_size: 0 }, /vocab_size is the number 0 but must be an integer from 1 to 16777216/],
  ["an absurd size", { ...smol, num_hidden_layers: 1e15 }, /num_hidden_layers is the number 1000000000000000/],
  ["a negative size", { ...smol, intermediate_size: -1 }, /intermediate_size/],
  ["sizes that do not divide", { ...smol, num_attention_heads: 7, num_key_value_heads: 7 }, /dim 576 is not a multiple of nHeads 7/],
  ["groups that do not divide", { ...smol, num_key_value_heads: 2 }, /nHeads 9 is not a multiple of nKvHeads 2/],
  ["heads of no width", { ...smol, head_dim: 0 }, /head_dim is the number 0 but must be an integer from 1 to/],
  ["heads of an odd width", { ...smol, head_dim: 33 }, /a head has 33 channels, but RoPE turns pairs/],
  ["scaled positions", { ...smol, rope_scaling: { rope_type: "axial", factor: 8 } }, /rope_scaling is of the string "axial"/],
  [
    "linear scaling without a factor",
    { ...smol, rope_scaling: { type: "linear" } },
    /factor is nothing but must be a number from 0.000001 to 1000000/,
  ],
  [
    "scaled positions, later spelling",
    { ...smol, rope_parameters: { rope_type: "proportional" } },
    /rope_parameters is of the string "proportional"/,
  ],
  ["biases that are a word", { ...smol, attention_bias: "yes" }, /attention_bias is the string "yes" but must be true or false/],
  ["quantised weights", { ...smol, quantization_config: { bits: 4 } }, /quantization_config/],
  ["an unknown activation", { ...smol, hidden_act: "silo" }, /hidden_act is the string "silo" .* did you mean "silu"\?/],
  ["an epsilon of zero", { ...smol, rms_norm_eps: 0 }, /rms_norm_eps/],
  ["a flag that is a word", { ...smol, tie_word_embeddings: "yes" }, /tie_word_embeddings/],
  ["a token that is none", { ...smol, eos_token_id: [1, -2] }, /eos_token_id is \[1,-2\] but must be a token or a list of tokens/],
  ["no object", [1], /holds an array/],
  ["an epsilon that drowns everything", { ...smol, rms_norm_eps: 2 }, /rms_norm_eps is the number 2 but must be a number from 1e-30 to 1:/],
  [
    "LLaMA with parts of ours",
    { ...smol, cria: { norm: "layer" } },
    /model_type is "llama" but its key "cria" holds parts that LLaMA has not/,
  ],
  ["our own without parts", { ...smol, model_type: "cria" }, /key "cria" holds nothing/],
  [
    "our own with an unknown part",
    { ...smol, model_type: "cria", cria: { norm: "rmz" } },
    /cria.norm is the string "rmz" .* did you mean "rms"\?/,
  ],
];

test.each(bad)("%s is refused by name", (_, json, message) => {
  expect(() => read(json)).toThrow(CriaError);
  expect(() => read(json)).toThrow(/^\[config\] config\.json: /);
  expect(() => read(json)).toThrow(message);
});

test("fuzz: random values in place of any key give a config or a CriaError", () => {
  const rng = new Rng(3);
  const values = [null, -1, 0, 1.5, 1e300, "x", [], {}, [null], true, { rope_type: 3 }, Number.MAX_SAFE_INTEGER];
  const types = ["llama", "mistral", "qwen2", "qwen3", "smollm3", "cria"];
  for (let round = 0; round < 3000; round++) {
    const json: Record<string, unknown> = {
      ...{ ...smol, model_type: types[rng.below(types.length)], head_dim: 64, mlp_bias: false, rope_parameters: {}, cria: null },
      ...{ sliding_window: 7, use_sliding_window: true, max_window_layers: 3, no_rope_layers: null, no_rope_layer_interval: 2 },
      ...{ architectures: null, layer_types: null },
    };
    const keys = Object.keys(json);
    for (let edits = 1 + rng.below(3); edits > 0; edits--) json[keys[rng.below(keys.length)]!] = values[rng.below(values.length)];
    try {
      read(json);
    } catch (error) {
      if (!(error instanceof CriaError)) throw error;
    }
  }
});

test("parts of ours that are misspelt, said twice differently or absurd are refused by name", () => {
  const json = writeHfConfig({ config: llamaConfig({ ...sizes, activation: "gelu", swishBeta: 1.5 }), eosTokenIds: [] });
  const parts = json.cria as object;
  expect(() => read({ ...json, cria: { ...parts, swishbeta: 2 } })).toThrow('cria has no part "swishbeta", did you mean "swishBeta"?');
  expect(() => read({ ...json, hidden_act: "relu" })).toThrow('hidden_act is the string "relu" but cria.activation is "gelu"');
  expect(read({ ...json, hidden_act: null })).toEqual(read(json));
  expect(() => read({ ...json, cria: { ...parts, swishBeta: 1e9 } })).toThrow(
    "cria.swishBeta is the number 1000000000 but must be a number from",
  );
  expect(() => read({ ...json, cria: { ...parts, ropeLayers: [1, 0, 1] } })).toThrow(
    "cria.ropeLayers is an array but must be a list of true and false",
  );
  expect(() => read({ ...json, cria: { ...parts, slidingWindow: 0 } })).toThrow(
    "cria.slidingWindow is the number 0 but must be an integer",
  );
});

test.each([
  ["normEpsilon", Number.POSITIVE_INFINITY],
  ["normEpsilon", 2],
  ["ropeTheta", 1e16],
  ["ropeTheta", 0],
  ["swishBeta", -1],
] as const)("what no folder may hold, no config has: %s %d", (name, value) => {
  expect(() => llamaConfig({ ...sizes, [name]: value })).toThrow(`[model] ${name} is ${value}: it must be from `);
});
