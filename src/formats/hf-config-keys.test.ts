// Every row of the table of config.json's keys for LLaMA, through the reader: roles, values and messages are said here a second time, by hand.
// What other architectures make of their keys is in architectures.test.ts.
import { describe, expect, test } from "vitest";
import { CriaError } from "../base/index.ts";
import { architectures } from "./architectures.ts";
import { configKeys } from "./hf-config-keys.ts";
import { readHfConfig } from "./index.ts";
import { transformersKeys } from "./keys.test.helper.ts";

const sizes = {
  ...{ model_type: "llama", vocab_size: 96, hidden_size: 48, num_hidden_layers: 3, num_attention_heads: 6, intermediate_size: 64 },
  ...{ max_position_embeddings: 512 },
};
const readText = (text: string) => readHfConfig("config.json", text);
const read = (more: object) => readText(JSON.stringify({ ...sizes, ...more }));
const plain = read({});
const [llama] = architectures;
const rows = llama ? configKeys(llama) : [];

/** Key → a value and what it makes of the model. */
const honoured: Readonly<Record<string, readonly [value: unknown, found: object]>> = {
  vocab_size: [100, { vocabSize: 100 }],
  hidden_size: [96, { dim: 96 }],
  num_hidden_layers: [5, { nLayers: 5 }],
  num_attention_heads: [12, { nHeads: 12, nKvHeads: 12 }],
  num_key_value_heads: [2, { nKvHeads: 2 }],
  intermediate_size: [80, { hiddenDim: 80 }],
  max_position_embeddings: [1024, { contextLength: 1024 }],
  head_dim: [10, { headDim: 10 }],
  attention_bias: [true, { qkvBias: true, attentionOutputBias: true, ffnBias: false }],
  mlp_bias: [true, { qkvBias: false, attentionOutputBias: false, ffnBias: true }],
  rms_norm_eps: [0.001, { normEpsilon: 0.001 }],
  hidden_act: ["gelu", { activation: "geglu" }],
  tie_word_embeddings: [true, { tiedOutput: true }],
  rope_theta: [500, { ropeTheta: 500 }],
  rope_parameters: [
    { rope_type: "linear", factor: 2, rope_theta: 700 },
    { ropeTheta: 700, ropeScaling: { type: "linear", factor: 2 } },
  ],
  rope_scaling: [
    { type: "linear", factor: 3 },
    { ropeTheta: 10000, ropeScaling: { type: "linear", factor: 3 } },
  ],
};

/** Key → values that change nothing, and values that are refused. */
const refused: Readonly<Record<string, readonly [neutral: readonly unknown[], refused: readonly unknown[]]>> = {
  architectures: [
    [["LlamaForCausalLM"], ["LLaMAForCausalLM"], []],
    [["LlamaForSequenceClassification"], ["LlamaModel"], ["LlamaForCausalLM", "X"]],
  ],
  is_causal: [[true], [false]],
  sliding_window: [
    [512, 4096],
    [511, 0],
  ],
  use_sliding_window: [[false], [true]],
  layer_types: [
    [["full_attention", "full_attention"], ["attention"], []],
    [["full_attention", "sliding_attention"], ["linear_attention"]],
  ],
  per_layer_config: [[{}, []], [{ 1: { intermediate_size: 8 } }]],
  partial_rotary_factor: [[1], [0.5]],
  rope_interleaved: [[false], [true]],
  quantization_config: [[], [{}, { quant_method: "gptq", bits: 4 }]],
  quantization: [[], [{ group_size: 64, bits: 4 }]],
  compression_config: [[], [{ format: "pack-quantized" }]],
  is_encoder_decoder: [[false], [true]],
  add_cross_attention: [[false], [true]],
  cross_attention_hidden_size: [[], [48]],
  pruned_heads: [[{}], [{ 0: [1] }]],
};

