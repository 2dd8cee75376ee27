import { describe, expect, test } from "vitest";
import { llamaConfig } from "../model/index.ts";
import { maxPositionsOf, readRope } from "./rope-config.ts";

const read = (json: object) => readRope("config.json", JSON.parse(JSON.stringify(json)), { maxPositions: 2048, theta: 10000 });
const plain = { type: "default" };
const linear = (factor: number) => ({ type: "linear", factor });

describe("where theta and a factor are found", () => {
  test.each([
    ["nowhere", {}, 10000, plain],
    ["at the top", { rope_theta: 500 }, 500, plain],
    ["null is absent", { rope_theta: null, rope_scaling: null, rope_parameters: null }, 10000, plain],
    ["an empty object is absent", { rope_theta: 500, rope_scaling: {}, rope_parameters: {} }, 500, plain],
    ["inside wins over the top", { rope_theta: 500, rope_parameters: { rope_theta: 700 } }, 700, plain],
    ["inside rope_scaling too", { rope_theta: 500, rope_scaling: { rope_type: "default", rope_theta: 700 } }, 700, plain],
    ["null inside is absent", { rope_theta: 500, rope_parameters: { rope_type: null, rope_theta: null } }, 500, plain],
    ["linear", { rope_scaling: { type: "linear", factor: 2 } }, 10000, linear(2)],
    ["linear, both spellings", { rope_scaling: { type: "linear", rope_type: "linear", factor: 2, rope_theta: 700 } }, 700, linear(2)],
    ["a factor of 1 scales nothing", { rope_scaling: { rope_type: "default", factor: 1 } }, 10000, plain],
    [
      "neutral neighbours",
      { rope_parameters: { partial_rotary_factor: 1, attention_factor: 1, original_max_position_embeddings: 9, beta_fast: null } },
      ...[10000, plain],
    ],
    [
      "both places, the same said twice",
      {
        rope_theta: 700,
        rope_parameters: { rope_type: "linear", factor: 2, rope_theta: 700 },
        rope_scaling: { type: "linear", factor: 2 },
      },
      ...[700, linear(2)],
    ],
    [
      "layer types that say the same",
      {
        rope_theta: 700,
        rope_parameters: { full_attention: { rope_theta: 500 }, sliding_attention: { rope_type: "default", rope_theta: 500 } },
      },
      ...[500, plain],
    ],
  ] as const)("%s", (_, json, theta, scaling) => {
    expect(read(json)).toEqual({ theta, scaling, contextLength: 2048 });
  });
});

describe("scalings", () => {
  const yarn = { rope_type: "yarn", factor: 4, original_max_position_embeddings: 512 };
  const long = { rope_type: "longrope", short_factor: [1, 2], long_factor: [3, 4] };
  const llama3 = { rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 512 };
  const turns = { lowFrequencyFactor: 1, highFrequencyFactor: 4 };
  test.each([
    ["yarn", { rope_scaling: yarn }, { type: "yarn", factor: 4, originalLength: 512 }],
    [
      "yarn with all its numbers",
      {
        rope_parameters: {
          ...yarn,
          ...{ beta_fast: 16, beta_slow: 2, mscale: 1.5, mscale_all_dim: 0.5, truncate: false, attention_factor: 1.1 },
        },
      },
      {
        ...{ type: "yarn", factor: 4, originalLength: 512, betaFast: 16, betaSlow: 2, mscale: 1.5, mscaleAllDim: 0.5 },
        ...{ truncate: false, attentionFactor: 1.1 },
      },
    ],
    [
      "yarn whose factor is the quotient of the lengths",
      { rope_scaling: { ...yarn, factor: null } },
      { type: "yarn", factor: 4, originalLength: 512 },
    ],
    [
      "an original length at the top wins",
      { original_max_position_embeddings: 256, rope_scaling: yarn },
      { type: "yarn", factor: 4, originalLength: 256 },
    ],
    [
      "an original length of nowhere is max_position_embeddings",
      { rope_scaling: { ...llama3, original_max_position_embeddings: null } },
      { type: "llama3", factor: 8, originalLength: 2048, ...turns },
    ],
    ["llama3", { rope_scaling: llama3 }, { type: "llama3", factor: 8, originalLength: 512, ...turns }],
    [
      "longrope",
      { original_max_position_embeddings: 512, rope_scaling: long },
      { type: "longrope", originalLength: 512, shortFactors: [1, 2], longFactors: [3, 4] },
    ],
    [
      "longrope with its numbers",
      { rope_scaling: { ...long, factor: 2, attention_factor: 1.5, original_max_position_embeddings: 64 } },
      { type: "longrope", originalLength: 64, shortFactors: [1, 2], longFactors: [3, 4], factor: 2, attentionFactor: 1.5 },
    ],
  ] as const)("%s", (_, json, scaling) => {
    expect(read(json)).toEqual({ theta: 10000, scaling, contextLength: 2048 });
  });

  test("a dynamic one's max_position_embeddings is the length before scaling, in and out", () => {
    const json = { rope_scaling: { type: "dynamic", factor: 2.5, original_max_position_embeddings: 9 } };
    const found = read(json);
    expect(found).toEqual({ theta: 10000, scaling: { type: "dynamic", factor: 2.5, originalLength: 2048 }, contextLength: 5120 });
    const config = (contextLength: number) =>
      llamaConfig({ vocabSize: 2, dim: 8, nLayers: 1, nHeads: 1, contextLength, ropeScaling: found.scaling });
    expect(maxPositionsOf(config(5120))).toBe(2048);
    expect(() => maxPositionsOf(config(5000))).toThrow(
      '[config] contextLength is 5000, but config.json can only say 5120 with "dynamic" scaling by 2.5 from 2048: choose that',
    );
  });
});

