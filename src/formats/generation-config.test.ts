// generation_config.json: every row of the table of its keys, through the reader; roles, values and messages are said here a second time, by hand.
import { describe, expect, test } from "vitest";
import { CriaError, Rng } from "../base/index.ts";
import { generationKeys } from "./generation-keys.ts";
import { readGenerationConfig, writeGenerationConfig } from "./index.ts";
import { transformersKeys } from "./keys.test.helper.ts";

const readText = (text: string) => readGenerationConfig("g.json", text);
const read = (json: object) => readText(JSON.stringify(json));
const plain = { eosTokenIds: [], warnings: [] };

/** Key → a value, what is read, and values of the right JSON type that are out of range. */
const honoured: Readonly<Record<string, readonly [value: unknown, found: object, outOfRange?: readonly unknown[]]>> = {
  max_new_tokens: [64, { maxTokens: 64 }, [0, -1, 1.5, 1e300]],
  max_length: [64, { maxLength: 64 }, [0, 2.5]],
  min_new_tokens: [0, { minTokens: 0 }, [-1]],
  min_length: [8, { minLength: 8 }, [-1, 0.5]],
  stop_strings: ["\nQ:", { stop: ["\nQ:"] }, ["", ["a", ""]]],
  eos_token_id: [[2, 3], { eosTokenIds: [2, 3] }, [-1, [1, -2], 1.5]],
  do_sample: [false, { temperature: 0 }],
  temperature: [0.8, { temperature: 0.8 }, [-1, 1e7]],
  top_k: [40, { topK: 40 }, [-1, 2.5]],
  top_p: [0.95, { topP: 0.95 }, [0, 1.5, -1]],
  min_p: [0, { minP: 0 }, [-0.1, 1.1]],
  typical_p: [0.9, { typicalP: 0.9 }, [0, 1.5]],
  repetition_penalty: [1.1, { repetitionPenalty: 1.1 }, [0, -1]],
  no_repeat_ngram_size: [3, { noRepeatNgramSize: 3 }, [-1]],
  suppress_tokens: [[1, 2], { suppressTokens: [1, 2] }, [[-1], [1.5]]],
  begin_suppress_tokens: [[1], { beginSuppressTokens: [1] }, [[-1]]],
  bad_words_ids: [[[1, 2], [3]], { badWords: [[1, 2], [3]] }, [[[]], [[-1]], [1]]],
};

/** Key → values that change nothing, and values that are named in a warning. */
const warned: Readonly<Record<string, readonly [neutral: readonly unknown[], warned: readonly unknown[]]>> = {
  num_beams: [[1], [4]],
  num_return_sequences: [[1], [2]],
  max_time: [[], [3]],
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
    `early_stopping low_memory renormalize_logits remove_invalid_values output_attentions output_hidden_states output_scores output_logits
    return_dict_in_generate return_legacy_cache use_cache disable_compile use_mtp is_assistant _from_model_config trust_remote_code`,
  ],
  [["never", ""], "early_stopping cache_implementation speculation_type num_assistant_tokens_schedule _commit_hash transformers_version"],
  [
    [0, 7],
    `num_beam_groups bos_token_id pad_token_id decoder_start_token_id max_cache_len prefill_chunk_size num_assistant_tokens assistant_early_exit
    assistant_lookbehind target_lookbehind prompt_lookup_num_tokens max_matching_ngram_size`,
  ],
  [[-1], "pad_token_id"],
  [[0.5, -1], "length_penalty diversity_penalty assistant_confidence_threshold"],
  [[{}, { a: 1 }], "cache_config compile_config continuous_batching_config"],
];
const harmlessKeys = harmless.flatMap(([values, keys]) => keys.split(/\s+/).map((key) => ({ key, values })));

test("the table has exactly these keys, each once, in these roles", () => {
  const roles = (role: string) => generationKeys.filter((row) => row.role === role).map(({ key }) => key);
  expect(roles("honoured").sort()).toEqual(Object.keys(honoured).sort());
  expect(roles("refused")).toEqual([]);
  expect(roles("warned").sort()).toEqual(Object.keys(warned).sort());
  expect(roles("harmless").sort()).toEqual([...new Set(harmlessKeys.map(({ key }) => key))].sort());
});

test("every key of transformers' GenerationConfig since 2023 has a row", () => {
  const rows = new Set(generationKeys.map(({ key }) => key));
  const keys = Object.keys(transformersKeys().generation);
  expect(keys.length).toBeGreaterThan(70);
  expect(keys.filter((key) => !rows.has(key))).toEqual([]);
});