/** Key → values that change nothing, and values that are named in a warning. */
const warned: Readonly<Record<string, readonly [neutral: readonly unknown[], warned: readonly unknown[]]>> = {
  auto_map: [[{}], [{ AutoModelForCausalLM: "modeling_llama.LlamaForCausalLM" }]],
  prefix: [[""], ["Once"]],
  task_specific_params: [[{}], [{ "text-generation": { do_sample: true } }]],
  max_new_tokens: [[], [10]],
  max_length: [[20], [4096]],
  min_new_tokens: [[0], [3]],
  min_length: [[0], [3]],
  stop_strings: [[], ["x", ["x", "y"]]],
  do_sample: [[false], [true]],
  temperature: [[1], [0.6]],
  top_k: [[50, 0], [40]],
  top_p: [[1], [0.9]],
  min_p: [[0], [0.1]],
  repetition_penalty: [[1], [1.1]],
  no_repeat_ngram_size: [[0], [3]],
  suppress_tokens: [[[]], [[1]]],
  begin_suppress_tokens: [[[]], [[1]]],
  bad_words_ids: [[[]], [[[1, 2]]]],
  num_beams: [[1], [4]],
  num_return_sequences: [[1], [2]],
  max_time: [[], [3]],
  typical_p: [[1], [0.9]],
  epsilon_cutoff: [[0], [0.001]],
  eta_cutoff: [[0], [0.001]],
  top_h: [[], [0.5]],
  encoder_repetition_penalty: [[1], [1.5]],
  encoder_no_repeat_ngram_size: [[0], [2]],
  exponential_decay_length_penalty: [[], [[15, 1.01]]],
  sequence_bias: [[], [[[[1], 2.5]]]],
  token_healing: [[false], [true]],
  guidance_scale: [[1], [1.5]],
  watermarking_config: [[], [{ bias: 2.5 }]],
  penalty_alpha: [[0], [0.6]],
  dola_layers: [[], ["high", [1, 2]]],
  forced_bos_token_id: [[], [5]],
  forced_eos_token_id: [[], [5, [5, 6]]],
  forced_decoder_ids: [[], [[[1, 5]]]],
  force_words_ids: [[], [[[1, 2]]]],
  constraints: [[], [["x"]]],
  assistant_ensemble_weight: [[0], [0.5]],
  generation_kwargs: [[{}], [{ top_k: 3 }]],
};

/** Values that change nothing, by their JSON type: every key is tried with all of its list. */
const harmless: readonly [values: readonly unknown[], keys: string][] = [
  [
    [true, false],
    `use_cache tf_legacy_loss tie_encoder_decoder is_decoder use_bfloat16 output_attentions output_hidden_states tie_last_hidden_states
    return_dict torchscript _attn_implementation_autoset _flash_attn_2_enabled _output_attentions unsloth_fixed low_memory renormalize_logits
    remove_invalid_values output_scores output_logits return_dict_in_generate return_legacy_cache disable_compile use_mtp is_assistant
    _from_model_config trust_remote_code early_stopping gradient_checkpointing is_llama_config`,
  ],
  [
    ["", "x"],
    `tokenizer_class torch_dtype dtype xla_device attn_implementation experts_implementation _attn_implementation _attn_implementation_internal
    _experts_implementation _experts_implementation_internal finetuning_task problem_type name_or_path _name_or_path _commit_hash
    transformers_version unsloth_version cache_implementation speculation_type num_assistant_tokens_schedule`,
  ],
  [
    [0, 7],
    `max_window_layers max_sequence_length pretraining_tp chunk_size_feed_forward bos_token_id pad_token_id
    sep_token_id decoder_start_token_id num_labels _num_labels num_beam_groups max_cache_len prefill_chunk_size num_assistant_tokens
    assistant_early_exit assistant_lookbehind target_lookbehind prompt_lookup_num_tokens max_matching_ngram_size`,
  ],
  [
    [0, 0.5],
    `attention_dropout attention_probs_dropout_prob attn_pdrop classifier_dropout dropout embd_pdrop hidden_dropout hidden_dropout_prob resid_pdrop
    initializer_range length_penalty diversity_penalty assistant_confidence_threshold`,
  ],
  [[{}, { a: 1 }], "id2label label2id transformers.js_config cache_config compile_config continuous_batching_config"],
];
const harmlessKeys = harmless.flatMap(([values, keys]) => keys.split(/\s+/).map((key) => ({ key, values })));

/** What these do has tests of its own: hf-config.test.ts, and for the last one rope-config.test.ts. */
const elsewhere = ["model_type", "eos_token_id", "cria", "original_max_position_embeddings"];

