import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { presets } from "../model/index.ts";
import { completeRecipe, parseRecipe, recipeChanges } from "./recipe.ts";

const least = { data: "data", tokenizer: "tokenizer.json", model: { preset: "1M" }, steps: 100 };
const whole = (changes: object, vocabSize = 2048) => completeRecipe(parseRecipe({ ...least, ...changes }, "test"), vocabSize);

test("the defaults are the paper's, scaled to a short run", () => {
  expect(whole({})).toMatchObject({
    model: presets["1M"],
    ...{ steps: 100, warmupSteps: 5, batch: 8, accumulation: 1, length: 256, finalShare: 0.1 },
    ...{ beta1: 0.9, beta2: 0.95, decay: 0.1, clipNorm: 1, seed: 0 },
  });
  expect(whole({ steps: 1e6 }).warmupSteps).toBe(2000);
});

test("tokens are steps, rounded up; the vocabulary is the tokenizer's; a preset's parts may be changed", () => {
  expect(whole({ steps: undefined, tokens: 10_001, batch: 5, accumulation: 2, length: 100 }).steps).toBe(11);
  expect(whole({ model: { preset: "1M", norm: "layer" } }, 999).model).toEqual({ ...presets["1M"], vocabSize: 999, norm: "layer" });
  expect(whole({ model: { dim: 48, nLayers: 1, nHeads: 3 } }).model).toMatchObject({ nKvHeads: 3, hiddenDim: 256 });
});

test.each([
  [{ steps: "4q" }, 'steps is "4q": it must be a finite number'],
  [{ steps: "1.5" }, 'steps is "1.5": it must be a whole number'],
  [{ steps: "0" }, 'steps is "0": it must be at least 1'],
  [{ steps: true }, "steps is true: it must be a finite number"],
  [{ seed: "5G" }, 'seed is "5G": it must be at most 4294967295'],
  [{ length: "8k" }, 'length is "8k": "k" may stand for 1000 or 1024 here: write 8000 or 8192'],
  [{ model: { preset: "1M", vocabSize: "32K" } }, 'model.vocabSize is "32K": "K" may stand for 1000 or 1024 here: write 32000 or 32768'],
])("%j is refused", (changes, message) => {
  expect(() => whole(changes)).toThrow(`[train] test: ${message}`);
});

test("a scaling of RoPE is written and read again; an earlier recipe's factor means linear scaling, or none", async () => {
  const scaled = (model: object) => whole({ model: { preset: "1M", ...model } });
  const factors = Array.from({ length: 16 }, (_, i) => 1 + i / 8);
  for (const ropeScaling of [
    { type: "default" },
    { type: "linear", factor: 2 },
    { type: "dynamic", factor: 2, originalLength: 128 },
    { type: "yarn", factor: 4, originalLength: 64, betaFast: 16, mscale: 1, mscaleAllDim: 0, truncate: false },
    { type: "longrope", originalLength: 64, shortFactors: factors, longFactors: factors, attentionFactor: 1.2 },
    { type: "llama3", factor: 8, originalLength: 64, lowFrequencyFactor: 1, highFrequencyFactor: 4 },
  ]) {
    const { model } = scaled({ ropeScaling });
    expect(model.ropeScaling).toEqual(ropeScaling);
    expect(whole({ model: parse(stringify(model)) }).model).toEqual(model);
  }
  expect(scaled({ ropeFactor: 2.5 })).toEqual(scaled({ ropeScaling: { type: "linear", factor: 2.5 } }));
  expect(recipeChanges(scaled({ ropeFactor: 1 }), scaled({}))).toEqual([]);
  expect(recipeChanges(scaled({}), scaled({ ropeFactor: 2 }))).toEqual([
    { key: "model.ropeScaling.type", before: "default", now: "linear" },
    { key: "model.ropeScaling.factor", before: undefined, now: 2 },
  ]);
});

