// A GGUF's metadata as a config (ggml-org/llama.cpp, src/llama-model.cpp: load_hparams), with llama.cpp's defaults where keys are absent. What
// parts a model has beside the paper's shows in its tensors.
import { CriaError, check, fail, type Shape, showShape } from "../base/index.ts";
import { type LlamaConfig, llamaConfig, parameterRows } from "../model/index.ts";
import { GgufKeys } from "./gguf-keys.ts";
import type { GgufMetadata, GgufValue } from "./gguf-metadata.ts";
import { type GgufArchitecture, ggufName, ggufPairings } from "./gguf-names.ts";
import { isRopeTensor, readGgufScaling } from "./gguf-rope.ts";
import { failInFile } from "./in-file.ts";
import { quote } from "./json.ts";
import type { TensorFile } from "./tensor-file.ts";

/** A config that was read, and what of the file is not followed. */
export interface ReadGgufConfig {
  /** `general.architecture`. */
  readonly architecture: GgufArchitecture;
  readonly config: LlamaConfig;
  readonly warnings: readonly string[];
}

const where = "gguf";
/** What a layer has at least: two norms, four matrices of attention, three of the feed-forward layer. */
const tensorsPerLayer = 9;
/** The layers of SmolLM3 without RoPE are every so many, whatever the file says: llama.cpp has the number in its code. */
const smollm3Interval = 4;

/**
 * The config of the model in a file, or in the files of a split one, whose tensors are held against it.
 * @throws CriaError naming what is missing, contradicts itself, or is of a model that cria does not compute
 */
export async function readGgufConfig({ pairs }: GgufMetadata, tensors: TensorFile): Promise<ReadGgufConfig> {
  const { name } = tensors;
  const architecture = readArchitecture(name, pairs);
  const keys = new GgufKeys(name, pairs, architecture);
  const warnings = keys.check();
  checkQuantisation(name, pairs);
  const config = await readConfig(keys, tensors, architecture).catch((error: unknown) => failInModel(name, error));
  tensors.expect(
    parameterRows(config).map((row) => ({ name: ggufName(row.name), shape: row.shape })),
    isRopeTensor,
  );
  return { architecture, config, warnings };
}

function readArchitecture(name: string, pairs: ReadonlyMap<string, GgufValue>): GgufArchitecture {
  const { value } = pairs.get("general.architecture") ?? {};
  check(typeof value === "string", where, () => `${name}: it has no general.architecture, which says what the model is: convert it again`);
  const { value: type = "model" } = pairs.get("general.type") ?? {};
  check(
    type === "model",
    where,
    () => `${name}: general.type is ${quote(String(type))}, but cria opens "model" alone: name the model's file`,
  );
  const known = Object.keys(ggufPairings) as GgufArchitecture[];
  return (
    known.find((one) => one === value) ??
    fail(where, `${name}: its architecture is ${quote(value)}, but cria computes ${known.map(quote).join(", ")}: choose one of these`)
  );
}

/** Blocks were laid out otherwise before version 2, which is older than the format. */
function checkQuantisation(name: string, pairs: ReadonlyMap<string, GgufValue>): void {
  const { value = 2 } = pairs.get("general.quantization_version") ?? {};
  check(value === 2, where, () => `${name}: general.quantization_version is ${String(value)}, but cria reads 2: convert it again`);
}

async function readConfig(keys: GgufKeys, tensors: TensorFile, architecture: GgufArchitecture): Promise<LlamaConfig> {
  const nLayers = keys.required("block_count", keys.whole("block_count"));
  const count = tensors.tensors.size;
  check(
    nLayers >= 1 && nLayers * tensorsPerLayer <= count,
    where,
    () =>
      `${keys.name}: block_count is ${nLayers}, but the file has ${count} tensors, and a layer at least ${tensorsPerLayer}: it is damaged`,
  );
  const plain = llamaConfig({
    ...readSizes(keys, nLayers),
    ...readParts(keys, tensors, architecture, nLayers),
    vocabSize: matrixOf(tensors, "token_embd.weight")[0],
    ropePairing: ggufPairings[architecture],
    tiedOutput: !tensors.tensors.has("output.weight"),
  });
  return llamaConfig({ ...plain, ropeScaling: await readGgufScaling(keys, tensors, plain) });
}

