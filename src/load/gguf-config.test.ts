// A GGUF's metadata as a config: habits of files and their converters, each a test.
import { expect, test } from "vitest";
import { CriaError, memorySource } from "../base/index.ts";
import type { TestTensor } from "../formats/gguf-file.test.helper.ts";
import {
  type GgufScalar,
  type GgufType,
  type GgufValue,
  joinGgufParts,
  type ReadGgufConfig,
  readGguf,
  readGgufConfig,
} from "../formats/index.ts";
import { type LlamaConfig, llamaConfig, ropeFrequencies } from "../model/index.ts";
import { tinyGguf, tinyGgufTensors } from "./tiny-gguf.test.helper.ts";
import { tinyConfig } from "./tiny-model.test.helper.ts";

type Changes = Readonly<Record<string, GgufValue | undefined>>;

const one = (type: GgufType, value: GgufScalar): GgufValue => ({ type, value });
const list = (type: GgufType, values: readonly GgufScalar[]): GgufValue => ({ type: "array", value: { type, values } });

type Read = Pick<ReadGgufConfig, "config" | "warnings">;

/** What the file says: its config and warnings, or the sentence with which it is refused. */
async function read(changes: Changes, tensors?: TestTensor[]): Promise<Read | string> {
  try {
    const head = await readGguf(memorySource("x.gguf", tinyGguf(changes, tensors)));
    const { config, warnings } = await readGgufConfig(head.metadata, joinGgufParts([{ name: "x.gguf", head }]));
    return { config, warnings };
  } catch (error) {
    if (!(error instanceof CriaError)) throw error;
    return error.message;
  }
}

/** The keys of another architecture. */
function renamed(architecture: string, changes: Changes = {}): Changes {
  const { dim, nLayers, nHeads, nKvHeads, hiddenDim, contextLength } = tinyConfig;
  const sizes: Changes = {
    block_count: one("u32", nLayers),
    context_length: one("u32", contextLength),
    embedding_length: one("u32", dim),
    feed_forward_length: one("u32", hiddenDim),
    "attention.head_count": one("u32", nHeads),
    "attention.head_count_kv": one("u32", nKvHeads),
    "attention.layer_norm_rms_epsilon": one("f32", Math.fround(1e-5)),
    ...changes,
  };
  const theirs = Object.entries(sizes).map(([key, value]) => [`${architecture}.${key}`, value]);
  return { "general.architecture": one("text", architecture), ...Object.fromEntries(theirs) };
}

const same: Partial<LlamaConfig> = {};
const sliding = { "llama.attention.sliding_window": one("u32", 5) };

test.each<[string, Changes, Partial<LlamaConfig>]>([
  [
    "integers of any width",
    { "llama.block_count": one("u8", 2), "llama.embedding_length": one("i64", 16), "llama.context_length": one("u16", 32) },
    same,
  ],
  [
    "more of them",
    {
      "llama.attention.head_count": one("i8", 4),
      "llama.attention.head_count_kv": one("u64", 2),
      "llama.feed_forward_length": one("i32", 24),
    },
    same,
  ],
  [
    "the same layer by layer",
    { "llama.attention.head_count": list("u32", [4, 4]), "llama.feed_forward_length": list("u64", [24, 24]) },
    same,
  ],
  [
    "lengths that follow",
    {
      "llama.attention.key_length": one("u32", 4),
      "llama.attention.value_length": one("u32", 4),
      "llama.rope.dimension_count": one("u32", 4),
    },
    same,
  ],
  [
    "defaults that are said",
    {
      "llama.rope.freq_base": one("f32", 10_000),
      "llama.rope.scaling.type": one("text", "linear"),
      "llama.rope.scaling.factor": one("f32", 0),
    },
    same,
  ],
  [
    "parts that are absent",
    { "llama.expert_count": one("u32", 0), "llama.attention.sliding_window": one("u32", 0), "llama.attention.causal": one("bool", true) },
    same,
  ],
  ["the size of the vocabulary in a key", { "llama.vocab_size": one("u32", 99) }, same],
  ["no scaling, with a factor", { "llama.rope.scaling.type": one("text", "none"), "llama.rope.scaling.factor": one("f32", 4) }, same],
  ["linear by default", { "llama.rope.scaling.factor": one("f32", 4) }, { ropeScaling: { type: "linear", factor: 4 } }],
  ["linear by its old name", { "llama.rope.scale_linear": one("f32", 2.5) }, { ropeScaling: { type: "linear", factor: 2.5 } }],
  [
    "floats as they were written",
    { "llama.rope.freq_base": one("f32", 1e6), "llama.attention.layer_norm_rms_epsilon": one("f32", Math.fround(1e-6)) },
    { ropeTheta: 1e6, normEpsilon: 1e-6 },
  ],
  ["a window in all layers", sliding, { slidingWindow: 5 }],
  [
    "a window layer by layer",
    { ...sliding, "llama.attention.sliding_window_pattern": list("bool", [true, false]) },
    { slidingWindow: 5, slidingLayers: [true, false] },
  ],
  [
    "a window in all layers but each second",
    { ...sliding, "llama.attention.sliding_window_pattern": one("u32", 2) },
    { slidingWindow: 5, slidingLayers: [true, false] },
  ],
  ["a window nowhere", { ...sliding, "llama.attention.sliding_window_pattern": list("u32", [0, 0]) }, same],
  ["mistral, whose keys have its name", renamed("mistral"), same],
  ["qwen2, which pairs halves", renamed("qwen2"), { ropePairing: "half" }],
  ["smollm3 of fewer than four layers", renamed("smollm3"), same],
])("%s", async (_, changes, parts) => {
  expect(await read(changes)).toEqual({ config: { ...tinyConfig, ...parts }, warnings: [] });
});

