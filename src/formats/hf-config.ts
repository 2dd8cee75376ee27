// Hugging Face's config.json, in and out (transformers, models/llama/configuration_llama.py).
// A model that LLaMA's code there can run is written as model_type "llama". What differs in more than sizes and the gate's activation is
// written as "cria", with the parts under one key of ours, so that other tools refuse it instead of computing nonsense.
import { CriaError, check, didYouMean, fail } from "../base/index.ts";
import { type ActivationName, headDim, type LlamaConfig, type LlamaSizes, llamaConfig } from "../model/index.ts";
import { isObject, type JsonObject, kindOf, parseJsonObject } from "./json.ts";

/** What config.json says beside the model's sizes and parts. */
export interface HfConfig {
  readonly config: LlamaConfig;
  readonly bosTokenId?: number;
  /** One or several tokens that end a text; empty when the file names none. */
  readonly eosTokenIds: readonly number[];
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

/** The gated layers that transformers' LLaMA computes when `hidden_act` is the word beside them; the first word is the one written. */
const gateNames: readonly [ActivationName, ...string[]][] = [
  ["swiglu", "silu", "swish"],
  ["geglu", "gelu"],
  ["gegluTanh", "gelu_pytorch_tanh", "gelu_new"],
  ["reglu", "relu"],
  ["glu", "sigmoid"],
  ["bilinear", "linear"],
];

/** The parts that only we have, with the words each may hold. */
const partWords = {
  norm: ["rms", "layer"],
  normPlacement: ["pre", "post"],
  activation: ["relu", "gelu", "geluTanh", "swish", ...gateNames.map(([name]) => name)],
  positions: ["rope", "sinusoidal", "learned", "none"],
  ropePairing: ["half", "neighbours"],
} as const;

/** @throws CriaError when a size is missing or absurd, or the model has a part that cria does not compute (it is named). */
export function readHfConfig(name: string, bytes: Uint8Array | string): HfConfig {
  const json = parseJsonObject(where, name, bytes);
  checkModelType(name, json);
  checkUnsupported(name, json);
  const bosTokenId = readTokenIds(name, json, "bos_token_id")[0];
  return {
    config: readModel(name, json),
    ...(bosTokenId === undefined ? {} : { bosTokenId }),
    eosTokenIds: readTokenIds(name, json, "eos_token_id"),
  };
}

/** The document to store as config.json; `dtype` is the weights' type by torch's name, "float32" or "bfloat16". */
export function writeHfConfig(
  { config, bosTokenId, eosTokenIds }: HfConfig,
  dtype: "float32" | "bfloat16" | "float16" = "float32",
): JsonObject {
  const parts = ownParts(config);
  return {
    architectures: [parts === undefined ? "LlamaForCausalLM" : "CriaForCausalLM"],
    model_type: parts === undefined ? "llama" : "cria",
    ...Object.fromEntries(sizeRows.map(({ key, field }) => [key, config[field]])),
    head_dim: headDim(config),
    hidden_act: gateNames.find(([name]) => name === config.activation)?.[1] ?? config.activation,
    rms_norm_eps: config.normEpsilon,
    rope_theta: config.ropeTheta,
    ...(config.ropeFactor === 1 ? {} : { rope_scaling: { rope_type: "linear", factor: config.ropeFactor } }),
    tie_word_embeddings: config.tiedOutput,
    attention_bias: false,
    mlp_bias: false,
    torch_dtype: dtype,
    ...(bosTokenId === undefined ? {} : { bos_token_id: bosTokenId }),
    ...writeTokenIds("eos_token_id", eosTokenIds),
    use_cache: true,
    ...(parts === undefined ? {} : { cria: parts }),
  };
}

/** A key for one token or several, left out for none. */
export function writeTokenIds(key: string, ids: readonly number[]): JsonObject {
  return ids.length === 0 ? {} : { [key]: ids.length === 1 ? ids[0] : [...ids] };
}

/** One token, a list of them, or null and absent for none. */
export function readTokenIds(name: string, json: JsonObject, key: string): number[] {
  const value = json[key] ?? [];
  const ids = Array.isArray(value) ? value : [value];
  for (const id of ids)
    check(
      Number.isSafeInteger(id) && id >= 0,
      where,
      () => `${name}: ${key} has ${kindOf(id)} but a token is an integer, 0 or more: correct the file`,
    );
  return ids;
}

/** The parts for which transformers' LLaMA has no words; undefined when it can run the model. */
function ownParts(config: LlamaConfig): JsonObject | undefined {
  const { norm, normPlacement, activation, swishBeta, positions, ropePairing } = config;
  const isGate = gateNames.some(([name]) => name === activation) && (activation !== "swiglu" || swishBeta === 1);
  const isLlama = norm === "rms" && normPlacement === "pre" && isGate && positions === "rope" && ropePairing === "half";
  return isLlama ? undefined : { norm, normPlacement, activation, swishBeta, positions, ropePairing };
}

function checkModelType(name: string, json: JsonObject): void {
  const type = json.model_type;
  check(
    type === "llama" || type === "cria",
    where,
    () => `${name}: model_type is ${kindOf(type)} but cria computes "llama" (and its own "cria"): choose a LLaMA model`,
  );
}

/** Parts of later LLaMAs whose absence would give wrong numbers without a word. */
function checkUnsupported(name: string, json: JsonObject): void {
  for (const key of ["attention_bias", "mlp_bias"])
    check(!json[key], where, () => `${name}: ${key} is true but cria's linear layers have no bias: choose a model without`);
  for (const key of ["rope_scaling", "rope_parameters"]) {
    const scaling = json[key];
    if (!isObject(scaling)) continue;
    const kind = scaling.rope_type ?? scaling.type ?? "default";
    check(
      kind === "default" || kind === "linear",
      where,
      () => `${name}: ${key} is of ${kindOf(kind)} but cria computes "default" and "linear" RoPE: choose a model without other scaling`,
    );
  }
  check(
    !json.quantization_config,
    where,
    () => `${name}: quantization_config is there but cria reads plain weights: choose the model's unquantised form`,
  );
}

function readModel(name: string, json: JsonObject): LlamaConfig {
  const sizes = Object.fromEntries(sizeRows.map((row) => [row.field, readSize(name, json, row)])) as unknown as LlamaSizes;
  const parts: Partial<LlamaConfig> = {
    normEpsilon: readNumber(name, json, "rms_norm_eps", 1e-6),
    ropeTheta: readNumber(name, isObject(json.rope_parameters) ? { ...json.rope_parameters, ...json } : json, "rope_theta", 10000),
    ropeFactor: readRopeFactor(name, json),
    ropePairing: "half",
    tiedOutput: readFlag(name, json, "tie_word_embeddings"),
    ...(json.model_type === "cria" ? readOwnParts(name, json.cria) : { activation: readGate(name, json.hidden_act ?? "silu") }),
  };
  const config = inFile(name, () => llamaConfig({ ...sizes, ...parts }));
  checkHeadDim(name, json.head_dim, config);
  return config;
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

function readNumber(name: string, json: JsonObject, key: string, otherwise: number): number {
  const value = json[key] ?? otherwise;
  check(
    typeof value === "number" && value > 0,
    where,
    () => `${name}: ${key} is ${kindOf(value)} but must be a number above 0: correct the file`,
  );
  return value;
}

/** Of linear scaling, under the key of transformers 4 or 5; their older files write `type`. */
function readRopeFactor(name: string, json: JsonObject): number {
  const scaling = [json.rope_parameters, json.rope_scaling].filter(isObject).find((one) => (one.rope_type ?? one.type) === "linear");
  return scaling === undefined ? 1 : readNumber(name, scaling, "factor", 0);
}

function readFlag(name: string, json: JsonObject, key: string): boolean {
  const value = json[key] ?? false;
  check(typeof value === "boolean", where, () => `${name}: ${key} is ${kindOf(value)} but must be true or false: correct the file`);
  return value;
}

function readGate(name: string, word: unknown): ActivationName {
  const found = gateNames.find(([, ...words]) => words.includes(word as string));
  const known = gateNames.flatMap(([, ...words]) => words);
  return (
    found?.[0] ??
    fail(where, `${name}: hidden_act is ${kindOf(word)} but cria computes ${known.join(", ")}${didYouMean(String(word), known)}`)
  );
}

function readOwnParts(name: string, parts: unknown): Partial<LlamaConfig> {
  check(isObject(parts), where, () => `${name}: model_type is "cria" but its key "cria" holds ${kindOf(parts)}: it is damaged`);
  for (const [key, words] of Object.entries(partWords)) {
    const word = parts[key];
    check(
      (words as readonly unknown[]).includes(word),
      where,
      () => `${name}: cria.${key} is ${kindOf(word)} but must be one of ${words.join(", ")}${didYouMean(String(word), words)}`,
    );
  }
  const { norm, normPlacement, activation, positions, ropePairing } = parts as unknown as LlamaConfig;
  return { norm, normPlacement, activation, positions, ropePairing, swishBeta: readNumber(name, parts, "swishBeta", 1) };
}

/** transformers lets heads be wider or narrower than hidden_size / num_attention_heads; LlamaConfig does not. */
function checkHeadDim(name: string, value: unknown, config: LlamaConfig): void {
  check(
    (value ?? headDim(config)) === headDim(config),
    where,
    () =>
      `${name}: head_dim is ${kindOf(value)} but hidden_size / num_attention_heads is ${headDim(config)}: cria computes models where both agree`,
  );
}

/** Adds the file's name to what the model room objects to. */
function inFile<T>(name: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof CriaError)) throw error;
    return fail(where, `${name}: ${error.message.replace(/^\[\w+\] /, "")}`, { cause: error });
  }
}
