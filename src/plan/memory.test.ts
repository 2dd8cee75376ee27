import { expect, test } from "vitest";
import { llamaConfig, parameterCount, preset, presets } from "../model/index.ts";
import {
  activationBytes,
  attentionFlopsPerToken,
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

test("heads of another width and windows count where they are computed", () => {
  const wide = { ...config7, headDim: 2 * config7.headDim };
  const width = config7.nHeads * config7.headDim;
  expect(layerActivations(wide, "all") - layerActivations(config7, "all")).toBe(4 * width); // q, k, v and attention's output
  for (const kept of ["all", "linear"] as const)
    expect(layerActivations({ ...wide, qkNorm: true }, kept) - layerActivations(wide, kept)).toBe(4 * width); // q and k before their norms
  expect(parameterCount(wide) - parameterCount(config7)).toBe(config7.nLayers * 4 * config7.dim * width);
  expect(kvCacheBytes(wide, 2048, 2)).toBe(2 * kvCacheBytes(config7, 2048, 2));
  expect(attentionFlopsPerToken(wide, 2048)).toBe(2 * attentionFlopsPerToken(config7, 2048));
  expect(trainingFlopsPerToken(config7, 2048)).toBe(6 * parameterCount(config7) + 12 * config7.nLayers * config7.dim * 2048);
  const slidingLayers = Array.from({ length: config7.nLayers }, (_, layer) => layer % 2 === 0);
  const windows = { ...config7, slidingWindow: 512, slidingLayers };
  expect(attentionFlopsPerToken(windows, 2048)).toBe((attentionFlopsPerToken(config7, 2048) * (1 + 1 / 4)) / 2);
  expect(attentionFlopsPerToken(windows, 100)).toBe(attentionFlopsPerToken(config7, 100));
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
