// The decoders of transformers that are LLaMA but for a few parts that a config names, one row each: the keys of config.json that its class reads
// or passes over, what they make of the model, and the keys that say a model of ours. Keys that all classes read alike are in hf-config-keys.ts.
import { check } from "../base/index.ts";
import type { LlamaConfig } from "../model/index.ts";
import { type JsonObject, kindOf } from "./json.ts";
import { harmless, honoured, type KeyRow, refused } from "./json-keys.ts";

/** What a config says beyond what all LLaMAs have. */
export type VariantParts = Partial<
  Pick<LlamaConfig, "qkvBias" | "attentionOutputBias" | "ffnBias" | "qkNorm" | "slidingWindow" | "slidingLayers" | "ropeLayers">
>;

/** A decoder of transformers: what its config may hold beside LLaMA's keys, and how that is read. */
export interface Architecture {
  /** `model_type` of config.json. */
  readonly modelType: string;
  /** What `architectures` of config.json may name; the first is the one written. */
  readonly classNames: readonly [string, ...string[]];
  /** The class' values for keys that a file leaves out, where they are others than LLaMA's. */
  readonly defaults: {
    readonly num_key_value_heads?: number;
    readonly max_position_embeddings?: number;
    readonly head_dim?: number;
    readonly rope_theta?: number;
    readonly tie_word_embeddings?: boolean;
  };
  /** Rows of keys that not all classes read. */
  readonly keys: readonly KeyRow[];
  /** @throws CriaError where keys contradict each other. */
  read(name: string, json: JsonObject, nLayers: number): VariantParts;
  /** The keys that say the config's parts; undefined where the class has no words for them. */
  write(config: LlamaConfig): JsonObject | undefined;
}

const where = "config";

const attentionBias = honoured(
  "attention_bias",
  "flag",
  "biases of the projections to queries, keys and values and of attention's output; false by default",
);
const mlpBias = honoured("mlp_bias", "flag", "biases of the feed-forward layer; false by default");
const noMlpBias = refused("mlp_bias", "flag", [false], "its class has no biases there");
const wholeContext = [
  refused("sliding_window", "count", isWholeContext, "its class attends to the whole context"),
  refused("use_sliding_window", "flag", [false], "its class attends to the whole context"),
  refused("layer_types", "texts", (value) => layersOf(value).every(isFull), "its class attends to the whole context in every layer"),
  harmless("max_window_layers", "count", "only use_sliding_window gives it a meaning, and that is refused"),
];
const windowKeys = [
  honoured("sliding_window", "count", "the most keys that a row attends, where use_sliding_window is true"),
  honoured("use_sliding_window", "flag", "whether there is a window; false by default"),
  honoured("layer_types", "texts", "which layers have the window"),
];
const maxWindowLayers = honoured(
  "max_window_layers",
  "count",
  "the first layer with a window, where there are no layer_types; 28 by default",
);

const llama: Architecture = {
  modelType: "llama",
  classNames: ["LlamaForCausalLM", "LLaMAForCausalLM"], // the second is how the first conversions of LLaMA spelt it
  defaults: {},
  keys: [attentionBias, mlpBias, ...wholeContext],
  read: (_, json) => ({ ...attentionBiases(json), ffnBias: isTrue(json.mlp_bias) }),
  write: (config) =>
    hasOneAttentionBias(config) && has(config, { qkNorm: false, slidingWindow: undefined, ropeLayers: undefined })
      ? { attention_bias: config.qkvBias, mlp_bias: config.ffnBias }
      : undefined,
};

/** Mistral 7B (Jiang et al. 2023, arXiv 2310.06825): a window in every layer. Later versions have null in its place. */
const mistral: Architecture = {
  modelType: "mistral",
  classNames: ["MistralForCausalLM"],
  defaults: { num_key_value_heads: 8, max_position_embeddings: 4096 * 32 },
  keys: [
    refused("attention_bias", "flag", [false], "its class has no biases"),
    noMlpBias,
    honoured("sliding_window", "count", "the most keys that a row attends; 4096 by default, and null for all"),
    refused(
      "use_sliding_window",
      "flag",
      (value, json) => value === (mistralWindow(json) !== undefined),
      "its class follows sliding_window alone",
    ),
    refused("layer_types", "texts", isAsMistralsWindow, "its class has the window in all layers or in none"),
    harmless("max_window_layers", "count", "its class follows sliding_window alone"),
  ],
  read: (name, json) => windowed(name, mistralWindow(json)),
  write: (config) =>
    has(config, {
      qkvBias: false,
      attentionOutputBias: false,
      ffnBias: false,
      qkNorm: false,
      slidingLayers: undefined,
      ropeLayers: undefined,
    })
      ? { sliding_window: config.slidingWindow ?? null }
      : undefined,
};