test.each([
  [{ ropeFactor: 2, ropeScaling: { type: "linear", factor: 2 } }, "it has both ropeScaling and ropeFactor: omit ropeFactor"],
  [
    { ropeScaling: { type: "yarm" } },
    'model.ropeScaling.type is "yarm": it must be one of default, linear, dynamic, yarn, longrope, llama3',
  ],
  [
    { ropeScaling: { type: "yarn", factor: 2, originalLength: 64, betafast: 3 } },
    'unknown key "betafast" in model.ropeScaling, did you mean "betaFast"?',
  ],
])("a scaling that recipes do not know is refused: %j", (model, message) => {
  expect(() => whole({ model: { preset: "1M", ...model } })).toThrow(message);
});

test.each([
  [
    { positions: "none", ropeScaling: { type: "linear", factor: 2 } },
    "model.ropeScaling is linear but model.positions is none, which has no RoPE to scale: omit ropeScaling",
  ],
  [
    { positions: "learned", ropeFactor: 2 },
    "model.ropeScaling is linear but model.positions is learned, which has no RoPE to scale: omit ropeScaling",
  ],
  [
    { contextLength: 64, slidingWindow: 65 },
    "model.slidingWindow is 65 but model.contextLength is 64, so that no window is ever full: omit slidingWindow or choose a smaller one",
  ],
  [{ preset: "260K", nHeads: 6 }, "model.nHeads is 6, which is not a multiple of the 4 heads of keys and values of the preset 260K"],
])("a part of which nothing would be computed, or which the recipe does not name, is refused by name: %j", (model, message) => {
  expect(() => whole({ model: { preset: "1M", ...model } })).toThrow(message);
});

test("fewer steps than a warm-up that the recipe has are refused with what to set", () => {
  expect(() => whole({ steps: 40, warmupSteps: 100 })).toThrow(
    "the run has 40 steps, but the recipe's warm-up takes 100 (warmupSteps): set warmupSteps to 2 or so, too",
  );
  expect(whole({ steps: 40 }).warmupSteps).toBe(2);
});

test("what is next to those is taken", () => {
  const model = (parts: object) => whole({ model: { preset: "1M", ...parts } }).model;
  expect(model({ positions: "none", ropeFactor: 1 }).ropeScaling).toEqual({ type: "default" });
  expect(model({ contextLength: 64, slidingWindow: 64 }).slidingWindow).toBe(64);
  expect(model({ preset: "260K", nHeads: 16 }).nKvHeads).toBe(4);
  expect(() => model({ nHeads: 8, nKvHeads: 3 })).toThrow("nHeads 8 is not a multiple of nKvHeads 3");
});

test("changes are those that change numbers", () => {
  const changed = whole({ seed: 3, threads: 2, data: "elsewhere", model: { preset: "1M", ropeTheta: 5e5 } });
  expect(recipeChanges(whole({}), changed)).toEqual([
    { key: "model.ropeTheta", before: 10000, now: 500000 },
    { key: "seed", before: 0, now: 3 },
  ]);
});

test("heads are as wide as the sizes that are given say, unless a width is given", () => {
  const headDim = (model: object) => whole({ model }).model.headDim;
  expect(headDim({ preset: "1M" })).toBe(32);
  expect(headDim({ preset: "1M", nHeads: 8, nKvHeads: 8 })).toBe(16);
  expect(headDim({ preset: "1M", nHeads: 8, nKvHeads: 8, headDim: 32 })).toBe(32);
  expect(headDim({ dim: 64, nLayers: 1, nHeads: 4 })).toBe(16);
});

test("a recipe without keys of the model that came later means their defaults", () => {
  const recipe = whole({});
  const { headDim, qkvBias, attentionOutputBias, ffnBias, qkNorm, ...earlier } = recipe.model;
  expect(recipeChanges({ ...recipe, model: earlier as typeof recipe.model }, recipe)).toEqual([]);
});