test("as many key heads as heads where none are said, and heads wider than their share", async () => {
  const tensors = tinyGgufTensors().map((tensor) => (/attn_[kv]\./.test(tensor.name) ? resized(tensor, [16, 16]) : tensor));
  const { headDim, nKvHeads } = configOf(await read({ "llama.attention.head_count_kv": undefined }, tensors));
  expect([headDim, nKvHeads]).toEqual([4, 4]);
  const wide = tinyGgufTensors().map((tensor) => {
    if (/attn_q\./.test(tensor.name)) return resized(tensor, [16, 24]);
    if (/attn_output\./.test(tensor.name)) return resized(tensor, [24, 16]);
    return /attn_[kv]\./.test(tensor.name) ? resized(tensor, [16, 12]) : tensor;
  });
  const keys = { "llama.attention.key_length": one("u32", 6), "llama.attention.value_length": one("u32", 6) };
  expect(configOf(await read(keys, wide)).headDim).toBe(6);
});

test("padded rows of the vocabulary, and an output of its own", async () => {
  const tensors = tinyGgufTensors().map((tensor) => (tensor.name === "token_embd.weight" ? resized(tensor, [16, 272]) : tensor));
  expect(configOf(await read({}, tensors))).toEqual({ ...tinyConfig, vocabSize: 272 });
  const own = [...tensors, resized({ ...tensors[0]!, name: "output.weight" }, [16, 272])];
  expect(configOf(await read({}, own))).toEqual({ ...tinyConfig, vocabSize: 272, tiedOutput: false });
});

test("biases and norms of queries and keys show in the tensors", async () => {
  const bias = (name: string, size: number): TestTensor[] => [0, 1].map((layer) => vector(`blk.${layer}.${name}.bias`, size));
  const all = [...bias("attn_q", 16), ...bias("attn_k", 8), ...bias("attn_v", 8), ...bias("attn_output", 16)];
  const ffn = [...bias("ffn_gate", 24), ...bias("ffn_up", 24), ...bias("ffn_down", 16)];
  const { qkvBias, attentionOutputBias, ffnBias } = configOf(await read({}, [...tinyGgufTensors(), ...all, ...ffn]));
  expect([qkvBias, attentionOutputBias, ffnBias]).toEqual([true, true, true]);
  const norms = [0, 1].flatMap((layer) => ["q", "k"].map((part) => vector(`blk.${layer}.attn_${part}_norm.weight`, 4)));
  expect(configOf(await read(renamed("qwen3"), [...tinyGgufTensors(), ...norms])).qkNorm).toBe(true);
});

/** Divisors as llama.cpp's conversion computes them, in float32. */
function llama3Divisors(config: LlamaConfig): Float32Array {
  const plain = ropeFrequencies({ ...config, ropeScaling: { type: "default" } }, 0);
  const scaled = ropeFrequencies(config, 0);
  return Float32Array.from(plain, (frequency, i) => frequency / scaled[i]!);
}

test.each([
  { originalLength: 8192, factor: 8, ropeTheta: 500_000, headDim: 128 },
  { originalLength: 8192, factor: 32, ropeTheta: 500_000, headDim: 64 },
  { originalLength: 64, factor: 4, ropeTheta: 10_000, headDim: 16 },
])("rope_freqs without any key is Llama 3.1's scaling: %j", async ({ headDim, ropeTheta, ...numbers }) => {
  const ropeScaling = { type: "llama3", ...numbers, lowFrequencyFactor: 1, highFrequencyFactor: 4 } as const;
  const config = llamaConfig({ ...tinyConfig, headDim, ropeTheta, ropeScaling });
  const found = configOf(await read(...wideHeads(headDim, ropeTheta, llama3Divisors(config))));
  expect(found.ropeScaling).toEqual(ropeScaling);
});

