// A model's config as metadata and tensors of a GGUF, as llama.cpp reads it (convert_hf_to_gguf.py; src/llama-model.cpp, src/models/): which
// architecture it is, its sizes, and RoPE, whose scaling is partly keys and partly tensors of divisors.
import { fail } from "../base/index.ts";
import { type LlamaConfig, type RopeScaling, ropeAttention, ropeFrequencies } from "../model/index.ts";
import type { GgufType } from "./gguf-cursor.ts";
import type { GgufScalar, GgufValue } from "./gguf-metadata.ts";
import type { GgufArchitecture } from "./gguf-names.ts";
import type { GgufTensor } from "./gguf-write.ts";

/** What a GGUF says of a config. */
export interface GgufConfig {
  readonly architecture: GgufArchitecture;
  /** Keys with the architecture's prefix. */
  readonly pairs: ReadonlyMap<string, GgufValue>;
  /** RoPE's divisors, where the scaling has some. */
  readonly tensors: readonly GgufTensor[];
  /** A sentence for each thing that is written and that llama.cpp does not follow. */
  readonly warnings: readonly string[];
}

const where = "gguf";

/** @throws CriaError naming the part that no architecture of a GGUF has */
export function ggufConfig(config: LlamaConfig): GgufConfig {
  const architecture = architectureOf(config);
  const rows: readonly Row[] = [...sizeRows(config), ...scalingRows(config)];
  const pairs = new Map(rows.map(([key, type, value]): [string, GgufValue] => [`${architecture}.${key}`, { type, value }]));
  const { slidingWindow: window, slidingLayers } = config;
  if (slidingLayers !== undefined)
    pairs.set(`${architecture}.attention.sliding_window_pattern`, { type: "array", value: { type: "bool", values: slidingLayers } });
  const warning = `a row attends to ${window} keys, which llama.cpp does not follow for the architecture ${architecture}: longer texts differ there`;
  return { architecture, pairs, tensors: ropeTensors(config), warnings: window === undefined ? [] : [warning] };
}

/** A key without the architecture's prefix, and its value. */
type Row = readonly [key: string, type: GgufType, value: GgufScalar];

function sizeRows(config: LlamaConfig): Row[] {
  return [
    ["vocab_size", "u32", config.vocabSize],
    ["context_length", "u32", config.contextLength],
    ["embedding_length", "u32", config.dim],
    ["block_count", "u32", config.nLayers],
    ["feed_forward_length", "u32", config.hiddenDim],
    ["attention.head_count", "u32", config.nHeads],
    ["attention.head_count_kv", "u32", config.nKvHeads],
    ["attention.key_length", "u32", config.headDim],
    ["attention.value_length", "u32", config.headDim],
    ["attention.layer_norm_rms_epsilon", "f32", config.normEpsilon],
    ...(config.slidingWindow === undefined ? [] : [["attention.sliding_window", "u32", config.slidingWindow] as const]),
    ["rope.dimension_count", "u32", config.headDim],
    ["rope.freq_base", "f32", config.ropeTheta],
  ];
}

/** Values that a config must have. */
type Parts = { readonly [Key in keyof LlamaConfig]?: LlamaConfig[Key] | undefined };

/** The parts that every architecture has. */
const common: Parts = { norm: "rms", normPlacement: "pre", activation: "swiglu", swishBeta: 1, positions: "rope" };

/** Further parts by architecture; the biases that are not here may be there or not. */
const partsOfArchitecture = {
  llama: { qkNorm: false },
  qwen2: { attentionOutputBias: false, ffnBias: false, qkNorm: false },
  qwen3: { attentionOutputBias: false, ffnBias: false, qkNorm: true },
  smollm3: { attentionOutputBias: false, ffnBias: false, qkNorm: false },
} as const satisfies Partial<Record<GgufArchitecture, Parts>>;

function architectureOf(config: LlamaConfig): keyof typeof partsOfArchitecture {
  expectParts(config, common, "the models of a GGUF");
  const { ropeScaling: scaling, nLayers } = config;
  const hasDivisors = scaling.type === "llama3" || scaling.type === "longrope";
  const architecture = likest(config, hasDivisors);
  expectParts(config, partsOfArchitecture[architecture], `models of ${architecture}, the likest architecture,`);
  if (architecture !== "smollm3" && !turnsAll(config)) refuse(`ropeLayers leaves out layers, as ${architecture} does not`);
  const isEveryFourth = Array.from({ length: nLayers }, (_, layer) => (layer + 1) % 4 !== 0).every(
    (turns, layer) => turnsIn(config, layer) === turns,
  );
  if (architecture === "smollm3" && !isEveryFourth) refuse("ropeLayers leaves out other layers than every fourth, as smollm3 does");
  if (hasDivisors && architecture !== "llama")
    refuse(`RoPE is scaled by ${scaling.type}, whose divisors llama.cpp reads for llama alone, and not for ${architecture}`);
  if (scaling.type === "dynamic") refuse("RoPE is scaled by dynamic NTK, for which a GGUF has no key");
  if (scaling.type === "yarn" && scaling.truncate === false) refuse("YaRN's truncate is false, for which a GGUF has no key");
  return architecture;
}

