import { expect, test } from "vitest";
import { llamaConfig, parameterRows } from "../model/index.ts";
import { ggufName, parameterOfGguf } from "./gguf-names.ts";

const sizes = { vocabSize: 8, dim: 8, nLayers: 12, nHeads: 2, hiddenDim: 16 };

/** gguf-py 0.19, constants.py: TENSOR_NAMES. */
test.each([
  ["embedding", "token_embd.weight"],
  ["layers.0.attentionNorm.gain", "blk.0.attn_norm.weight"],
  ["layers.11.attention.query", "blk.11.attn_q.weight"],
  ["layers.1.attention.query.bias", "blk.1.attn_q.bias"],
  ["layers.1.attention.key", "blk.1.attn_k.weight"],
  ["layers.1.attention.value", "blk.1.attn_v.weight"],
  ["layers.1.attention.output", "blk.1.attn_output.weight"],
  ["layers.1.attention.output.bias", "blk.1.attn_output.bias"],
  ["layers.1.attention.queryNorm.gain", "blk.1.attn_q_norm.weight"],
  ["layers.1.attention.keyNorm.gain", "blk.1.attn_k_norm.weight"],
  ["layers.1.ffnNorm.gain", "blk.1.ffn_norm.weight"],
  ["layers.1.ffn.gate", "blk.1.ffn_gate.weight"],
  ["layers.1.ffn.up", "blk.1.ffn_up.weight"],
  ["layers.1.ffn.down.bias", "blk.1.ffn_down.bias"],
  ["finalNorm.gain", "output_norm.weight"],
  ["output", "output.weight"],
])("%s is %s there", (parameter, name) => {
  expect(ggufName(parameter)).toBe(name);
  expect(parameterOfGguf(name)).toBe(parameter);
});

test("every parameter of a model with all parts comes back by its name there", () => {
  const config = llamaConfig({ ...sizes, qkvBias: true, attentionOutputBias: true, ffnBias: true, qkNorm: true });
  for (const { name } of parameterRows(config)) expect(parameterOfGguf(ggufName(name))).toBe(name);
});

test.each([
  "rope_freqs.weight",
  "blk.1.ffn_gate_exps.weight",
  "blk.01.attn_q.weight",
  "attn_q.weight",
  "blk.0.output.weight",
  "blk.1.blk.weight",
  "token_embd",
])("%s is no parameter", (name) => expect(parameterOfGguf(name)).toBe(undefined));

test("a parameter without a name there is refused", () => {
  expect(() => ggufName("positionTable")).toThrow('[gguf] parameter "positionTable" has no name in a GGUF');
});