test("other divisors stand as they are, and those that are 1 are no scaling", async () => {
  const divisors = Float32Array.of(1, 1.5, 3, 2);
  const found = configOf(await read(...wideHeads(8, 10_000, divisors)));
  const plain = ropeFrequencies({ ...found, ropeScaling: { type: "default" } }, 0);
  for (const position of [0, 31, 500])
    expect([...ropeFrequencies(found, position)]).toEqual([...plain.map((one, i) => one / divisors[i]!)]);
  expect(configOf(await read(...wideHeads(8, 10_000, Float32Array.of(1, 1, 1, 1)))).ropeScaling).toEqual({ type: "default" });
});

test("YaRN's and longrope's numbers", async () => {
  const yarn = {
    "llama.rope.scaling.type": one("text", "yarn"),
    "llama.rope.scaling.factor": one("f32", 4),
    "llama.rope.scaling.original_context_length": one("u32", 8),
  };
  const scaling = { type: "yarn", factor: 4, originalLength: 8 } as const;
  expect(configOf(await read(yarn)).ropeScaling).toEqual(scaling);
  const more = { "llama.rope.scaling.yarn_beta_fast": one("f32", 16), "llama.rope.scaling.yarn_log_multiplier": one("f32", 0.5) };
  expect(configOf(await read({ ...yarn, ...more })).ropeScaling).toEqual({ ...scaling, betaFast: 16, mscale: 1, mscaleAllDim: 0.5 });
  const attention = configOf(await read({ ...yarn, "llama.rope.scaling.attn_factor": one("f32", 2) })).ropeScaling;
  expect(attention).toEqual({ ...scaling, attentionFactor: 2 * (0.1 * Math.log(4) + 1) });
  const long = { "llama.rope.scaling.type": one("text", "longrope"), "llama.rope.scaling.attn_factor": one("f32", 1.25) };
  const tensors = [...tinyGgufTensors(), vector("rope_factors_long.weight", 2, [3, 4]), vector("rope_factors_short.weight", 2, [1, 2])];
  const expected = { type: "longrope", originalLength: 32, shortFactors: [1, 2], longFactors: [3, 4], attentionFactor: 1.25 };
  expect(configOf(await read(long, tensors)).ropeScaling).toEqual(expected);
});

test("keys that nobody knows are said, and the file opens", async () => {
  const found = await read({ "llama.moon.phase": one("f32", 1), "llama.tide": list("text", ["x"]), "other.tide": one("u8", 1) });
  expect(found).toEqual({
    config: tinyConfig,
    warnings: ["[gguf] x.gguf: cria does not know llama.moon.phase, llama.tide, and reads the file as if they were not there"],
  });
});