/**
 * Qwen2 is LLaMA with some biases, which llama.cpp computes by either name; by LLaMA's alone it reads divisors of RoPE, and heads of a size of their
 * own.
 */
function likest(config: LlamaConfig, hasDivisors: boolean): keyof typeof partsOfArchitecture {
  const { qkNorm, qkvBias, attentionOutputBias, ffnBias, dim, nHeads, headDim } = config;
  if (qkNorm) return "qwen3";
  if (!turnsAll(config)) return "smollm3";
  const isQwen2 = qkvBias && !attentionOutputBias && !ffnBias && !hasDivisors && headDim * nHeads === dim;
  return isQwen2 ? "qwen2" : "llama";
}

function turnsIn({ ropeLayers }: LlamaConfig, layer: number): boolean {
  return ropeLayers?.[layer] !== false;
}

function turnsAll({ ropeLayers = [] }: LlamaConfig): boolean {
  return !ropeLayers.includes(false);
}

function expectParts(config: LlamaConfig, parts: Parts, whose: string): void {
  for (const [key, value] of Object.entries(parts)) {
    const own = config[key as keyof LlamaConfig];
    if (own !== value) refuse(`${key} is ${JSON.stringify(own)}, but ${whose} have ${JSON.stringify(value)} there`);
  }
}

function refuse(what: string): never {
  return fail(where, `the model cannot be written: its ${what}: write a Hugging Face folder`, { ways: ["out"] });
}

function scalingRows(config: LlamaConfig): Row[] {
  const { ropeScaling: scaling } = config;
  switch (scaling.type) {
    case "default":
    case "llama3": // rope_freqs says it all
    case "dynamic": // refused before
      return [];
    case "linear":
      return [
        ["rope.scaling.type", "text", "linear"],
        ["rope.scaling.factor", "f32", scaling.factor],
      ];
    case "yarn":
      return yarnRows(config, scaling);
    case "longrope":
      // No factor: llama.cpp would divide by it, too.
      return [
        ["rope.scaling.type", "text", "longrope"],
        ["rope.scaling.original_context_length", "u32", scaling.originalLength],
        ["rope.scaling.attn_factor", "f32", ropeAttention(config)],
      ];
    default:
      return scaling satisfies never;
  }
}

/** The factor of attention is that of the paper times what the key says. */
function yarnRows(config: LlamaConfig, { factor, originalLength, betaFast, betaSlow }: Extract<RopeScaling, { type: "yarn" }>): Row[] {
  const usual = factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1;
  const attention = ropeAttention(config) / usual;
  const optional: [string, number | undefined][] = [
    ["attn_factor", attention === 1 ? undefined : attention],
    ["yarn_beta_fast", betaFast],
    ["yarn_beta_slow", betaSlow],
  ];
  return [
    ["rope.scaling.type", "text", "yarn"],
    ["rope.scaling.factor", "f32", factor],
    ["rope.scaling.original_context_length", "u32", originalLength],
    ...optional.flatMap(([key, value]): Row[] => (value === undefined ? [] : [[`rope.scaling.${key}`, "f32", value]])),
  ];
}

/** What frequencies are divided by, pair by pair. */
function ropeTensors(config: LlamaConfig): GgufTensor[] {
  const { ropeScaling: scaling } = config;
  if (scaling.type === "longrope")
    return [divisors("rope_factors_long.weight", scaling.longFactors), divisors("rope_factors_short.weight", scaling.shortFactors)];
  if (scaling.type !== "llama3") return [];
  const scaled = ropeFrequencies(config, 0);
  const plain = ropeFrequencies({ ...config, ropeScaling: { type: "default" } }, 0);
  return [
    divisors(
      "rope_freqs.weight",
      plain.map((frequency, i) => frequency / scaled[i]!),
    ),
  ];
}

function divisors(name: string, values: ArrayLike<number>): GgufTensor {
  return { name, dtype: "f32", shape: [values.length], data: () => [new Uint8Array(Float32Array.from(values).buffer)] };
}
