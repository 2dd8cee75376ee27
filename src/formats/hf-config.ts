// Hugging Face's config.json, in and out (transformers, models/llama/configuration_llama.py).
// A model that one of the classes in architectures.ts can run is written as one of its kind, LLaMA's before the others'. What none of them can
// is written as "cria", with the parts under one key of ours, so that other tools refuse it instead of computing nonsense.
import { check, didYouMean, fail } from "../base/index.ts";
import { type ActivationName, type LlamaConfig, llamaConfig, numberRanges, partNames } from "../model/index.ts";
import { type Architecture, architectures, ownArchitecture } from "./architectures.ts";
import { configKeys } from "./hf-config-keys.ts";
import type { FloatType } from "./hf-shards.ts";
import { inFile } from "./in-file.ts";
import { isObject, type JsonObject, kindOf, parseJsonObject, quote } from "./json.ts";
import { checkKeys, oneWarning, readNumber } from "./json-keys.ts";
import { maxPositionsOf, readRope, usualTheta, writeRope } from "./rope-config.ts";

/** What config.json says beside the model's sizes and parts. */
export interface HfConfig {
  readonly config: LlamaConfig;
  readonly bosTokenId?: number;
  /** One or several tokens that end a text; empty when the file names none. */
  readonly eosTokenIds: readonly number[];
}

/** A config.json that was read, and what of it is not followed. */
export interface ReadHfConfig extends HfConfig {
  /** The file's `model_type`. */
  readonly architecture: string;
  /** One sentence or none, which names every value that is not followed and every key that cria does not know. */
  readonly warnings: readonly string[];
}

const where = "config";

/** LlamaConfig's sizes under transformers' names, with its defaults and with bounds far above any model there is. */
const sizeRows = [
  { key: "vocab_size", field: "vocabSize", most: 1 << 24 },
  { key: "hidden_size", field: "dim", most: 1 << 20 },
  { key: "num_hidden_layers", field: "nLayers", most: 1 << 14 },
  { key: "num_attention_heads", field: "nHeads", most: 1 << 16 },
  { key: "num_key_value_heads", field: "nKvHeads", most: 1 << 16, sameAs: "num_attention_heads" },
  { key: "intermediate_size", field: "hiddenDim", most: 1 << 22 },
  { key: "max_position_embeddings", field: "contextLength", most: 1 << 30, otherwise: 2048 },
] as const;

const mostHeadDim = 1 << 20;

/** The gated layers that transformers' LLaMA computes when `hidden_act` is the word beside them; the first word is the one written. */
const gateNames: readonly [ActivationName, ...string[]][] = [
  ["swiglu", "silu", "swish"],
  ["geglu", "gelu"],
  ["gegluTanh", "gelu_pytorch_tanh", "gelu_new"],
  ["reglu", "relu"],
  ["glu", "sigmoid"],
  ["bilinear", "linear"],
];

const isFlag = (value: unknown) => typeof value === "boolean";
const isLayerList = (value: unknown) => Array.isArray(value) && value.every(isFlag);

