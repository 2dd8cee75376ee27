import { expect, test } from "vitest";
import { CriaError } from "../base/index.ts";
import { constantRows, initialise, llamaConfig, parameterCount, parameterRows, preset, presets } from "./index.ts";

test("the paper's models have exactly as many parameters as published", () => {
  expect(parameterCount(preset("7B"))).toBe(6_738_415_616);
  expect(parameterCount(preset("13B"))).toBe(13_015_864_320);
  expect(parameterCount(preset("33B"))).toBe(32_528_943_616);
  expect(parameterCount(preset("65B"))).toBe(65_285_660_672);
});

test("the small models are as large as they are called", () => {
  const counts = Object.fromEntries(Object.entries(presets).map(([name, config]) => [name, parameterCount(config)]));
  expect(counts).toMatchObject({ "260K": 260_032, "1M": 1_066_112, "5M": 5_004_032, "42M": 41_689_600, "110M": 109_529_856 });
  expect(parameterCount({ ...preset("15M"), vocabSize: 32000, tiedOutput: true })).toBe(15_191_712);
});

test("an unknown preset is an error that names the nearest", () => {
  expect(() => preset("7b")).toThrow(CriaError);
  expect(() => preset("7b")).toThrow('did you mean "7B"');
  expect(() => preset("constructor")).toThrow(CriaError);
});

test("matrices decay, gains and biases do not; names are unique", () => {
  const biases = { qkvBias: true, attentionOutputBias: true, ffnBias: true, qkNorm: true };
  const rows = parameterRows(llamaConfig({ vocabSize: 11, dim: 8, nLayers: 2, nHeads: 2, norm: "layer", positions: "learned", ...biases }));
  expect(rows.filter(({ name }) => name.startsWith("layers.1.") && !name.includes("Norm") && name.endsWith(".bias")).length).toBe(7);
  expect(rows.filter((row) => row.decay).every((row) => row.shape.length === 2)).toBe(true);
  expect(rows.filter((row) => !row.decay).every((row) => row.init === "ones" || row.init === "zeros")).toBe(true);
  expect(new Set(rows.map((row) => row.name)).size).toBe(rows.length);
});

test("initial weights follow from the seed, have their deviation, and do not depend on each other", () => {
  const config = llamaConfig({ vocabSize: 300, dim: 64, nLayers: 8, nHeads: 2, hiddenDim: 96 });
  const rows = parameterRows(config);
  const weights = initialise(rows, 3);
  expect(initialise(rows, 3)).toEqual(weights);
  expect(initialise(rows, 4)).not.toEqual(weights);
  expect(initialise(rows.slice(-1), 3).get("output")).toEqual(weights.get("output"));
  expect(deviation(weights.get("embedding")!)).toBeCloseTo(0.02, 3);
  expect(deviation(weights.get("layers.7.ffn.down")!)).toBeCloseTo(0.02 / 4, 3);
  expect(weights.get("finalNorm.gain")).toEqual(new Float32Array(64).fill(1));
});

test("sinusoids are a constant: filled by formula, neither trained nor counted", () => {
  const config = llamaConfig({ vocabSize: 11, dim: 6, nLayers: 1, nHeads: 1, contextLength: 4, positions: "sinusoidal" });
  const [row] = constantRows(config);
  const table = initialise([row!], 0).get("positionTable")!;
  expect([...table.slice(0, 6)]).toEqual([0, 1, 0, 1, 0, 1]);
  expect(table[3 * 6 + 3]).toBeCloseTo(Math.cos(3 / 10000 ** (2 / 6)), 6);
  expect(parameterCount(config)).toBe(parameterCount({ ...config, positions: "none" }));
});

function deviation(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}

test.each([
  [{ headDim: 3 }, "a head has 3 channels, but RoPE turns pairs"],
  [{ headDim: 0 }, "headDim is 0: it must be a positive integer"],
  [{ nHeads: 3, nKvHeads: 1 }, "dim 8 is not a multiple of nHeads 3: choose a dim that 3 divides, or give headDim"],
  [{ slidingWindow: 0 }, "slidingWindow is 0: it must be a positive integer"],
  [{ slidingWindow: 3, slidingLayers: [true] }, "slidingLayers lists 1 layers but nLayers is 2: give a value for every layer"],
  [{ slidingLayers: [true, false] }, "slidingLayers is given without slidingWindow, whose layers it lists"],
  [{ positions: "none" as const, ropeLayers: [true, false] }, "ropeLayers is given without positions: rope"],
])("sizes that do not fit are refused by name: %o", (sizes, message) => {
  expect(() => llamaConfig({ vocabSize: 11, dim: 8, nLayers: 2, nHeads: 2, ...sizes })).toThrow(`[model] ${message}`);
});
