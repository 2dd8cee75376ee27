// What each architecture makes of its keys, said here a second time, and that a config is written in the words of the first that has them.
import { expect, test } from "vitest";
import { CriaError } from "../base/index.ts";
import { type LlamaConfig, llamaConfig, parameterCount } from "../model/index.ts";
import { readHfConfig, writeHfConfig } from "./index.ts";

const sizes = {
  vocab_size: 96,
  hidden_size: 48,
  num_hidden_layers: 4,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  intermediate_size: 64,
};
const parse = (json: object) => readHfConfig("config.json", JSON.stringify({ ...sizes, ...json }));
const read = (json: object) => parse(json).config;

const found: readonly [json: object, parts: Partial<LlamaConfig>][] = [
  [
    { model_type: "llama", max_position_embeddings: null },
    { qkvBias: false, contextLength: 2048, headDim: 8 },
  ],
  [{ model_type: "mistral" }, { slidingWindow: 4096, contextLength: 131072, qkvBias: false, ffnBias: false }],
  [{ model_type: "mistral", sliding_window: 7, layer_types: Array(4).fill("sliding_attention") }, { slidingWindow: 7 }],
  [
    { model_type: "mistral", use_sliding_window: true, head_dim: 16 },
    { slidingWindow: 4096, headDim: 16 },
  ],
  [{ model_type: "qwen2" }, { qkvBias: true, attentionOutputBias: false, ffnBias: false, qkNorm: false, contextLength: 32768 }],
  [
    { model_type: "qwen2", use_sliding_window: true, sliding_window: 9, max_window_layers: 3 },
    { slidingWindow: 9, slidingLayers: [false, false, false, true] },
  ],
  [{ model_type: "qwen2", use_sliding_window: true, max_window_layers: 0 }, { slidingWindow: 4096 }],
  [
    {
      model_type: "qwen2",
      ...{ use_sliding_window: true, sliding_window: 9 },
      layer_types: ["sliding_attention", "full_attention", "full_attention", "full_attention"],
    },
    { slidingWindow: 9, slidingLayers: [true, false, false, false] },
  ],
  [{ model_type: "qwen3" }, { headDim: 128, qkNorm: true, qkvBias: false }],
  [
    { model_type: "qwen3", head_dim: 8, attention_bias: true },
    { headDim: 8, qkNorm: true, qkvBias: true, attentionOutputBias: true },
  ],
  [{ model_type: "smollm3" }, { ropeLayers: [true, true, true, false], ropeTheta: 2e6, tiedOutput: true, headDim: 8 }],
  [
    { model_type: "smollm3", no_rope_layer_interval: 2, mlp_bias: true },
    { ropeLayers: [true, false, true, false], ffnBias: true },
  ],
  [
    { model_type: "smollm3", no_rope_layers: [1, 0, 1, 1, 0, 0], use_sliding_window: true, sliding_window: 5, tie_word_embeddings: false },
    { ropeLayers: [true, false, true, true], slidingWindow: 5, slidingLayers: [false, true, false, false], tiedOutput: false },
  ],
];

test.each(found)("%o is read", (json, parts) => {
  expect(parse(json).warnings).toEqual([]);
  expect(read(json)).toMatchObject(parts);
});

const unread: readonly [json: object, lacks: (keyof LlamaConfig)[]][] = [
  [{ model_type: "llama", sliding_window: 7, use_sliding_window: false, max_window_layers: 2 }, ["slidingWindow", "slidingLayers"]],
  [{ model_type: "mistral", sliding_window: null, use_sliding_window: false }, ["slidingWindow", "ropeLayers"]],
  [{ model_type: "qwen2", sliding_window: 9, use_sliding_window: false }, ["slidingWindow", "slidingLayers"]],
  [{ model_type: "qwen3", use_sliding_window: true, max_window_layers: 4 }, ["slidingWindow", "slidingLayers"]],
  [{ model_type: "qwen2", use_sliding_window: true, sliding_window: null }, ["slidingWindow"]],
  [{ model_type: "smollm3", no_rope_layers: [1, 1, 1, 1], use_sliding_window: true }, ["ropeLayers", "slidingWindow"]],
];