describe("refused by name", () => {
  const both = (parameters: object, scaling: object) => ({ rope_parameters: parameters, rope_scaling: scaling });
  const scaled = '{"type":"linear","factor":2}';
  test.each([
    [
      both({ rope_theta: 700 }, { rope_theta: 500 }),
      'rope_parameters says theta 700 and {"type":"default"} but rope_scaling says theta 500 and {"type":"default"}: both',
    ],
    [
      both({ rope_type: "default" }, { type: "linear", factor: 2 }),
      `rope_parameters says theta 10000 and {"type":"default"} but rope_scaling says theta 10000 and ${scaled}`,
    ],
    // transformers takes rope_scaling, and with it the theta at the top.
    [
      both({ rope_type: "linear", factor: 2, rope_theta: 700 }, { type: "linear", factor: 2 }),
      `rope_scaling says theta 10000 and ${scaled}`,
    ],
    [
      { rope_scaling: { type: "linear", rope_type: "default", factor: 2 } },
      'rope_scaling has rope_type the string "default" but type the string "linear"',
    ],
    [{ rope_scaling: { type: "linear" } }, "rope_scaling.factor is nothing but must be a number from 0.000001 to 1000000"],
    [{ rope_scaling: { type: "linear", factor: "2" } }, 'rope_scaling: factor is the string "2" but must be a finite number'],
    [
      { rope_scaling: { rope_type: "default", factor: 2 } },
      'rope_scaling.factor is the number 2 but its type is "default", which has no such number',
    ],
    [
      { rope_scaling: { rope_type: "proportional", factor: 8 } },
      'rope_scaling is of the string "proportional" but cria computes "default", "linear", "dynamic", "yarn", "longrope", "llama3"',
    ],
    [{ rope_scaling: { rope_type: "llama3", factor: 8, low_freq_factor: 1 } }, "rope_scaling.high_freq_factor is nothing but must be"],
    [
      { rope_scaling: { rope_type: "linear", factor: 8, low_freq_factor: 1 } },
      'rope_scaling.low_freq_factor is the number 1 but its type is "linear", which has no such number: correct the file',
    ],
    [{ rope_scaling: { rope_type: "longrope", short_factor: [1] } }, 'rope_scaling.long_factor is nothing but "longrope" needs a list'],
    [
      { rope_scaling: { rope_type: "longrope", short_factor: ["1"] } },
      'rope_scaling: short_factor is ["1"] but must be a list of finite numbers',
    ],
    [
      { original_max_position_embeddings: 1, rope_scaling: { rope_type: "yarn", factor: 2 } },
      "rope_scaling.original_max_position_embeddings is the number 1 but must be a number from 2 to",
    ],
    [{ rope_parameters: { rope_type: 3 } }, "rope_parameters is of the number 3"],
    [
      { rope_parameters: { mrope_section: [8, 12, 12] } },
      'rope_parameters: "mrope_section" is a key that cria does not know: choose a model without it',
    ],
    [
      { rope_parameters: { partial_rotary_factor: 0.5 } },
      "rope_parameters: partial_rotary_factor is the number 0.5, but cria turns all channels of a head",
    ],
    [{ rope_scaling: { type: "linear", factor: 2, attention_factor: 1.2 } }, "rope_scaling.attention_factor is the number 1.2"],
    [
      { rope_parameters: { full_attention: { rope_theta: 1 }, sliding_attention: { rope_theta: 2 } } },
      'rope_parameters says theta 1 and {"type":"default"} for "full_attention" but theta 2 and {"type":"default"} for "sliding_attention", and cria turns all layers alike',
    ],
    [
      { rope_parameters: { rope_theta: 500, full_attention: { rope_theta: 500 } } },
      'rope_parameters has numbers for "full_attention" beside others but cria turns all layers alike',
    ],
    [{ rope_theta: 0 }, "rope_theta is the number 0 but must be a number from 0.001 to 1000000000000000"],
    [{ rope_theta: -5 }, "rope_theta is the number -5"],
    [{ rope_theta: 1e16 }, "rope_theta is the number 10000000000000000"],
    [{ rope_parameters: { rope_theta: 1e300 } }, "rope_parameters.rope_theta is the number 1e+300"],
    [{ rope_parameters: { rope_theta: "1e4" } }, 'rope_parameters: rope_theta is the string "1e4" but must be a finite number'],
  ] as const)("%j", (json, message) => {
    expect(() => read(json)).toThrow(`[config] config.json: `);
    expect(() => read(json)).toThrow(message);
  });
});