/** Qwen2 (arXiv 2407.10671): biases of queries, keys and values; a window in the last layers where use_sliding_window says so. */
const qwen2: Architecture = {
  modelType: "qwen2",
  classNames: ["Qwen2ForCausalLM"],
  defaults: { num_key_value_heads: 32, max_position_embeddings: 32768 },
  keys: [
    harmless("attention_bias", "flag", "its class has biases of queries, keys and values whatever it says"),
    noMlpBias,
    ...windowKeys,
    maxWindowLayers,
  ],
  read: (name, json, nLayers) => ({ qkvBias: true, ...readWindow(name, json, nLayers, inLastLayers(json), 4096) }),
  write: (config) =>
    has(config, { qkvBias: true, attentionOutputBias: false, ffnBias: false, qkNorm: false, ropeLayers: undefined })
      ? writeLastLayersWindow(config)
      : undefined,
};

/** Qwen3 (arXiv 2505.09388): norms of queries and keys. */
const qwen3: Architecture = {
  modelType: "qwen3",
  classNames: ["Qwen3ForCausalLM"],
  defaults: { num_key_value_heads: 32, max_position_embeddings: 32768, head_dim: 128 },
  keys: [attentionBias, noMlpBias, ...windowKeys, maxWindowLayers],
  read: (name, json, nLayers) => ({
    ...attentionBiases(json),
    qkNorm: true,
    ...readWindow(name, json, nLayers, inLastLayers(json), 4096),
  }),
  write(config) {
    if (!hasOneAttentionBias(config) || !has(config, { ffnBias: false, qkNorm: true, ropeLayers: undefined })) return undefined;
    const window = writeLastLayersWindow(config);
    return window && { attention_bias: config.qkvBias, ...window };
  },
};

/** SmolLM3 (2025): no RoPE in every fourth layer, and the window, where there is one, in those. */
const smollm3: Architecture = {
  modelType: "smollm3",
  classNames: ["SmolLM3ForCausalLM"],
  defaults: { num_key_value_heads: 4, max_position_embeddings: 32768, rope_theta: 2e6, tie_word_embeddings: true },
  keys: [
    attentionBias,
    mlpBias,
    ...windowKeys,
    harmless("max_window_layers", "count", "its class follows layer_types alone"),
    honoured("no_rope_layers", "bits", "layer by layer, 1 where RoPE turns queries and keys and 0 where it does not"),
    honoured("no_rope_layer_interval", "countFromOne", "where there are no no_rope_layers, every such layer has no RoPE; 4 by default"),
  ],
  read(name, json, nLayers) {
    const ropeLayers = readRopeLayers(name, json, nLayers);
    return {
      ...attentionBiases(json),
      ffnBias: isTrue(json.mlp_bias),
      ...readWindow(name, json, nLayers, (layer) => ropeLayers[layer] === false, undefined),
      ...(ropeLayers.includes(false) && { ropeLayers }),
    };
  },
  write: (config) =>
    hasOneAttentionBias(config) && has(config, { qkNorm: false })
      ? {
          // Its class has tokens of its own where a file says none, and takes no vocabulary without them.
          ...{ bos_token_id: null, eos_token_id: null, pad_token_id: null },
          attention_bias: config.qkvBias,
          mlp_bias: config.ffnBias,
          ...writeWindow(config),
          no_rope_layers: Array.from({ length: config.nLayers }, (_, layer) => (config.ropeLayers?.[layer] === false ? 0 : 1)),
        }
      : undefined,
};

/** The architectures in the order in which a config is tried for the class that it is written as. */
export const architectures: readonly Architecture[] = [llama, mistral, qwen2, qwen3, smollm3];

/** A model with parts that none of them has, which other tools refuse: its parts stand under the key "cria", beside LLaMA's keys. */
export const ownArchitecture: Architecture = {
  ...llama,
  modelType: "cria",
  classNames: ["CriaForCausalLM", ...llama.classNames],
  write: () => ({ attention_bias: false, mlp_bias: false }),
};

/** Whether the config has these values; undefined stands for a part that it lacks. */
function has(config: LlamaConfig, parts: { readonly [Key in keyof VariantParts]: VariantParts[Key] | undefined }): boolean {
  return (Object.keys(parts) as (keyof VariantParts)[]).every((key) => config[key] === parts[key]);
}

function hasOneAttentionBias({ qkvBias, attentionOutputBias }: LlamaConfig): boolean {
  return qkvBias === attentionOutputBias;
}

function attentionBiases({ attention_bias: bias }: JsonObject): VariantParts {
  return { qkvBias: isTrue(bias), attentionOutputBias: isTrue(bias) };
}

function isTrue(value: unknown): boolean {
  return value === true;
}