test.each(unread)("%o says no part", (json, lacks) => {
  for (const key of lacks) expect(Object.hasOwn(read(json), key)).toBe(false);
});

const wrong: readonly [json: object, message: string][] = [
  [{ model_type: "mistral", attention_bias: true }, "attention_bias is true, but its class has no biases"],
  [{ model_type: "mistral", use_sliding_window: false }, "use_sliding_window is false, but its class follows sliding_window alone"],
  [
    { model_type: "mistral", layer_types: ["full_attention"] },
    'layer_types is ["full_attention"], but its class has the window in all layers',
  ],
  [{ model_type: "mistral", sliding_window: 0 }, "sliding_window is 0 but a row attends at least itself"],
  [{ model_type: "qwen2", mlp_bias: true }, "mlp_bias is true, but its class has no biases there"],
  [{ model_type: "qwen2", architectures: ["LlamaForCausalLM"] }, 'model_type is "qwen2", so cria computes Qwen2ForCausalLM'],
  [{ model_type: "qwen2", layer_types: ["full_attention"] }, "layer_types lists 1 layers but num_hidden_layers is 4"],
  [
    { model_type: "qwen3", layer_types: Array(4).fill("sliding_attention") },
    "layer_types has sliding_attention, but use_sliding_window is nothing and sliding_window the number 4096",
  ],
  [
    { model_type: "qwen3", layer_types: Array(4).fill("chunked_attention") },
    'layer_types has the string "chunked_attention" but cria computes "full_attention" and "sliding_attention"',
  ],
  [{ model_type: "smollm3", no_rope_layers: [1, 0] }, "no_rope_layers lists 2 layers but num_hidden_layers is 4"],
  [{ model_type: "smollm3", no_rope_layers: [1, 0, 2, 1] }, "no_rope_layers is [1,0,2,1] but must be a list of numbers, each 0 or 1"],
  [{ model_type: "smollm3", no_rope_layer_interval: 0 }, "no_rope_layer_interval is the number 0 but must be an integer, at least 1"],
  [
    { model_type: "llama", sliding_window: 7, max_position_embeddings: 8 },
    "sliding_window is the number 7, but its class attends to the whole",
  ],
  [{ model_type: "phi3" }, 'model_type is the string "phi3" but cria computes "llama", "mistral", "qwen2", "qwen3", "smollm3"'],
];

test.each(wrong)("%o is refused", (json, message) => {
  expect(() => read(json)).toThrow(CriaError);
  expect(() => read(json)).toThrow(message);
});

const [all, mixed] = [
  [false, false, false, true],
  [true, false, true, false],
] as const;
const written: readonly [modelType: string, Partial<LlamaConfig>][] = [
  ["llama", { headDim: 10 }],
  ["llama", { qkvBias: true, attentionOutputBias: true, ffnBias: true }],
  ["mistral", { slidingWindow: 5 }],
  ["qwen2", { qkvBias: true }],
  ["qwen2", { qkvBias: true, slidingWindow: 5 }],
  ["qwen2", { slidingWindow: 5, slidingLayers: all, qkvBias: true, headDim: 10 }],
  ["qwen3", { qkNorm: true }],
  ["qwen3", { qkNorm: true, qkvBias: true, attentionOutputBias: true, slidingWindow: 5, slidingLayers: all, headDim: 6 }],
  ["smollm3", { ropeLayers: mixed, tiedOutput: true }],
  ["smollm3", { ropeLayers: mixed, slidingWindow: 5, slidingLayers: mixed, ffnBias: true }],
  ["smollm3", { slidingWindow: 5, slidingLayers: mixed }],
  ["cria", { qkNorm: true, slidingWindow: 5, slidingLayers: mixed }],
  ["cria", { qkvBias: true, ropeLayers: mixed }],
];

