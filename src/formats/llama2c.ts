// llama2.c's model .bin (github.com/karpathy/llama2.c, export.py): float32 tensors behind a header of seven integers, or matrices of signed bytes.
//
//   version 0   | 7 × i32 | tensors |                               vocab_size is negative where the output is a matrix of its own
//   version 1   | "ak42" u32, 1 i32 | 7 × i32 | tied u8 | zeros up to byte 256 | tensors |
//   version 2   | "ak42" u32, 2 i32 | 7 × i32 | tied u8 | group i32 | zeros up to byte 256 | norms | matrices in groups of bytes (int8-groups.ts) |
//
// The seven: dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, max_seq_len. Scales of version 2 are float32, which no layout that machines
// compute with has, so that its matrices are read as float32, into four times the memory that they take in the file.
import { type ByteSource, CriaError, check, fail, type Shape, sizeOf } from "../base/index.ts";
import { type LlamaConfig, llamaConfig } from "../model/index.ts";
import { int8GroupBytes, int8GroupSource } from "./int8-groups.ts";
import { TensorFile, type TensorInfo } from "./tensor-file.ts";

/** A llama2.c model: its config and its tensors. */
export interface Llama2cModel {
  /** Pairs of RoPE are neighbours, as in Meta's weights; epsilon is run.c's 1e-5. */
  readonly config: LlamaConfig;
  /** The tensors under Hugging Face's names, read by range; those in groups of bytes as float32. */
  readonly tensors: TensorFile;
}

const where = "llama2c";
const magic = 0x616b3432;

interface Header {
  readonly version: 0 | 1 | 2;
  readonly config: LlamaConfig;
  readonly dataStart: number;
  /** Elements of a matrix that share a scale; absent where they are float32. */
  readonly group?: number;
}

/** A tensor of the file, or (no name) numbers to pass over. */
type Row = readonly [name: string | undefined, shape: Shape];

/** Opens a model: reads and checks its header, no tensor. @throws CriaError when sizes are impossible or do not fit the file. */
export async function readLlama2c(source: ByteSource): Promise<Llama2cModel> {
  const header = await readHeader(source);
  const rowsOf = header.version === 0 ? rowsOfVersion0 : rowsOfVersion1;
  checkGroups(source.name, header, rowsOf);
  const expected = header.dataStart + byteSize(header, rowsOf);
  check(
    expected === source.size,
    where,
    () =>
      `${source.name}: by its header it takes ${expected} bytes but the file has ${source.size}: ` +
      (expected > source.size ? "the download is incomplete, fetch it again" : "it is damaged or not a llama2.c model"),
  );
  return { config: header.config, tensors: new TensorFile(where, source.name, place(source, header, rowsOf(header.config))) };
}

/** Every matrix is whole groups, which its first layer shows. */
function checkGroups(name: string, { config, group }: Header, rowsOf: (config: LlamaConfig) => Row[]): void {
  if (group === undefined) return;
  const [, odd] = rowsOf({ ...config, nLayers: 1 }).find(([, shape]) => shape.length === 2 && sizeOf(shape) % group !== 0) ?? [];
  check(
    group >= 1 && odd === undefined,
    where,
    () =>
      `${name}: its groups have ${group} elements, which ${odd?.join(" × ") ?? "nothing"} is not a multiple of: it is damaged, export it again`,
  );
}

/** Computed from one layer, so that a damaged header with a billion layers costs nothing. */
function byteSize({ config, group }: Header, rowsOf: (config: LlamaConfig) => Row[]): number {
  const withLayers = (nLayers: number) => rowsOf({ ...config, nLayers }).reduce((sum, [, shape]) => sum + bytesOf(shape, group), 0);
  const rest = withLayers(0);
  return rest + config.nLayers * (withLayers(1) - rest);
}

/** Norms are float32 in all versions. */
function bytesOf(shape: Shape, group: number | undefined): number {
  const elements = sizeOf(shape);
  return group === undefined || shape.length === 1 ? 4 * elements : int8GroupBytes({ elements, group });
}

function place(source: ByteSource, { dataStart, group }: Header, rows: readonly Row[]): TensorInfo[] {
  let end = dataStart;
  return rows.flatMap(([name, shape]): TensorInfo[] => {
    const start = end;
    end += bytesOf(shape, group);
    if (name === undefined) return [];
    if (group === undefined || shape.length === 1) return [{ name, dtype: "F32", shape, source, start, end }];
    const floats = int8GroupSource(source, { start, elements: sizeOf(shape), group });
    return [{ name, dtype: "F32", shape, source: floats, start: 0, end: floats.size }];
  });
}