/** A window that the context fits in changes nothing, nor does one that the file itself says is not used. */
function isWholeContext(value: unknown, { max_position_embeddings: context, use_sliding_window: isUsed }: JsonObject): boolean {
  return isUsed === false || (value as number) >= ((context as number | null | undefined) ?? 2048);
}

/** The value of layer_types, whose kind was checked. */
function layersOf(value: unknown): readonly string[] {
  return (value as readonly string[] | null | undefined) ?? [];
}

function isFull(type: string): boolean {
  return type === "full_attention" || type === "attention";
}

function mistralWindow({ sliding_window: window }: JsonObject): number | undefined {
  return window === undefined ? 4096 : ((window as number | null) ?? undefined);
}

function isAsMistralsWindow(value: unknown, json: JsonObject): boolean {
  const hasWindow = mistralWindow(json) !== undefined;
  return layersOf(value).every((type) => (hasWindow ? type === "sliding_attention" : isFull(type)));
}

function windowed(name: string, window: number | undefined): VariantParts {
  if (window === undefined) return {};
  check(window > 0, where, () => `${name}: sliding_window is ${window} but a row attends at least itself: correct the file`);
  return { slidingWindow: window };
}

/** Qwen's layers with a window where no layer_types say them. */
function inLastLayers({ max_window_layers: first }: JsonObject): (layer: number) => boolean {
  return (layer) => layer >= ((first as number | null | undefined) ?? 28);
}

/**
 * The window of a class that has it in some layers.
 * @param usual which layers have it where no layer_types say them
 * @param otherwise the window's length where the file leaves it out
 */
function readWindow(
  name: string,
  json: JsonObject,
  nLayers: number,
  usual: (layer: number) => boolean,
  otherwise: number | undefined,
): VariantParts {
  const { use_sliding_window: isUsed, sliding_window: given = otherwise, layer_types: types } = json;
  const window = isTrue(isUsed) ? ((given as number | null | undefined) ?? undefined) : undefined;
  const slidingLayers = (types ?? undefined) === undefined ? undefined : readLayerTypes(name, layersOf(types), nLayers);
  check(
    window !== undefined || !slidingLayers?.includes(true),
    where,
    () =>
      `${name}: layer_types has sliding_attention, but use_sliding_window is ${kindOf(isUsed)} and sliding_window ${kindOf(given)}: correct the file`,
  );
  const layers = slidingLayers ?? Array.from({ length: nLayers }, (_, layer) => usual(layer));
  if (window === undefined || !layers.includes(true)) return {};
  return { ...windowed(name, window), ...(layers.includes(false) && { slidingLayers: layers }) };
}

function readLayerTypes(name: string, types: readonly string[], nLayers: number): boolean[] {
  check(
    types.length === nLayers,
    where,
    () => `${name}: layer_types lists ${types.length} layers but num_hidden_layers is ${nLayers}: correct the file`,
  );
  return types.map((type) => {
    check(
      type === "sliding_attention" || isFull(type),
      where,
      () =>
        `${name}: layer_types has ${kindOf(type)} but cria computes "full_attention" and "sliding_attention": choose a model without it`,
    );
    return type === "sliding_attention";
  });
}

function writeWindow({ slidingWindow, slidingLayers, nLayers }: LlamaConfig): JsonObject {
  const isSliding = (layer: number) => slidingWindow !== undefined && slidingLayers?.[layer] !== false;
  return {
    use_sliding_window: slidingWindow !== undefined,
    sliding_window: slidingWindow ?? null,
    layer_types: Array.from({ length: nLayers }, (_, layer) => (isSliding(layer) ? "sliding_attention" : "full_attention")),
  };
}

/** Releases before layer_types know only a first layer with a window, so no other pattern is written. */
function writeLastLayersWindow(config: LlamaConfig): JsonObject | undefined {
  const { slidingWindow, slidingLayers = [], nLayers } = config;
  const first = slidingWindow === undefined ? nLayers : slidingLayers.lastIndexOf(false) + 1;
  const isSuffix = slidingLayers.slice(0, first).every((slides) => !slides);
  return isSuffix ? { ...writeWindow(config), max_window_layers: first } : undefined;
}

/** Layer by layer, whether RoPE turns queries and keys; a longer list is as good. */
function readRopeLayers(name: string, json: JsonObject, nLayers: number): boolean[] {
  const given = (json.no_rope_layers as readonly number[] | null | undefined) ?? undefined;
  const interval = (json.no_rope_layer_interval as number | null | undefined) ?? 4;
  check(
    given === undefined || given.length >= nLayers,
    where,
    () => `${name}: no_rope_layers lists ${given?.length} layers but num_hidden_layers is ${nLayers}: correct the file`,
  );
  return Array.from({ length: nLayers }, (_, layer) => (given ? given[layer] === 1 : (layer + 1) % interval !== 0));
}
