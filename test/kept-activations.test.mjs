// The formula of kept activations, which plans rest on, against what the graphs of training keep.
import { expect, test } from "vitest";
import { planMemory } from "../dist/graph/index.js";
import { llamaConfig } from "../dist/model/index.js";
import { layerActivations } from "../dist/plan/index.js";
import { llamaAdamw as adamw, stepGraph } from "../dist/train/index.js";

const size = { batch: 1, length: 512 };
const sizes = { vocabSize: 32, dim: 64, nHeads: 4, nKvHeads: 2, hiddenDim: 96, contextLength: 512 };

test.each([
  {},
  { qkNorm: true },
  { headDim: 32, nKvHeads: 4 },
  { activation: "relu" },
  { qkvBias: true, attentionOutputBias: true, ffnBias: true, qkNorm: true },
])("a layer keeps what the formula says: %o", (parts) => {
  const config = (nLayers) => llamaConfig({ ...sizes, ...parts, nLayers });
  for (const [recompute, kept] of [
    [false, "all"],
    [true, "linear"],
  ]) {
    const bytes = (nLayers) => planMemory(stepGraph(config(nLayers), { ...size, recompute }, adamw).graph).activations.arenaBytes;
    expect((bytes(6) - bytes(4)) / 2 / 4 / size.length, kept).toBe(layerActivations(config(1), kept));
  }
});