test.each(written)("written as %s and read back: %o", (modelType, parts) => {
  const config = llamaConfig({ vocabSize: 96, dim: 48, nLayers: 4, nHeads: 6, hiddenDim: 64, ...parts });
  const json = writeHfConfig({ config, eosTokenIds: [] });
  expect(json.model_type).toBe(modelType);
  expect(readHfConfig("config.json", JSON.stringify(json))).toEqual({
    architecture: json.model_type,
    config,
    eosTokenIds: [],
    warnings: [],
  });
});

const base = { hidden_act: "silu", initializer_range: 0.02, torch_dtype: "bfloat16", use_cache: true, attention_dropout: 0 };
/** config.json as the models' makers serve them, and how many parameters they publish. */
const published: readonly [what: string, json: object, parameters: number][] = [
  [
    "Mistral 7B v0.1",
    {
      ...base,
      ...{ architectures: ["MistralForCausalLM"], bos_token_id: 1, eos_token_id: 2, hidden_size: 4096, intermediate_size: 14336 },
      ...{ max_position_embeddings: 32768, model_type: "mistral", num_attention_heads: 32, num_hidden_layers: 32, num_key_value_heads: 8 },
      ...{ rms_norm_eps: 1e-5, rope_theta: 10000, sliding_window: 4096, tie_word_embeddings: false, vocab_size: 32000 },
    },
    7_241_732_096,
  ],
  [
    "Qwen2.5 0.5B",
    {
      ...base,
      ...{ architectures: ["Qwen2ForCausalLM"], bos_token_id: 151643, eos_token_id: 151645, hidden_size: 896, intermediate_size: 4864 },
      ...{ max_position_embeddings: 32768, max_window_layers: 21, model_type: "qwen2", num_attention_heads: 14, num_hidden_layers: 24 },
      ...{ num_key_value_heads: 2, rms_norm_eps: 1e-6, rope_theta: 1000000, sliding_window: 32768, tie_word_embeddings: true },
      ...{ transformers_version: "4.43.1", use_sliding_window: false, vocab_size: 151936 },
    },
    494_032_768,
  ],
  [
    "Qwen3 0.6B",
    {
      ...base,
      ...{ architectures: ["Qwen3ForCausalLM"], attention_bias: false, bos_token_id: 151643, eos_token_id: 151645, head_dim: 128 },
      ...{ hidden_size: 1024, intermediate_size: 3072, max_position_embeddings: 40960, max_window_layers: 28, model_type: "qwen3" },
      ...{ num_attention_heads: 16, num_hidden_layers: 28, num_key_value_heads: 8, rms_norm_eps: 1e-6, rope_scaling: null },
      ...{ rope_theta: 1000000, sliding_window: null, tie_word_embeddings: true, use_sliding_window: false, vocab_size: 151936 },
    },
    596_049_920,
  ],
  [
    "SmolLM3 3B",
    {
      ...base,
      ...{ architectures: ["SmolLM3ForCausalLM"], attention_bias: false, bos_token_id: null, eos_token_id: 128012, hidden_size: 2048 },
      ...{ intermediate_size: 11008, layer_types: Array(36).fill("full_attention"), max_position_embeddings: 65536, max_window_layers: 28 },
      ...{ mlp_bias: false, model_type: "smollm3", no_rope_layer_interval: 4, num_attention_heads: 16, num_hidden_layers: 36 },
      ...{ no_rope_layers: Array.from({ length: 36 }, (_, i) => (i % 4 === 3 ? 0 : 1)), num_key_value_heads: 4, pad_token_id: 128004 },
      ...{ pretraining_tp: 2, rms_norm_eps: 1e-6, rope_scaling: null, rope_theta: 5000000, sliding_window: null, vocab_size: 128256 },
      ...{ use_sliding_window: false },
    },
    3_075_098_624,
  ],
];

test.each(published)("%s is read without a warning and has as many parameters as published", (_, json, parameters) => {
  const { config, warnings } = readHfConfig("config.json", JSON.stringify(json));
  expect(warnings).toEqual([]);
  expect(parameterCount(config)).toBe(parameters);
});
