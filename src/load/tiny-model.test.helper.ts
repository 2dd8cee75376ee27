// A model small enough to write in a test, with random weights: as a Hugging Face folder and as llama2.c's .bin, the same model in both.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { atomicWrite, atomicWriteJson } from "../files/index.ts";
import {
  hfName,
  type TensorToWrite,
  toHalfPairing,
  tokenizerConfigJson,
  tokenizerJson,
  writeHfConfig,
  writeSafetensors,
} from "../formats/index.ts";
import { initialise, type LlamaConfig, llamaConfig, type ParameterRow, parameterRows } from "../model/index.ts";
import { byteFallbackPiece, type SentencePieceModel } from "../tokenizer/index.ts";

export { folderForAll, withFolder } from "../files/with-folder.test.helper.ts";

const letters = ["▁", "a", "b", "▁a", "ab", "▁b"];

/** 265 pieces: control pieces, bytes, and a few that merge. */
export const tinyTokenizer: SentencePieceModel = {
  kind: "sentencepiece",
  pieces: ["<unk>", "<s>", "</s>", ...Array.from({ length: 256 }, (_, byte) => byteFallbackPiece(byte)), ...letters],
  scores: [...Array(259).fill(0), ...letters.map((_, i) => -1 - i)],
  ...{ specials: [0, 1, 2], unkId: 0, bosId: 1, eosId: 2, template: { before: [1], after: [] } },
  ...{ byteFallback: true, dummyPrefix: "each", prefixBeforeSpace: true },
};

/** The same number of pieces, of which the last two structure chats. No list of known spellings has them. */
export const tinyChatTokenizer: SentencePieceModel = {
  ...tinyTokenizer,
  pieces: [...tinyTokenizer.pieces.slice(0, -2), "<|go|>", "<|over|>"],
  scores: [...(tinyTokenizer.scores?.slice(0, -2) ?? []), 0, 0],
  specials: [...tinyTokenizer.specials, tinyTokenizer.pieces.length - 2, tinyTokenizer.pieces.length - 1],
};

export const tinyChatTemplate =
  "{{ bos_token }}{% for m in messages %}<|go|>{{ m.role[0] }}{{ m.content }}<|over|>{% endfor %}{% if add_generation_prompt %}<|go|>a{% endif %}";

/** The config as llama2.c stores it, where neighbours turn together. */
export const tinyConfig = llamaConfig({
  ...{ vocabSize: tinyTokenizer.pieces.length, dim: 16, nLayers: 2, nHeads: 4, nKvHeads: 2, hiddenDim: 24, contextLength: 32 },
  ...{ ropePairing: "neighbours", tiedOutput: true },
});

/** Weights by Hugging Face name, larger than first weights usually are, so that the model prefers some tokens. */
export function tinyWeights(config: LlamaConfig): Map<string, Float32Array> {
  const rows = parameterRows(config);
  const values = initialise(rows, 1);
  return new Map(
    rows.map(({ name, shape }) => [hfName(name), values.get(name)!.map((value) => (shape.length === 2 ? 20 * value : value))]),
  );
}

export interface TinyFolder {
  /** Files of weights; several make an index. */
  readonly shards?: number;
  readonly tensors?: (tensors: TensorToWrite[]) => TensorToWrite[];
}

/** The model as a folder: pairs are halves there, so the rows of queries and keys stand in another order. */
export async function writeTinyFolder(folder: string, { shards = 1, tensors = (all) => all }: TinyFolder = {}): Promise<void> {
  const config: LlamaConfig = { ...tinyConfig, ropePairing: "half" };
  const weights = tinyWeights(tinyConfig);
  const all = parameterRows(config).map((row): TensorToWrite => ({ ...at(row), data: inHalves(row, weights.get(hfName(row.name))!) }));
  await atomicWriteJson(join(folder, "config.json"), writeHfConfig({ config, bosTokenId: 1, eosTokenIds: [2] }));
  await atomicWriteJson(join(folder, "tokenizer.json"), tokenizerJson(tinyTokenizer));
  await atomicWriteJson(join(folder, "tokenizer_config.json"), tokenizerConfigJson(tinyTokenizer));
  await writeShards(folder, tensors(all), shards);
}

/** Puts the tokenizer for chats and templates in the place of the folder's tokenizer. */
export async function writeTinyChat(folder: string, chatTemplate: unknown = tinyChatTemplate): Promise<void> {
  await atomicWriteJson(join(folder, "tokenizer.json"), tokenizerJson(tinyChatTokenizer));
  await atomicWriteJson(join(folder, "tokenizer_config.json"), {
    ...tokenizerConfigJson(tinyChatTokenizer),
    chat_template: chatTemplate,
  });
}

/** The model as tiny.bin, with tok265.bin beside it. */
export async function writeTinyBin(folder: string): Promise<string> {
  const { dim, hiddenDim, nLayers, nHeads, nKvHeads, vocabSize, contextLength } = tinyConfig;
  const header = Int32Array.of(dim, hiddenDim, nLayers, nHeads, nKvHeads, vocabSize, contextLength);
  const weights = tinyWeights(tinyConfig);
  const tables = new Float32Array(contextLength * tinyConfig.headDim); // RoPE's, which nobody reads
  const parts = [header, ...binOrder.flatMap((name) => Array.from({ length: nLayers }, (_, i) => weights.get(layered(name, i))!)), tables];
  parts.splice(1, 0, weights.get("model.embed_tokens.weight")!);
  parts.splice(parts.length - 1, 0, weights.get("model.norm.weight")!);
  const path = join(folder, "tiny.bin");
  await writeFile(path, Buffer.concat(parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength))));
  await writeFile(join(folder, `tok${vocabSize}.bin`), tinyTokenizerBin());
  return path;
}

const binOrder = [
  ...["input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"],
  ...["post_attention_layernorm", "mlp.gate_proj", "mlp.down_proj", "mlp.up_proj"],
];

function layered(name: string, layer: number): string {
  return `model.layers.${layer}.${name}.weight`;
}

/** The tokenizer as llama2.c's tokenizer.py exports it, with plain spaces, and control pieces between line ends. */
function tinyTokenizerBin(): Buffer {
  const records = tinyTokenizer.pieces.map((piece, id) => {
    const text = Buffer.from(id === 1 || id === 2 ? `\n${piece}\n` : piece.replaceAll("▁", " "));
    const head = Buffer.alloc(8);
    head.writeFloatLE(tinyTokenizer.scores![id]!, 0);
    head.writeInt32LE(text.length, 4);
    return Buffer.concat([head, text]);
  });
  return Buffer.concat([Buffer.from(Int32Array.of(8).buffer), ...records]);
}

async function writeShards(folder: string, tensors: readonly TensorToWrite[], shards: number): Promise<void> {
  if (shards === 1) return atomicWrite(join(folder, "model.safetensors"), writeSafetensors(tensors, { format: "pt" }));
  const map: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const name = `model-${shard + 1}-of-${shards}.safetensors`;
    const part = tensors.filter((_, i) => i % shards === shard);
    for (const tensor of part) map[tensor.name] = name;
    await atomicWrite(join(folder, name), writeSafetensors(part));
  }
  await atomicWriteJson(join(folder, "model.safetensors.index.json"), { weight_map: map });
}

function at({ name, shape }: ParameterRow): Pick<TensorToWrite, "name" | "dtype" | "shape"> {
  return { name: hfName(name), dtype: "F32", shape };
}

function inHalves({ name, shape }: ParameterRow, values: Float32Array): Float32Array {
  return /\.(query|key)$/.test(name) ? toHalfPairing(values, shape[1]!, tinyConfig.headDim) : values;
}