describe("honoured, and out of range refused", () => {
  test.each(Object.entries(honoured))("%s", (key, [value, found, outOfRange = []]) => {
    expect(read({ [key]: value })).toEqual({ ...plain, ...found });
    for (const wrong of outOfRange) expect(() => read({ [key]: wrong })).toThrow(`[generation_config] g.json: ${key} is `);
  });
});

describe("named in one warning, and neutral values are not", () => {
  test.each(Object.entries(warned))("%s", (key, [neutral, said]) => {
    for (const value of neutral) expect(read({ [key]: value })).toEqual(plain);
    for (const value of said) {
      const { warnings, ...rest } = read({ [key]: value });
      expect(rest).toEqual({ eosTokenIds: [] });
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatch(/^\[generation_config\] g\.json: .*: the text may differ from what transformers writes$/);
      expect(warnings[0]).toContain(`${key} is `);
    }
  });
});

describe("harmless", () => {
  test.each(harmlessKeys)("$key: $values", ({ key, values }) => {
    for (const value of values) {
      const { bosTokenId: _, ...found } = read({ [key]: value });
      expect(found).toEqual(plain);
    }
  });
});

describe("for every key", () => {
  test.each(generationKeys.map(({ key, kind }) => ({ key, kind })))(
    "$key: null is absence, another JSON type and 1e999 are errors",
    ({ key, kind }) => {
      expect(readText(`{"${key}": null}`)).toEqual(plain);
      for (const wrong of [kind.startsWith("object") ? '"x"' : "{}", "1e999"])
        expect(() => readText(`{"${key}": ${wrong}}`)).toThrow(`[generation_config] g.json: ${key} is `);
    },
  );
});

test("all that is not followed is in one sentence", () => {
  const { warnings } = read({ num_beams: 4, epsilon_cutoff: 0.01, chat_format: "chatml", top_k: 3 });
  expect(warnings).toEqual([
    "[generation_config] g.json: num_beams is the number 4, but cria writes one text at a time; epsilon_cutoff is the number 0.01, but cria has no such step; " +
      '"chat_format" is a key that cria does not know: the text may differ from what transformers writes',
  ]);
});

test("both ways", () => {
  const config = {
    ...{ bosTokenId: 1, eosTokenIds: [2, 3], maxTokens: 64, temperature: 0.8, topK: 40, topP: 0.95, minP: 0.05, repetitionPenalty: 1.1 },
    ...{ stop: ["x"], badWords: [[1, 2]], suppressTokens: [4], minTokens: 2 },
  };
  const json = writeGenerationConfig(config);
  expect(json).toMatchObject({ eos_token_id: [2, 3], do_sample: true, top_k: 40, repetition_penalty: 1.1, max_new_tokens: 64 });
  expect(read(json)).toEqual({ ...config, warnings: [] });
  const greedy = writeGenerationConfig({ eosTokenIds: [], temperature: 0 });
  expect(greedy).toEqual({ do_sample: false });
  expect(read(greedy)).toEqual({ ...plain, temperature: 0 });
});

test("do_sample false is greedy whatever the temperature, and true or absent is not", () => {
  expect(read({ do_sample: false, temperature: 0.7 })).toEqual({ ...plain, temperature: 0 });
  for (const more of [{}, { do_sample: true }, { do_sample: null }])
    expect(read({ ...more, temperature: 0.7 })).toEqual({ ...plain, temperature: 0.7 });
});

test("what is no JSON object, or has a key twice, is refused", () => {
  for (const text of ["{", "[]", "null", '"x"', '{"top_k": 1, "top_k": 2}']) expect(() => readText(text)).toThrow(CriaError);
});

test("fuzz: random values of any key give settings or a CriaError", () => {
  const rng = new Rng(5);
  const values = [null, -1, 0, 1.5, 1e300, "x", "", [], {}, [null], [[1]], [[-1]], true, { a: [1] }, Number.MAX_SAFE_INTEGER];
  for (let round = 0; round < 3000; round++) {
    const json: Record<string, unknown> = {};
    for (let edits = 1 + rng.below(3); edits > 0; edits--)
      json[generationKeys[rng.below(generationKeys.length)]!.key] = values[rng.below(values.length)];
    try {
      read(json);
    } catch (error) {
      if (!(error instanceof CriaError)) throw error;
    }
  }
});
