import { expect, test } from "vitest";
import { readMetaParams } from "./meta-params.ts";

const llama1 = { multiple_of: 256, norm_eps: 1e-6, vocab_size: -1 };
const llama2 = { multiple_of: 256, norm_eps: 1e-5, vocab_size: -1 };
const llama3 = { multiple_of: 1024, ffn_dim_multiplier: 1.3, norm_eps: 1e-5, rope_theta: 500_000, n_kv_heads: 8, vocab_size: 128256 };
const llama31 = { ...llama3, use_scaled_rope: true };

/** Files as Meta published them, the width of feed-forward layers (config.json of the same models) and the context that each was trained for. */
const published: [name: string, params: object, hiddenDim: number, contextLength: number, guess: boolean][] = [
  ["LLaMA 7B", { ...llama1, dim: 4096, n_layers: 32, n_heads: 32 }, 11008, 2048, true],
  ["LLaMA 13B", { ...llama1, dim: 5120, n_layers: 40, n_heads: 40 }, 13824, 2048, true],
  ["LLaMA 33B", { ...llama1, norm_eps: 1e-5, dim: 6656, n_layers: 60, n_heads: 52 }, 17920, 2048, true],
  ["LLaMA 65B", { ...llama1, norm_eps: 1e-5, dim: 8192, n_layers: 80, n_heads: 64 }, 22016, 2048, true],
  ["Llama 2 7B", { ...llama2, dim: 4096, n_layers: 32, n_heads: 32 }, 11008, 4096, true],
  [
    "Llama 2 70B",
    { ...llama2, dim: 8192, n_layers: 80, n_heads: 64, n_kv_heads: 8, multiple_of: 4096, ffn_dim_multiplier: 1.3 },
    28672,
    4096,
    true,
  ],
  ["Code Llama 7B", { ...llama2, dim: 4096, n_layers: 32, n_heads: 32, rope_theta: 1_000_000 }, 11008, 16384, true],
  ["Llama 3 8B", { ...llama3, dim: 4096, n_layers: 32, n_heads: 32 }, 14336, 8192, true],
  [
    "Llama 3.1 405B",
    { ...llama31, dim: 16384, n_layers: 126, n_heads: 128, multiple_of: 4096, ffn_dim_multiplier: 1.2 },
    53248,
    131072,
    false,
  ],
  ["Llama 3.2 1B", { ...llama31, dim: 2048, n_layers: 16, n_heads: 32, multiple_of: 256, ffn_dim_multiplier: 1.5 }, 8192, 131072, false],
];

test.each(published)("%s", (_, params, hiddenDim, contextLength, guess) => {
  const { config, warnings } = readMetaParams("params.json", JSON.stringify(params), { vocabSize: 128256, tiedOutput: false });
  const { rope_theta = 10_000, n_kv_heads, n_heads, use_scaled_rope } = params as Record<string, number | undefined>;
  expect(config).toMatchObject({ hiddenDim, contextLength, ropeTheta: rope_theta, nKvHeads: n_kv_heads ?? n_heads, vocabSize: 128256 });
  const scaled = { type: "llama3", factor: 8, originalLength: 8192, lowFrequencyFactor: 1, highFrequencyFactor: 4 };
  expect(config.ropeScaling).toEqual(use_scaled_rope ? scaled : { type: "default" });
  expect(warnings.length).toBe(guess ? 1 : 0);
});

test("what a file says counts before what its kind has, and a key that is not known is named", () => {
  const params = {
    ...{ dim: 64, n_layers: 2, n_heads: 2, hidden_dim: 100, head_dim: 16, max_seq_len: 300, norm_eps: null, surprise: 1 },
    ...{ use_scaled_rope: true, rope_scaling_factor: 32, rope_high_freq_factor: 2 },
  };
  const { config, warnings } = readMetaParams("params.json", JSON.stringify({ model: params }), { vocabSize: 9, tiedOutput: true });
  expect(config).toMatchObject({ hiddenDim: 100, headDim: 16, contextLength: 300, normEpsilon: 1e-5, tiedOutput: true, vocabSize: 9 });
  expect(config.ropeScaling).toMatchObject({ factor: 32, highFrequencyFactor: 2 });
  expect(warnings).toEqual([
    '[params] params.json: "surprise" is a key that cria does not know: the model is computed without regard to it',
  ]);
});
