import { expect, test } from "vitest";
import { llamaConfig, parameterCount, preset, presets } from "../model/index.ts";
import {
  activationBytes,
  kvCacheBytes,
  layerActivations,
  servingFlopsPerToken,
  shapeFor,
  trainingFlopsPerToken,
  trainingPrecisions,
  trainingStateBytes,
  utilisationOf,
  weightBytes,
} from "./index.ts";

const config7 = preset("7B");

test("380 tokens/s of the 65B on an A100 are 49.7 % of its peak", () => {
  expect(utilisationOf(trainingFlopsPerToken(preset("65B")), 380, 312e12)).toBeCloseTo(0.497, 3);
  expect(servingFlopsPerToken(config7, 2048)).toBeCloseTo(trainingFlopsPerToken(config7) / 3, -3);
});

test("mixed precision takes 16 bytes per parameter, as float32 does", () => {
  for (const precision of Object.values(trainingPrecisions)) {
    const { weights, gradients, optimiser } = trainingStateBytes(100, precision);
    expect(weights + gradients + optimiser).toBe(1600);
  }
});

test("a layer keeps about what Korthikanti et al. count for GPT's: 34·s·b·h bytes less dropout's 5 without scores, here 32", () => {
  const bytes = 2 * layerActivations(config7, "all");
  expect(bytes / config7.dim).toBeCloseTo(6 * 2 + 2 * 2 + 3 * 2 * (11008 / 4096), 1);
  expect(bytes / config7.dim).toBeGreaterThan(29);
  expect(bytes / config7.dim).toBeLessThan(34);
});

test("running more again keeps less, in every model", () => {
  for (const config of [...Object.values(presets), llamaConfig({ vocabSize: 100, dim: 64, nLayers: 3, nHeads: 4, activation: "relu" })]) {
    const kept = (["all", "linear", "inputs"] as const).map((name) => activationBytes(config, 128, name, 2));
    expect(kept).toEqual(kept.toSorted((a, b) => b - a));
  }
});

test("grouped heads shrink the cache; blocks of a type count their scale", () => {
  const grouped = { ...config7, nKvHeads: 8 };
  expect(kvCacheBytes(config7, 2048, 2)).toBe(2 ** 30);
  expect(kvCacheBytes(grouped, 2048, 2)).toBe(2 ** 28);
  expect(weightBytes(config7, 34 / 32) / parameterCount(config7)).toBeCloseTo(1.0625, 9);
});

test("a size without a shape gets a LLaMA's: the size within a tenth from a million on, heads that divide over a cluster", () => {
  for (let size = 1e6; size < 1e13; size *= 2.7) {
    const config = shapeFor(size);
    expect(Math.abs(parameterCount(config) / size - 1)).toBeLessThan(0.1);
    if (size > 2e10) expect(config.nHeads % 8).toBe(0);
  }
  expect(shapeFor(5e4, 300).vocabSize).toBe(300);
  expect(shapeFor(6.7e9)).toMatchObject({ dim: 4096, nLayers: 32, nHeads: 32 });
  expect(() => shapeFor(10)).toThrow(/10 parameters are no size to plan for/);
  expect(() => shapeFor(1e14)).toThrow(/no size/);
});