async function readHeader(source: ByteSource): Promise<Header> {
  const bytes = await source.read(0, Math.min(256, source.size));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  check(bytes.length >= 28, where, () => `${source.name}: it has ${bytes.length} bytes but a header takes 28: fetch it again`);
  if (view.getUint32(0, true) !== magic) {
    const vocabSize = view.getInt32(20, true);
    return { version: 0, config: readConfig(source.name, view, 0, vocabSize > 0), dataStart: 28 };
  }
  const version = view.getInt32(4, true);
  if (version !== 1 && version !== 2)
    return fail(
      where,
      `${source.name}: it is of version ${version} but cria reads 0, 1 (float32) and 2 (int8): export it again as version 1`,
    );
  check(bytes.length === 256, where, () => `${source.name}: it has ${bytes.length} bytes but a header takes 256: fetch it again`);
  const config = readConfig(source.name, view, 8, view.getUint8(36) === 1);
  return { version, config, dataStart: 256, ...(version === 2 && { group: view.getInt32(37, true) }) };
}

function readConfig(name: string, view: DataView, at: number, tiedOutput: boolean): LlamaConfig {
  const [dim, hiddenDim, nLayers, nHeads, nKvHeads, vocabSize, contextLength] = Array.from({ length: 7 }, (_, i) =>
    view.getInt32(at + 4 * i, true),
  ) as [number, number, number, number, number, number, number];
  try {
    return llamaConfig({
      ...{ dim, hiddenDim, nLayers, nHeads, nKvHeads, vocabSize: Math.abs(vocabSize), contextLength, tiedOutput },
      ...{ ropePairing: "neighbours", normEpsilon: 1e-5 },
    });
  } catch (error) {
    if (!(error instanceof CriaError)) throw error;
    return fail(where, `${name}: it is damaged or not a llama2.c model: ${error.message}`, { cause: error });
  }
}

/** legacy_export: layers' norms stand before their matrices; tables of RoPE's cosines and sines (recomputed here) before the output. */
function rowsOfVersion0(config: LlamaConfig): Row[] {
  const { embedding, attentionNorm, query, key, value, output, ffnNorm, gate, down, up, norm, head } = groups(config);
  const table: Row = [undefined, [config.contextLength, config.headDim / 2]];
  return [embedding, attentionNorm, query, key, value, output, ffnNorm, gate, down, up, norm, [table, table], head].flat();
}

/** version1_export and version2_export: all norms first, no tables. */
function rowsOfVersion1(config: LlamaConfig): Row[] {
  const { embedding, attentionNorm, query, key, value, output, ffnNorm, gate, down, up, norm, head } = groups(config);
  return [attentionNorm, ffnNorm, norm, embedding, query, key, value, output, gate, down, up, head].flat();
}

/** Both versions store a tensor of all layers before the next tensor. */
function groups(config: LlamaConfig) {
  const { dim, hiddenDim, nLayers, nKvHeads, vocabSize } = config;
  const kvDim = nKvHeads * config.headDim;
  const perLayer = (name: string, shape: Shape): Row[] =>
    Array.from({ length: nLayers }, (_, layer) => [`model.layers.${layer}.${name}.weight`, shape]);
  const single = (name: string, shape: Shape): Row[] => [[`${name}.weight`, shape]];
  return {
    embedding: single("model.embed_tokens", [vocabSize, dim]),
    attentionNorm: perLayer("input_layernorm", [dim]),
    query: perLayer("self_attn.q_proj", [dim, dim]),
    key: perLayer("self_attn.k_proj", [kvDim, dim]),
    value: perLayer("self_attn.v_proj", [kvDim, dim]),
    output: perLayer("self_attn.o_proj", [dim, dim]),
    ffnNorm: perLayer("post_attention_layernorm", [dim]),
    gate: perLayer("mlp.gate_proj", [hiddenDim, dim]),
    down: perLayer("mlp.down_proj", [dim, hiddenDim]),
    up: perLayer("mlp.up_proj", [hiddenDim, dim]),
    norm: single("model.norm", [dim]),
    head: config.tiedOutput ? [] : single("lm_head", [vocabSize, dim]),
  };
}
