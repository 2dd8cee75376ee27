// Hugging Face's generation_config.json, in and out: how a model's makers would have it sampled (transformers, generation/configuration_utils.py).
import { check } from "../base/index.ts";
import { readTokenIds, writeTokenIds } from "./hf-config.ts";
import { type JsonObject, kindOf, parseJsonObject } from "./json.ts";

/** What the file says; a field is absent when it is silent. */
export interface GenerationConfig {
  readonly bosTokenId?: number;
  /** Tokens that end a text. */
  readonly eosTokenIds: readonly number[];
  readonly maxNewTokens?: number;
  /** 0 is greedy, as the file's `do_sample: false` is. */
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
}

const where = "generation_config";

/** Their key, our field, least and most. */
const rows = [
  ["max_new_tokens", "maxNewTokens", 1, Number.MAX_SAFE_INTEGER],
  ["temperature", "temperature", 0, 1e6],
  ["top_k", "topK", 0, Number.MAX_SAFE_INTEGER],
  ["top_p", "topP", 0, 1],
  ["min_p", "minP", 0, 1],
  ["repetition_penalty", "repetitionPenalty", 1e-6, 1e6],
] as const;

/** @throws CriaError when the file is no JSON object or a value is out of its range. */
export function readGenerationConfig(name: string, bytes: Uint8Array | string): GenerationConfig {
  const json = parseJsonObject(where, name, bytes);
  const values = rows.flatMap(([key, field, least, most]) => {
    const value = json[key] ?? undefined;
    if (value === undefined) return [];
    const fits = typeof value === "number" && value >= least && value <= most;
    check(fits, where, () => `${name}: ${key} is ${kindOf(value)} but must be a number from ${least} to ${most}: correct the file`);
    return [[field, value]];
  });
  const bosTokenId = readTokenIds(name, json, "bos_token_id")[0];
  return {
    ...Object.fromEntries(values),
    ...(json.do_sample === false ? { temperature: 0 } : {}),
    ...(bosTokenId === undefined ? {} : { bosTokenId }),
    eosTokenIds: readTokenIds(name, json, "eos_token_id"),
  };
}

/** The document to store as generation_config.json. */
export function writeGenerationConfig(config: GenerationConfig): JsonObject {
  const isGreedy = config.temperature === 0;
  const written = rows.filter(([key, field]) => config[field] !== undefined && !(isGreedy && key === "temperature"));
  return {
    ...(config.bosTokenId === undefined ? {} : { bos_token_id: config.bosTokenId }),
    ...writeTokenIds("eos_token_id", config.eosTokenIds),
    do_sample: !isGreedy,
    ...Object.fromEntries(written.map(([key, field]) => [key, config[field]])),
  };
}
