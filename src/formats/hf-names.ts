// Names that Hugging Face's LLaMA has for a model's parameters (transformers, modeling_llama.py), by their paths in ours.
import { fail } from "../base/index.ts";
import type { WeightSource } from "../model/index.ts";
import type { TensorFile } from "./tensor-file.ts";
import { weightsIn } from "./weights-in.ts";

/** Parts of a path → parts of a name; numbers stay, and what does not end in a bias ends in a weight. */
const names: Readonly<Record<string, string>> = {
  embedding: "model.embed_tokens",
  positionTable: "model.embed_positions",
  layers: "model.layers",
  attentionNorm: "input_layernorm",
  "attention.query": "self_attn.q_proj",
  "attention.key": "self_attn.k_proj",
  "attention.value": "self_attn.v_proj",
  "attention.output": "self_attn.o_proj",
  "attention.queryNorm": "self_attn.q_norm",
  "attention.keyNorm": "self_attn.k_norm",
  ffnNorm: "post_attention_layernorm",
  "ffn.gate": "mlp.gate_proj",
  "ffn.up": "mlp.up_proj",
  "ffn.down": "mlp.down_proj",
  finalNorm: "model.norm",
  output: "lm_head",
};

/** @param parameter the name of its row: "layers.0.attention.query" → "model.layers.0.self_attn.q_proj.weight" */
export function hfName(parameter: string): string {
  const [path = "", kind] = parameter.split(/\.(?=(?:gain|bias)$)/);
  const parts = path.match(/\d+|(?:attention|ffn)\.\w+|\w+/g) ?? [];
  const found = parts.map((part) =>
    /^\d+$/.test(part) ? part : (names[part] ?? fail("formats", `parameter "${parameter}" has no name there`)),
  );
  return [...found, kind === "bias" ? "bias" : "weight"].join(".");
}

/**
 * Whether a file may have a tensor of this name which is no parameter: older files store the output of a tied model, which whoever opens the file
 * holds against the embedding table, and RoPE's frequencies, which transformers has computed from the config since 4.32 whatever the file holds.
 */
export function isRedundantInHf(name: string): boolean {
  return /^lm_head\.weight$|\.rotary_emb\.inv_freq$/.test(name);
}

/** The parameters of a file under Hugging Face's names. */
export function hfWeights(tensors: TensorFile): WeightSource {
  return weightsIn(tensors, hfName);
}
