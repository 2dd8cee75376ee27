import { describe, expect, test } from "vitest";
import { type Golden, goldenWeights, loadGoldens } from "./goldens.test.helper.ts";

const goldens = loadGoldens();

test("every exchangeable part has a golden", () => {
  const used = (read: (golden: Golden) => unknown) => [...new Set(goldens.map(read))].sort();
  const activations = ["bilinear", "geglu", "gegluTanh", "gelu", "geluTanh", "glu", "reglu", "relu", "swiglu", "swish"];
  expect(used((g) => g.config.activation)).toEqual(activations);
  expect(used((g) => g.config.positions)).toEqual(["learned", "none", "rope", "sinusoidal"]);
  expect(used((g) => g.config.ropePairing)).toEqual(["half", "neighbours"]);
  expect(used((g) => `${g.config.norm} ${g.config.normPlacement}`)).toEqual(["layer post", "layer pre", "rms post", "rms pre"]);
  expect(used((g) => g.config.ropeScaling.type)).toEqual(["default", "linear"]);
  expect(used((g) => g.config.tiedOutput)).toEqual([false, true]);
  expect(used((g) => g.targets.flat().includes(-1))).toEqual([false, true]);
  expect(goldens.some((g) => g.config.nKvHeads === 1 && g.config.nHeads > 1)).toBe(true);
  expect(goldens.some((g) => g.config.nKvHeads > 1 && g.config.nKvHeads < g.config.nHeads)).toBe(true);
});

describe.each(goldens.map((golden) => ({ name: golden.name, golden })))("golden $name", ({ golden }) => {
  test("holds as many numbers as its sizes say", () => {
    const { config, tokens, targets, logits, training, generation } = golden;
    expect(tokens.map((row) => row.length)).toEqual(targets.map((row) => row.length));
    expect(Math.max(...tokens.map((row) => row.length))).toBeLessThanOrEqual(config.contextLength);
    expect(logits.length).toBe(tokens.flat().length * config.vocabSize);
    expect([training.losses, training.gradientNorms, training.learningRates].map((list) => list.length)).toEqual([10, 10, 10]);
    expect(training.losses[0]).toBeCloseTo(golden.loss, 12);
    expect(generation.margins.length).toBe(generation.tokens.length);
  });

  test("its weights follow from the formula", () => {
    const weights = goldenWeights(golden);
    expect([...weights.keys()]).toEqual(golden.parameters.map((row) => row.name));
    for (const { name, shape, first, sum, gradient } of golden.parameters) {
      const w = weights.get(name)!;
      expect(w.length, name).toBe(shape.reduce((product, n) => product * n, 1));
      expect(gradient.length, name).toBe(w.length);
      expect([...w.slice(0, 3)], name).toEqual(first);
      expect(Math.abs(w.reduce((total, value) => total + value, 0) - sum), name).toBeLessThan(1e-9);
    }
  });

  test("its logits give its loss", () => {
    expect(meanLoss(golden)).toBeCloseTo(golden.loss, 6);
  });
});

/** The mean cross-entropy of the stored logits, as the definition has it. */
function meanLoss({ config, logits, targets }: Golden): number {
  const losses = targets.flat().flatMap((target, i) => {
    if (target === -1) return [];
    const row = logits.subarray(i * config.vocabSize, (i + 1) * config.vocabSize);
    return [Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0)) - row[target]!];
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}