/** Further parts, which a file leaves out where the model lacks them, with the rule that each value follows. */
const laterParts = {
  qkvBias: { rule: "true or false", holds: isFlag },
  attentionOutputBias: { rule: "true or false", holds: isFlag },
  ffnBias: { rule: "true or false", holds: isFlag },
  qkNorm: { rule: "true or false", holds: isFlag },
  slidingWindow: { rule: "an integer, at least 1", holds: (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0 },
  slidingLayers: { rule: "a list of true and false", holds: isLayerList },
  ropeLayers: { rule: "a list of true and false", holds: isLayerList },
} as const satisfies Partial<Record<keyof LlamaConfig, { rule: string; holds(value: unknown): boolean }>>;

/**
 * Reads config.json. Every key is honoured, refused, named in a warning or known to be harmless, as its row in hf-config-keys.ts,
 * architectures.ts and rope-config.ts says; a key without a row is named in the warning. null stands for absence everywhere.
 * @param name the file's name, for messages
 * @throws CriaError when a size is missing or absurd, a value is of the wrong JSON type, or the model has a part that cria does not compute.
 */
export function readHfConfig(name: string, bytes: Uint8Array | string): ReadHfConfig {
  const json = parseJsonObject(where, name, bytes, { unique: true });
  const architecture = readArchitecture(name, json);
  const complaints = checkKeys(where, name, json, configKeys(architecture));
  const bosTokenId = readTokenIds(json.bos_token_id)[0];
  const config = readModel(name, json, architecture);
  return {
    ...{ architecture: architecture.modelType, config },
    ...(bosTokenId === undefined ? {} : { bosTokenId }),
    eosTokenIds: readTokenIds(json.eos_token_id),
    warnings: oneWarning(where, name, [...complaints, ...unusedScaling(config)], "the model is computed without regard to it"),
  };
}

/** Earlier versions trained such models and took no notice of the scaling, so that these still open. */
function unusedScaling({ positions, ropeScaling }: LlamaConfig): string[] {
  if (positions === "rope" || ropeScaling.type === "default") return [];
  return [`RoPE's scaling is "${ropeScaling.type}" but the model's positions are "${positions}", which have none`];
}

/** The document to store as config.json; `dtype` is the weights' type. */
export function writeHfConfig({ config, bosTokenId, eosTokenIds }: HfConfig, dtype: FloatType = "float32"): JsonObject {
  const { architecture, keys } = architectureFor(config);
  return {
    architectures: [architecture.classNames[0]],
    model_type: architecture.modelType,
    ...Object.fromEntries(sizeRows.map(({ key, field }) => [key, config[field]])),
    max_position_embeddings: maxPositionsOf(config),
    head_dim: config.headDim,
    hidden_act: wordOf(config.activation),
    rms_norm_eps: config.normEpsilon,
    ...writeRope(config),
    tie_word_embeddings: config.tiedOutput,
    ...keys,
    torch_dtype: dtype,
    ...(bosTokenId === undefined ? {} : { bos_token_id: bosTokenId }),
    ...writeTokenIds("eos_token_id", eosTokenIds),
    use_cache: true,
    ...(architecture === ownArchitecture && { cria: ownParts(config) }),
  };
}

/** A key for one token or several, left out for none. */
export function writeTokenIds(key: string, ids: readonly number[]): JsonObject {
  return ids.length === 0 ? {} : { [key]: ids.length === 1 ? ids[0] : [...ids] };
}

/** The tokens of a value that may be one, a list, or null and absent for none; its kind was checked. */
export function readTokenIds(value: unknown): readonly number[] {
  return typeof value === "number" ? [value] : ((value as readonly number[] | null | undefined) ?? []);
}

/** The first class that computes the config, and its keys. */
function architectureFor(config: LlamaConfig): { readonly architecture: Architecture; readonly keys: JsonObject } {
  const { norm, normPlacement, activation, swishBeta, positions, ropePairing } = config;
  const isGate = gateNames.some(([name]) => name === activation) && (activation !== "swiglu" || swishBeta === 1);
  const isTheirs = norm === "rms" && normPlacement === "pre" && isGate && positions === "rope" && ropePairing === "half";
  for (const architecture of isTheirs ? architectures : []) {
    const keys = architecture.write(config);
    if (keys) return { architecture, keys };
  }
  return { architecture: ownArchitecture, keys: ownArchitecture.write(config) ?? {} };
}

/** The parts under the key "cria"; those that came later are left out where a model lacks them. */
function ownParts(config: LlamaConfig): JsonObject {
  const { norm, normPlacement, activation, swishBeta, positions, ropePairing } = config;
  const later = Object.entries(laterParts).flatMap(([key]) => {
    const value = config[key as keyof typeof laterParts];
    return value === undefined || value === false ? [] : [[key, value] as const];
  });
  return { norm, normPlacement, activation, swishBeta, positions, ropePairing, ...Object.fromEntries(later) };
}

function readArchitecture(name: string, json: JsonObject): Architecture {
  const known = [...architectures, ownArchitecture];
  const type = json.model_type;
  return (
    known.find(({ modelType }) => modelType === type) ??
    fail(
      where,
      `${name}: model_type is ${kindOf(type)} but cria computes ${architectures.map(({ modelType }) => `"${modelType}"`).join(", ")} (and its own "cria"): choose a model of one of these types`,
    )
  );
}

function readModel(name: string, json: JsonObject, architecture: Architecture): LlamaConfig {
  const isOwn = architecture === ownArchitecture;
  check(
    isOwn || (json.cria ?? undefined) === undefined,
    where,
    () => `${name}: model_type is "${architecture.modelType}" but its key "cria" holds parts that LLaMA has not: correct the file`,
  );
  const { defaults } = architecture;
  const sizes = Object.fromEntries(sizeRows.map((row) => [row.field, readSize(name, { ...defaults, ...json }, row)])) as unknown as Pick<
    LlamaConfig,
    (typeof sizeRows)[number]["field"]
  >;
  const rope = readRope(name, json, { maxPositions: sizes.contextLength, theta: defaults.rope_theta ?? usualTheta });
  const headDim = json.head_dim ?? defaults.head_dim;
  const parts: Partial<LlamaConfig> = {
    ...(headDim !== undefined && { headDim: readHeadDim(name, headDim) }),
    normEpsilon: readNumber(where, name, "rms_norm_eps", json.rms_norm_eps ?? 1e-6, numberRanges.normEpsilon),
    contextLength: rope.contextLength,
    ropeTheta: rope.theta,
    ropeScaling: rope.scaling,
    ropePairing: "half",
    tiedOutput: (json.tie_word_embeddings as boolean | null | undefined) ?? defaults.tie_word_embeddings ?? false,
    ...architecture.read(name, json, sizes.nLayers),
    ...(isOwn ? readOwnParts(name, json.cria, json.hidden_act ?? undefined) : { activation: readGate(name, json.hidden_act ?? "silu") }),
  };
  return inFile(where, name, () => llamaConfig({ ...sizes, ...parts }));
}

function readHeadDim(name: string, value: unknown): number {
  const fits = Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= mostHeadDim;
  check(fits, where, () => `${name}: head_dim is ${kindOf(value)} but must be an integer from 1 to ${mostHeadDim}: correct the file`);
  return value as number;
}

function readSize(name: string, json: JsonObject, row: (typeof sizeRows)[number]): number {
  const fallback = "sameAs" in row ? json[row.sameAs] : "otherwise" in row ? row.otherwise : undefined;
  const value = json[row.key] ?? fallback;
  check(value !== undefined, where, () => `${name}: ${row.key} is missing: it is not a LLaMA's config, or it is damaged`);
  check(
    Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= row.most,
    where,
    () => `${name}: ${row.key} is ${kindOf(value)} but must be an integer from 1 to ${row.most}: correct the file`,
  );
  return value as number;
}

function readGate(name: string, word: unknown): ActivationName {
  const found = gateNames.find(([, ...words]) => words.includes(word as string));
  const known = gateNames.flatMap(([, ...words]) => words);
  return (
    found?.[0] ??
    fail(where, `${name}: hidden_act is ${kindOf(word)} but cria computes ${known.join(", ")}${didYouMean(String(word), known)}`)
  );
}

/** The parts under the key "cria"; `hidden_act`, where it is there, says the activation a second time. */
function readOwnParts(name: string, parts: unknown, hiddenAct: unknown): Partial<LlamaConfig> {
  check(isObject(parts), where, () => `${name}: model_type is "cria" but its key "cria" holds ${kindOf(parts)}: it is damaged`);
  const known = [...Object.keys(partNames), "swishBeta", ...Object.keys(laterParts)];
  const unknown = Object.keys(parts).find((key) => !known.includes(key));
  check(
    unknown === undefined,
    where,
    () => `${name}: cria has no part ${quote(unknown!)}${didYouMean(unknown!, known) || ": correct the file"}`,
  );
  for (const [key, words] of Object.entries(partNames)) {
    const word = parts[key];
    check(
      (words as readonly unknown[]).includes(word),
      where,
      () => `${name}: cria.${key} is ${kindOf(word)} but must be one of ${words.join(", ")}${didYouMean(String(word), words)}`,
    );
  }
  const { norm, normPlacement, activation, positions, ropePairing } = parts as unknown as LlamaConfig;
  check(
    hiddenAct === undefined || hiddenAct === wordOf(activation),
    where,
    () =>
      `${name}: hidden_act is ${kindOf(hiddenAct)} but cria.activation is "${activation}": both name the same part, correct the wrong one`,
  );
  const swishBeta = readNumber(where, name, "cria.swishBeta", parts.swishBeta ?? 1, numberRanges.swishBeta);
  return { norm, normPlacement, activation, positions, ropePairing, swishBeta, ...readLaterParts(name, parts) };
}

function readLaterParts(name: string, parts: JsonObject): Partial<LlamaConfig> {
  const given = Object.entries(laterParts).filter(([key]) => (parts[key] ?? undefined) !== undefined);
  for (const [key, { rule, holds }] of given)
    check(holds(parts[key]), where, () => `${name}: cria.${key} is ${kindOf(parts[key])} but must be ${rule}: correct the file`);
  return Object.fromEntries(given.map(([key]) => [key, parts[key]]));
}

/** The word that `hidden_act` has for an activation: transformers' where it computes it, else ours. */
function wordOf(activation: ActivationName): string {
  return gateNames.find(([name]) => name === activation)?.[1] ?? activation;
}