test("the table has exactly these keys, each once, in these roles", () => {
  const roles = (role: string) => rows.filter((row) => row.role === role).map(({ key }) => key);
  expect(roles("honoured").sort()).toEqual([...Object.keys(honoured), ...elsewhere].sort());
  expect(roles("refused").sort()).toEqual(Object.keys(refused).sort());
  expect(roles("warned").sort()).toEqual(Object.keys(warned).sort());
  expect(roles("harmless").sort()).toEqual(harmlessKeys.map(({ key }) => key).sort());
});

test("every key of transformers' classes since 2023 has a row", () => {
  const known = new Set(rows.map(({ key }) => key));
  const { config, generation } = transformersKeys();
  expect(Object.keys(config).length).toBeGreaterThan(80);
  for (const keys of [config, generation]) expect(Object.keys(keys).filter((key) => !known.has(key))).toEqual([]);
});

describe("honoured", () => {
  test.each(Object.entries(honoured))("%s", (key, [value, found]) => {
    expect(read({ [key]: value })).toMatchObject({ config: found, warnings: [] });
  });
});

describe("refused by name, and neutral values are not", () => {
  test.each(Object.entries(refused))("%s", (key, [neutral, wrong]) => {
    for (const value of neutral) expect(read({ [key]: value })).toEqual(plain);
    for (const value of wrong) {
      expect(() => read({ [key]: value })).toThrow(CriaError);
      expect(() => read({ [key]: value })).toThrow(`[config] config.json: ${key} is ${JSON.stringify(value)[0] === "[" ? "[" : ""}`);
    }
  });
});

describe("named in one warning, and neutral values are not", () => {
  test.each(Object.entries(warned))("%s", (key, [neutral, said]) => {
    for (const value of neutral) expect(read({ [key]: value })).toEqual(plain);
    for (const value of said) {
      const { warnings, ...rest } = read({ [key]: value });
      expect({ ...rest, warnings: [] }).toEqual(plain);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatch(/^\[config\] config\.json: .*: the model is computed without regard to it$/);
      expect(warnings[0]).toContain(`${key} is `);
    }
  });
});

describe("harmless", () => {
  test.each(harmlessKeys)("$key", ({ key, values }) => {
    for (const value of values) {
      const { bosTokenId: _, ...found } = read({ [key]: value });
      expect(found).toEqual(plain);
    }
  });
});

const needed = Object.keys(sizes).filter((key) => key !== "max_position_embeddings");
const wrongOf = (kind: string) => (kind.startsWith("object") ? '"x"' : "{}");

describe("for every key", () => {
  test.each(rows.map(({ key, kind }) => ({ key, kind })))(
    "$key: null is absence, another JSON type and 1e999 are errors",
    ({ key, kind }) => {
      const text = (value: string) => JSON.stringify({ ...sizes, [key]: 0 }).replace(`"${key}":0`, `"${key}":${value}`);
      const names = new RegExp(`^\\[config\\] config\\.json: ${key.replace(".", "\\.")} `);
      if (needed.includes(key)) expect(() => readText(text("null"))).toThrow(names);
      else
        expect(readText(text("null"))).toEqual(
          key === "max_position_embeddings" ? { ...plain, config: { ...plain.config, contextLength: 2048 } } : plain,
        );
      expect(() => readText(text(wrongOf(kind)))).toThrow(names);
      expect(() => readText(text("1e999"))).toThrow(names);
    },
  );
});

test("keys that nobody knows are named in the same warning, however many and long", () => {
  const { warnings } = read({ rope_pct: 0.5, auto_map: { a: "b" }, ["x".repeat(1000)]: 1, known_to_none: null });
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain('"rope_pct" is a key that cria does not know; auto_map is {"a":"b"}, but cria runs no code');
  expect(warnings[0]).not.toContain("known_to_none");
  expect(warnings[0]!.length).toBeLessThan(600);
  const many = read(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`key${i}`, i]))).warnings;
  expect(many[0]).toContain("488 more keys");
});

test("a key twice is refused, and so are values nested too deep to print", () => {
  expect(() => readText('{"model_type": "llama", "vocab_size": 1, "vocab_size": 2}')).toThrow('it has "vocab_size" twice');
  const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
  expect(() => readText(JSON.stringify({ ...sizes, pruned_heads: 0 }).replace('"pruned_heads":0', `"pruned_heads":${deep}`))).toThrow(
    "pruned_heads is an array, but cria computes all heads",
  );
});
