import { expect, test } from "vitest";
import { planMemory } from "../graph/index.ts";
import { preset } from "../model/index.ts";
import { gatherGraph, hyperValues, llamaAdamw as settings, stepGraph } from "./step-graphs.ts";

test.each([
  { recompute: false, most: 0.6 },
  { recompute: true, most: 0.35 },
])("activations of the 15M step are planned within $most of their sum, recompute $recompute", ({ recompute, most }) => {
  const { graph } = stepGraph(preset("15M"), { batch: 8, length: 256, recompute }, settings);
  const without = stepGraph(preset("15M"), { batch: 8, length: 256, recompute: false }, settings);
  const { activations } = planMemory(graph);
  expect(activations.arenaBytes / planMemory(without.graph).activations.sumBytes).toBeLessThan(most);
});

test("gathered gradients die as soon as they are added", () => {
  const size = { batch: 1, length: 8, recompute: false };
  const [step, gather] = [stepGraph(preset("260K"), size, settings), gatherGraph(preset("260K"), size, false)];
  expect(planMemory(gather.graph).arenaBytes).toBeLessThan(planMemory(step.graph).arenaBytes / 2);
});

test("hyper values are float32 numbers, without clipping too", () => {
  const values = hyperValues({ learningRate: 0.5, step: 1, batches: 4, clipNorm: Number.POSITIVE_INFINITY }, settings);
  expect([...values].every(Number.isFinite)).toBe(true);
  expect([...values.slice(0, 4)]).toEqual([0.5, Math.fround(1 / (1 - 0.9)), Math.fround(1 / (1 - 0.95)), 0.25]);
});
