// Hugging Face's generation_config.json, in and out: how a model's makers would have it sampled (transformers, generation/configuration_utils.py).
import { generationKeys } from "./generation-keys.ts";
import { readTokenIds, writeTokenIds } from "./hf-config.ts";
import { type JsonObject, parseJsonObject } from "./json.ts";
import { checkKeys, oneWarning } from "./json-keys.ts";

/** What the file says; a field is absent when it is silent. */
export interface GenerationConfig {
  readonly bosTokenId?: number;
  /** Tokens that end a text. */
  readonly eosTokenIds: readonly number[];
  /** Tokens to write at most, at least 1. */
  readonly maxTokens?: number;
  /** Tokens of prompt and text at most, where `maxTokens` is absent. */
  readonly maxLength?: number;
  readonly minTokens?: number;
  /** Tokens of prompt and text before a token may end the text, where `minTokens` is absent. */
  readonly minLength?: number;
  /** Strings that end a text. */
  readonly stop?: readonly string[];
  /** 0 is greedy, as the file's `do_sample: false` is. */
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly typicalP?: number;
  readonly repetitionPenalty?: number;
  readonly noRepeatNgramSize?: number;
  readonly suppressTokens?: readonly number[];
  readonly beginSuppressTokens?: readonly number[];
  readonly badWords?: readonly (readonly number[])[];
}

/** A generation_config.json that was read, and what of it is not followed. */
export interface ReadGenerationConfig extends GenerationConfig {
  /** One sentence or none, which names every setting that is not followed and every key that cria does not know. */
  readonly warnings: readonly string[];
}

const where = "generation_config";

/** How cria samples from a model whose files say nothing of it, and what it writes beside models of its own, so that other tools sample them likewise. */
export const usualSampling = { temperature: 0.8, topK: 0, topP: 0.95 } as const;

/** Their key, our field; the kinds of the values are the table's. */
const fields = [
  ["max_new_tokens", "maxTokens"],
  ["max_length", "maxLength"],
  ["min_new_tokens", "minTokens"],
  ["min_length", "minLength"],
  ["temperature", "temperature"],
  ["top_k", "topK"],
  ["top_p", "topP"],
  ["min_p", "minP"],
  ["typical_p", "typicalP"],
  ["repetition_penalty", "repetitionPenalty"],
  ["no_repeat_ngram_size", "noRepeatNgramSize"],
  ["suppress_tokens", "suppressTokens"],
  ["begin_suppress_tokens", "beginSuppressTokens"],
  ["bad_words_ids", "badWords"],
] as const;

/**
 * Reads generation_config.json. Every key is honoured, named in a warning or known to be harmless, as its row in generation-keys.ts says; a key
 * without a row is named in the warning. null stands for absence everywhere.
 * @param name the file's name, for messages
 * @throws CriaError when the file is no JSON object, or a value is of the wrong JSON type or out of its range.
 */
export function readGenerationConfig(name: string, bytes: Uint8Array | string): ReadGenerationConfig {
  const json = parseJsonObject(where, name, bytes, { unique: true });
  const complaints = checkKeys(where, name, json, generationKeys);
  const said = fields.filter(([key]) => (json[key] ?? undefined) !== undefined);
  const bosTokenId = readTokenIds(json.bos_token_id)[0];
  const stop = (json.stop_strings ?? undefined) as string | readonly string[] | undefined;
  return {
    ...Object.fromEntries(said.map(([key, field]) => [field, json[key]])),
    ...(stop === undefined ? {} : { stop: typeof stop === "string" ? [stop] : stop }),
    ...(json.do_sample === false ? { temperature: 0 } : {}),
    ...(bosTokenId === undefined ? {} : { bosTokenId }),
    eosTokenIds: readTokenIds(json.eos_token_id),
    warnings: oneWarning(where, name, complaints, "the text may differ from what transformers writes"),
  };
}

const ofSampling = ["temperature", "topK", "topP", "minP"] as const;

/** The document to store as generation_config.json. It says whether to sample where the config says anything of sampling. */
export function writeGenerationConfig(config: GenerationConfig): JsonObject {
  const isGreedy = config.temperature === 0;
  const written = fields.filter(([key, field]) => config[field] !== undefined && !(isGreedy && key === "temperature"));
  return {
    ...(config.bosTokenId === undefined ? {} : { bos_token_id: config.bosTokenId }),
    ...writeTokenIds("eos_token_id", config.eosTokenIds),
    ...(ofSampling.some((field) => config[field] !== undefined) && { do_sample: !isGreedy }),
    ...Object.fromEntries(written.map(([key, field]) => [key, config[field]])),
    ...(config.stop === undefined ? {} : { stop_strings: config.stop }),
  };
}
