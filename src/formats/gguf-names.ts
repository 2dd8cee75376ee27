// GGUF's names for a model's parameters (ggml-org/llama.cpp, gguf-py/gguf/constants.py, TENSOR_NAMES), by their paths in ours, in and out; and which
// channels of a head the rows of queries and keys stand for there.
import { fail } from "../base/index.ts";
import type { RopePairing, WeightSource } from "../model/index.ts";
import type { TensorFile } from "./tensor-file.ts";
import { weightsIn } from "./weights-in.ts";

/** Parts of a path → parts of a name; numbers stay, and what does not end in a bias ends in a weight. */
const names: Readonly<Record<string, string>> = {
  embedding: "token_embd",
  layers: "blk",
  attentionNorm: "attn_norm",
  "attention.query": "attn_q",
  "attention.key": "attn_k",
  "attention.value": "attn_v",
  "attention.output": "attn_output",
  "attention.queryNorm": "attn_q_norm",
  "attention.keyNorm": "attn_k_norm",
  ffnNorm: "ffn_norm",
  "ffn.gate": "ffn_gate",
  "ffn.up": "ffn_up",
  "ffn.down": "ffn_down",
  finalNorm: "output_norm",
  output: "output",
};

const paths = new Map(Object.entries(names).map(([path, name]) => [name, path]));

/** @param parameter the name of its row: "layers.0.attention.query" → "blk.0.attn_q.weight". @throws CriaError where GGUF has no name for it */
export function ggufName(parameter: string): string {
  const [path = "", kind] = parameter.split(/\.(?=(?:gain|bias)$)/);
  const parts = path.match(/\d+|(?:attention|ffn)\.\w+|\w+/g) ?? [];
  const found = parts.map((part) =>
    /^\d+$/.test(part) ? part : (names[part] ?? fail("gguf", `parameter "${parameter}" has no name in a GGUF`)),
  );
  return [...found, kind === "bias" ? "bias" : "weight"].join(".");
}

/** The inverse of {@link ggufName}: "blk.0.attn_q.weight" → "layers.0.attention.query"; undefined for a tensor that is no parameter of ours. */
export function parameterOfGguf(name: string): string | undefined {
  const [, layer, part, kind] = /^(?:blk\.(0|[1-9]\d*)\.)?(\w+)\.(weight|bias)$/.exec(name) ?? [];
  const path = part === undefined ? undefined : paths.get(part);
  if (path === undefined || path === "layers" || (layer !== undefined) !== isOfLayer(path)) return undefined;
  const ending = kind === "bias" ? ".bias" : path.endsWith("Norm") ? ".gain" : "";
  return `${layer === undefined ? "" : `layers.${layer}.`}${path}${ending}`;
}

/** The parameters of a GGUF file. */
export function ggufWeights(tensors: TensorFile): WeightSource {
  return weightsIn(tensors, ggufName);
}

function isOfLayer(path: string): boolean {
  return path.startsWith("attention") || path.startsWith("ffn");
}

/** The architectures of GGUF that are the same graph as ours, and which two channels of a head each has RoPE turn together. */
export const ggufPairings = {
  llama: "neighbours",
  mistral: "neighbours",
  smollm3: "neighbours",
  qwen2: "half",
  qwen3: "half",
} as const satisfies Readonly<Record<string, RopePairing>>;

/** The name of an architecture of GGUF. */
export type GgufArchitecture = keyof typeof ggufPairings;