test.each<[string, Changes, string]>([
  [
    "Mixtral",
    { "llama.expert_count": one("u32", 8) },
    "llama.expert_count is 8, which stands for a mixture of experts, as Mixtral is, which cria does not compute",
  ],
  [
    "experts in some layers",
    { "llama.expert_used_count": list("u32", [0, 2]) },
    "llama.expert_used_count is [0, 2], which stands for a mixture of experts",
  ],
  [
    "heads that differ",
    { "llama.attention.head_count": list("u32", [4, 2]) },
    "llama.attention.head_count is [4, 2], but cria computes layers that are all alike",
  ],
  ["widths that differ", { "llama.feed_forward_length": list("u32", [24, 32]) }, "llama.feed_forward_length is [24, 32], but"],
  [
    "a list of another length",
    { "llama.feed_forward_length": list("u32", [24]) },
    "llama.feed_forward_length lists 1 layers, but block_count is 2",
  ],
  [
    "another architecture",
    renamed("gemma3"),
    'its architecture is "gemma3", but cria computes "llama", "mistral", "smollm3", "qwen2", "qwen3"',
  ],
  ["no architecture", { "general.architecture": undefined }, "it has no general.architecture"],
  ["an adapter", { "general.type": one("text", "adapter") }, 'general.type is "adapter", but cria opens "model" alone'],
  ["old blocks", { "general.quantization_version": one("u32", 1) }, "general.quantization_version is 1, but cria reads 2"],
  [
    "some channels turned",
    { "llama.rope.dimension_count": one("u32", 2) },
    "llama.rope.dimension_count is 2, which is not the 4 channels of a head, but cria computes RoPE that turns all channels",
  ],
  [
    "values of another length",
    { "llama.attention.value_length": one("u32", 8) },
    "llama.attention.value_length is 8, which is not the 4 channels",
  ],
  [
    "an attention factor with linear scaling",
    { "llama.rope.scaling.attn_factor": one("f32", 2) },
    "llama.rope.scaling.attn_factor is 2, which cria has with yarn and longrope alone",
  ],
  [
    "another scaling",
    { "llama.rope.scaling.type": one("text", "dynamic") },
    'llama.rope.scaling.type is "dynamic", which cria does not compute',
  ],
  ["longrope without divisors", { "llama.rope.scaling.type": one("text", "longrope") }, 'it has no tensor "rope_factors_short.weight"'],
  [
    "half a ramp",
    { "llama.rope.scaling.yarn_ext_factor": one("f32", 0.5) },
    "llama.rope.scaling.yarn_ext_factor is 0.5, which stands for YaRN's ramp",
  ],
  ["no width", { "llama.embedding_length": undefined }, "it has no llama.embedding_length, which a model needs"],
  ["no epsilon", { "llama.attention.layer_norm_rms_epsilon": undefined }, "it has no llama.attention.layer_norm_rms_epsilon"],
  [
    "a width that is a text",
    { "llama.embedding_length": one("text", "16") },
    'llama.embedding_length is "16", which must be a whole number',
  ],
  [
    "a width that is a list",
    { "llama.embedding_length": list("u32", [16, 16]) },
    "llama.embedding_length is [16, 16], which must be one value",
  ],
  [
    "a width that is a fraction",
    { "llama.embedding_length": one("f32", 16.5) },
    "llama.embedding_length is 16.5, which must be a whole number",
  ],
  ["a context below 0", { "llama.context_length": one("i32", -1) }, "llama.context_length is -1, which must be a whole number"],
  ["an epsilon that is no number", { "llama.attention.layer_norm_rms_epsilon": one("f32", Number.NaN) }, "must be a finite number"],
  ["a billion layers", { "llama.block_count": one("u32", 1e9) }, "block_count is 1000000000, but the file has 20 tensors"],
  ["more heads than width", { "llama.attention.head_count": one("u32", 3) }, "x.gguf: dim 16 is not a multiple of nHeads 3"],
  [
    "another width than the tensors",
    { "llama.feed_forward_length": one("u32", 25) },
    'tensor "blk.0.ffn_gate.weight" is [24, 16] but the model\'s is [25, 16]',
  ],
  ["norms that llama lacks", renamed("qwen3"), 'it has no tensor "blk.0.attn_q_norm.weight"'],
])("%s: refused", async (_, changes, message) => {
  expect(await read(changes)).toContain(message);
});

test.each<[string, TestTensor, string]>([
  ["experts", vector("blk.0.ffn_gate_exps.weight", 4), 'tensor "blk.0.ffn_gate_exps.weight" is not part of the model'],
  [
    "divisors that the scaling does not read",
    vector("rope_factors_long.weight", 2),
    "it has the tensor rope_factors_long.weight, but its scaling is of the type linear",
  ],
  ["too few divisors", vector("rope_freqs.weight", 1), "rope_freqs.weight is [1], but a head has 2 pairs"],
])("%s: refused", async (_, tensor, message) => {
  expect(await read({}, [...tinyGgufTensors(), tensor])).toContain(message);
});

function configOf(found: Read | string): LlamaConfig {
  if (typeof found === "string") throw new Error(found);
  return found.config;
}

function resized(tensor: TestTensor, sizes: readonly number[]): TestTensor {
  return { ...tensor, sizes, data: new Uint8Array(4 * sizes.reduce((product, size) => product * size, 1)) };
}

function vector(name: string, size: number, values: readonly number[] = []): TestTensor {
  return { name, sizes: [size], type: 0, data: new Uint8Array(Float32Array.from({ length: size }, (_, i) => values[i] ?? 0).buffer) };
}

/** The model with heads of so many channels, and divisors for their pairs. */
function wideHeads(headDim: number, theta: number, divisors: Float32Array): [Changes, TestTensor[]] {
  const { dim, nHeads, nKvHeads } = tinyConfig;
  const sizes = { q: [dim, nHeads * headDim], k: [dim, nKvHeads * headDim], v: [dim, nKvHeads * headDim], output: [nHeads * headDim, dim] };
  const tensors = tinyGgufTensors().map((tensor) => {
    const part = /attn_(q|k|v|output)\./.exec(tensor.name)?.[1] as keyof typeof sizes | undefined;
    return part === undefined ? tensor : resized(tensor, sizes[part]);
  });
  const keys = { "llama.attention.key_length": one("u32", headDim), "llama.attention.value_length": one("u32", headDim) };
  return [
    { ...keys, "llama.rope.freq_base": one("f32", theta) },
    [...tensors, vector("rope_freqs.weight", divisors.length, [...divisors])],
  ];
}
