import { expect, test } from "vitest";
import { llamaConfig, parameterRows } from "../model/index.ts";
import { hfName } from "./hf-names.ts";

test("every parameter has a name of its own", () => {
  const rows = parameterRows(llamaConfig({ vocabSize: 11, dim: 8, nLayers: 2, nHeads: 2, norm: "layer", positions: "learned" }));
  expect(new Set(rows.map(({ name }) => hfName(name))).size).toBe(rows.length);
});

test("names are those of transformers", () => {
  const rows = parameterRows(llamaConfig({ vocabSize: 11, dim: 8, nLayers: 1, nHeads: 2 }));
  expect(rows.map(({ name }) => hfName(name))).toEqual([
    "model.embed_tokens.weight",
    "model.layers.0.input_layernorm.weight",
    "model.layers.0.self_attn.q_proj.weight",
    "model.layers.0.self_attn.k_proj.weight",
    "model.layers.0.self_attn.v_proj.weight",
    "model.layers.0.self_attn.o_proj.weight",
    "model.layers.0.post_attention_layernorm.weight",
    "model.layers.0.mlp.gate_proj.weight",
    "model.layers.0.mlp.up_proj.weight",
    "model.layers.0.mlp.down_proj.weight",
    "model.norm.weight",
    "lm_head.weight",
  ]);
  const biases = { qkvBias: true, attentionOutputBias: true, ffnBias: true, qkNorm: true };
  const more = parameterRows(llamaConfig({ vocabSize: 11, dim: 8, nLayers: 1, nHeads: 2, ...biases })).map(({ name }) => hfName(name));
  expect(more.filter((name) => !rows.some((row) => hfName(row.name) === name))).toEqual([
    ...["q_proj.bias", "k_proj.bias", "v_proj.bias", "o_proj.bias", "q_norm.weight", "k_norm.weight"].map(
      (name) => `model.layers.0.self_attn.${name}`,
    ),
    ...["gate_proj.bias", "up_proj.bias", "down_proj.bias"].map((name) => `model.layers.0.mlp.${name}`),
  ]);
  expect(hfName("layers.31.ffnNorm.bias")).toBe("model.layers.31.post_attention_layernorm.bias");
  expect(() => hfName("layers.0.router")).toThrow('[formats] parameter "layers.0.router" has no name there');
});
