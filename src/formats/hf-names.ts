// What Hugging Face's LLaMA calls a model's parameters (transformers, modeling_llama.py), by their paths in ours.
import { fail } from "../base/index.ts";
import type { WeightSource } from "../model/index.ts";
import type { TensorFile } from "./tensor-file.ts";

/** Parts of a path → parts of a name; numbers stay, gains are weights. */
const names: Readonly<Record<string, string>> = {
  embedding: "model.embed_tokens.weight",
  positionTable: "model.embed_positions.weight",
  layers: "model.layers",
  attentionNorm: "input_layernorm",
  "attention.query": "self_attn.q_proj.weight",
  "attention.key": "self_attn.k_proj.weight",
  "attention.value": "self_attn.v_proj.weight",
  "attention.output": "self_attn.o_proj.weight",
  ffnNorm: "post_attention_layernorm",
  "ffn.gate": "mlp.gate_proj.weight",
  "ffn.up": "mlp.up_proj.weight",
  "ffn.down": "mlp.down_proj.weight",
  finalNorm: "model.norm",
  gain: "weight",
  bias: "bias",
  output: "lm_head.weight",
};

/** @param parameter the name of its row: "layers.0.attention.query" → "model.layers.0.self_attn.q_proj.weight" */
export function hfName(parameter: string): string {
  const parts = parameter.match(/\d+|(?:attention|ffn)\.\w+|\w+/g) ?? [];
  return parts
    .map((part) => (/^\d+$/.test(part) ? part : (names[part] ?? fail("formats", `parameter "${parameter}" has no name there`))))
    .join(".");
}

/** The parameters of a file under Hugging Face's names. */
export function hfWeights(tensors: TensorFile): WeightSource {
  return { inFile: ({ name }) => tensors.inFile(hfName(name)), read: ({ name }) => tensors.readFloat32(hfName(name)) };
}