function readSizes(keys: GgufKeys, nLayers: number) {
  const whole = (key: string) => keys.required(key, keys.whole(key));
  const perLayer = (key: string) => keys.required(key, keys.perLayer(key, nLayers));
  const [dim, nHeads] = [whole("embedding_length"), perLayer("attention.head_count")];
  const headDim = keys.whole("attention.key_length") ?? dim / nHeads;
  checkLength(keys, "attention.value_length", headDim, "keys and values of the same length");
  checkLength(keys, "rope.dimension_count", headDim, "RoPE that turns all channels of a head");
  return {
    ...{ dim, nLayers, nHeads, headDim, hiddenDim: perLayer("feed_forward_length"), contextLength: whole("context_length") },
    nKvHeads: keys.perLayer("attention.head_count_kv", nLayers) ?? nHeads,
    normEpsilon: keys.required("attention.layer_norm_rms_epsilon", keys.number("attention.layer_norm_rms_epsilon")),
    ropeTheta: keys.number("rope.freq_base") ?? 10_000,
  };
}

/** What stands for a head's channels must be as many as they are. */
function checkLength(keys: GgufKeys, key: string, headDim: number, what: string): void {
  const length = keys.whole(key) ?? headDim;
  if (length !== headDim)
    keys.fail(key, length, `is not the ${headDim} channels of a head, but cria computes ${what}: choose another model`);
}

function readParts(keys: GgufKeys, { tensors }: TensorFile, architecture: GgufArchitecture, nLayers: number): Partial<LlamaConfig> {
  const has = (tensor: string) => tensors.has(`blk.0.${tensor}`);
  const ropeLayers = Array.from({ length: nLayers }, (_, i) => architecture !== "smollm3" || (i + 1) % smollm3Interval !== 0);
  return {
    ...{ qkvBias: has("attn_q.bias"), attentionOutputBias: has("attn_output.bias"), ffnBias: has("ffn_up.bias") },
    qkNorm: architecture === "qwen3",
    ...readWindow(keys, nLayers),
    ...(ropeLayers.includes(false) && { ropeLayers }),
  };
}

/**
 * A window of 0 is none. A pattern lists the layers that have one, or says that each so many begin with layers that have it and end with one
 * that has not.
 */
function readWindow(keys: GgufKeys, nLayers: number): Partial<LlamaConfig> {
  const [window, pattern] = ["attention.sliding_window", "attention.sliding_window_pattern"] as const;
  const slidingWindow = keys.whole(window) || undefined;
  const list = keys.list(pattern, nLayers);
  const period = list ? undefined : keys.whole(pattern);
  if (slidingWindow === undefined) return {};
  const slidingLayers = list
    ? list.map((one) => (isFlag(one) ? Boolean(one) : keys.fail(pattern, list, "must say yes or no for every layer: the file is damaged")))
    : Array.from({ length: nLayers }, (_, i) => !period || i % period < period - 1);
  if (!slidingLayers.includes(true)) return {};
  return { slidingWindow, ...(slidingLayers.includes(false) && { slidingLayers }) };
}

function isFlag(value: unknown): boolean {
  return value === true || value === false || value === 0 || value === 1;
}

function matrixOf(tensors: TensorFile, name: string): readonly [rows: number, columns: number] {
  const shape: Shape = tensors.info(name).shape;
  const [rows = 0, columns = 0] = shape;
  check(shape.length === 2, where, () => `${tensors.name}: ${name} is ${showShape(shape)}, but must be a matrix: it is damaged`);
  return [rows, columns];
}

/** Adds the file's name to what the model room objects to. */
function failInModel(name: string, error: unknown): never {
  if (error instanceof CriaError && error.where === where) throw error;
  return failInFile(where, name, error);
}
