import { describe, expect, test } from "vitest";
import { readRope } from "./rope-config.ts";

const read = (json: object) => readRope("config.json", JSON.parse(JSON.stringify(json)));

describe("where theta and factor are found", () => {
  test.each([
    ["nowhere", {}, 10000, 1],
    ["at the top", { rope_theta: 500 }, 500, 1],
    ["null is absent", { rope_theta: null, rope_scaling: null, rope_parameters: null }, 10000, 1],
    ["an empty object is absent", { rope_theta: 500, rope_scaling: {}, rope_parameters: {} }, 500, 1],
    ["inside wins over the top", { rope_theta: 500, rope_parameters: { rope_theta: 700 } }, 700, 1],
    ["inside rope_scaling too", { rope_theta: 500, rope_scaling: { rope_type: "default", rope_theta: 700 } }, 700, 1],
    ["null inside is absent", { rope_theta: 500, rope_parameters: { rope_type: null, rope_theta: null } }, 500, 1],
    ["linear", { rope_scaling: { type: "linear", factor: 2 } }, 10000, 2],
    ["linear, both spellings", { rope_scaling: { type: "linear", rope_type: "linear", factor: 2, rope_theta: 700 } }, 700, 2],
    ["a factor of 1 scales nothing", { rope_scaling: { rope_type: "default", factor: 1 } }, 10000, 1],
    [
      "neutral neighbours",
      { rope_parameters: { partial_rotary_factor: 1, attention_factor: 1, original_max_position_embeddings: 9 } },
      10000,
      1,
    ],
    [
      "both places, the same said twice",
      {
        rope_theta: 700,
        rope_parameters: { rope_type: "linear", factor: 2, rope_theta: 700 },
        rope_scaling: { type: "linear", factor: 2 },
      },
      ...[700, 2],
    ],
  ] as const)("%s", (_, json, theta, factor) => {
    expect(read(json)).toEqual({ theta, factor });
  });
});

describe("refused by name", () => {
  const both = (parameters: object, scaling: object) => ({ rope_parameters: parameters, rope_scaling: scaling });
  test.each([
    [
      both({ rope_theta: 700 }, { rope_theta: 500 }),
      "rope_parameters says theta 700 and factor 1 but rope_scaling says theta 500 and factor 1: both",
    ],
    [
      both({ rope_type: "default" }, { type: "linear", factor: 2 }),
      "rope_parameters says theta 10000 and factor 1 but rope_scaling says theta 10000 and factor 2",
    ],
    // transformers takes rope_scaling, and with it the theta at the top.
    [
      both({ rope_type: "linear", factor: 2, rope_theta: 700 }, { type: "linear", factor: 2 }),
      "rope_scaling says theta 10000 and factor 2",
    ],
    [
      { rope_scaling: { type: "linear", rope_type: "default", factor: 2 } },
      'rope_scaling has rope_type the string "default" but type the string "linear"',
    ],
    [{ rope_scaling: { type: "linear" } }, "rope_scaling.factor is nothing but must be a number from 0.000001 to 1000000"],
    [{ rope_scaling: { type: "linear", factor: "2" } }, 'rope_scaling: factor is the string "2" but must be a finite number'],
    [{ rope_scaling: { rope_type: "default", factor: 2 } }, 'rope_scaling.factor is the number 2 but its type is "default"'],
    [{ rope_scaling: { rope_type: "llama3", factor: 8, low_freq_factor: 1 } }, 'rope_scaling is of the string "llama3"'],
    [{ rope_parameters: { rope_type: 3 } }, "rope_parameters is of the number 3"],
    [
      { rope_parameters: { mrope_section: [8, 12, 12] } },
      'rope_parameters: "mrope_section" is a key that cria does not know: choose a model without it',
    ],
    [
      { rope_parameters: { partial_rotary_factor: 0.5 } },
      "rope_parameters: partial_rotary_factor is the number 0.5, but cria turns all channels of a head",
    ],
    [{ rope_scaling: { type: "linear", factor: 2, attention_factor: 1.2 } }, "rope_scaling: attention_factor is the number 1.2"],
    [
      { rope_parameters: { full_attention: { rope_theta: 1 }, sliding_attention: { rope_theta: 2 } } },
      'rope_parameters has numbers for "full_attention" alone but cria turns all layers alike',
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
