import { expect, test } from "vitest";
import { llamaConfig, type RopeScaling } from "./index.ts";

const config = (ropeScaling: RopeScaling, more: object = {}) =>
  llamaConfig({ vocabSize: 9, dim: 16, nLayers: 1, nHeads: 2, ropeScaling, ...more });
const yarn = { type: "yarn", factor: 4, originalLength: 64 } as const;
const llama3 = { type: "llama3", factor: 4, originalLength: 64, lowFrequencyFactor: 4, highFrequencyFactor: 4 } as const;
const long = { type: "longrope", originalLength: 64, shortFactors: [1, 1, 1, 1], longFactors: [2, 2, 2, 2] } as const;

test.each<[RopeScaling, object, string]>([
  [{ type: "linear", factor: Number.NaN }, {}, "ropeScaling.factor is NaN: it must be a number from 0.000001 to 1000000"],
  [{ ...yarn, originalLength: 64.5 }, {}, "ropeScaling.originalLength is 64.5: it must be an integer from 2 to 1073741824"],
  [{ ...yarn, betaFast: 2, betaSlow: 3 }, {}, "betaFast is 2 and betaSlow 3: the first must be the larger one"],
  [yarn, { ropeTheta: 1 }, "ropeTheta is 1, but YaRN takes one above 1"],
  [llama3, {}, "lowFrequencyFactor is 4 and highFrequencyFactor 4: the first must be the smaller one"],
  [{ ...long, longFactors: [1, 2, 3] }, {}, "longFactors has 3 numbers, but a head has 4 pairs of channels"],
  [{ ...long, shortFactors: [1, 2, 0, 3] }, {}, "shortFactors has the number 0: all must be from 0.000001 to 1000000"],
  [{ type: "dynamic", factor: 2, originalLength: 64 }, { nHeads: 8 }, '"dynamic" takes heads of at least 4 channels, but they have 2'],
])("%j is refused by name", (scaling, more, message) => {
  expect(() => config(scaling, more)).toThrow(`[model] `);
  expect(() => config(scaling, more)).toThrow(message);
});
