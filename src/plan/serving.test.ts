import { expect, test } from "vitest";
import { parameterCount, preset } from "../model/index.ts";
import {
  breakEven,
  laws,
  life,
  lifeOf,
  lossOf,
  optimumForCompute,
  optimumForLoss,
  optimumForParameters,
  type ScalingLaw,
  servingOptimum,
  servingOptimumForCompute,
  tokensPerParameter,
} from "./index.ts";

test("Sardana et al.'s figure 1: at the loss of a compute-optimal 13B that serves 2T tokens, a 7B saves 17 %, 1.7e22 operations", () => {
  const theirs: ScalingLaw = { ...laws.hoffmann, alpha: 0.336, beta: 0.283 };
  const chinchilla = optimumForParameters(theirs, 13e9);
  const loss = lossOf(theirs, chinchilla);
  const [before, cheapest] = [life(chinchilla, 2e12), servingOptimum(theirs, loss, 2e12)];
  expect(cheapest.parameters / 1e9).toBeCloseTo(7, 1);
  expect((before.total - cheapest.total) / 1e22).toBeCloseTo(1.7, 1);
  expect((before.total - cheapest.total) / before.total).toBeCloseTo(0.17, 2);
  expect(lossOf(theirs, cheapest)).toBeCloseTo(loss, 9);
});

test("LLaMA-7B on 1T tokens is far beyond compute-optimal, and pays once it has served fewer tokens than it was trained on", () => {
  const model = { parameters: parameterCount(preset("7B")), tokens: 1e12 };
  expect(model.tokens / model.parameters / tokensPerParameter).toBeGreaterThan(7);
  for (const law of Object.values(laws)) {
    const loss = lossOf(law, model);
    expect(model.tokens / optimumForParameters(law, model.parameters).tokens).toBeGreaterThan(2);
    const { optimum, extra, served } = breakEven(law, model, loss);
    expect(optimum.parameters).toBeGreaterThan(1.4 * model.parameters);
    expect(extra).toBeGreaterThan(0);
    expect(served).toBeLessThan(1e12);
    const [small, large] = [0.99, 1.01].map((factor) => life(model, served * factor).total - life(optimum, served * factor).total);
    expect([Math.sign(small!), Math.sign(large!)]).toEqual([1, -1]);
  }
});

test("the more is served, the smaller the cheapest model; with nothing served it is the compute-optimal one", () => {
  const law = laws.besiroglu;
  const sizes = [0, 1e10, 1e12, 1e14].map((served) => servingOptimum(law, 2.1, served).parameters);
  expect(sizes[0]! / optimumForLoss(law, 2.1).parameters).toBeCloseTo(1, 9);
  expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
  const { parameters, total } = servingOptimum(law, 2.1, 1e12);
  for (const factor of [0.95, 1.05]) expect(lifeOf(law, parameters * factor, 2.1, 1e12)!.total).toBeGreaterThan(total);
});

test.each(Object.values(laws))(
  "$name: a budget buys the model with the cheapest life at its loss, and is not exceeded",
  (law: ScalingLaw) => {
    const flops = 1.23e22;
    const optimum = optimumForCompute(law, flops);
    for (const served of [1e9, 1e11, 2e12, 1e15]) {
      const found = servingOptimumForCompute(law, flops, served);
      expect(Math.abs(found.training / flops - 1)).toBeLessThan(1e-6);
      expect(found.parameters).toBeLessThan(optimum.parameters);
      const loss = lossOf(law, found);
      expect(loss).toBeGreaterThan(lossOf(law, optimum));
      for (const factor of [0.99, 1.01]) expect(lifeOf(law, found.parameters * factor, loss, served)!.total).toBeGreaterThan(found.total);
      expect(found.parameters / servingOptimum(law, loss, served).parameters).toBeCloseTo(1, 5);
    }
    for (const served of [0, 1]) {
      const found = servingOptimumForCompute(law, flops, served);
      expect(found.parameters / optimum.parameters).toBeCloseTo(1, 9);
      expect(found.tokens / optimum.tokens).toBeCloseTo(1, 9);
    }
  },
);

test("what no model reaches, and a model that is not smaller, are refused", () => {
  expect(() => servingOptimum(laws.besiroglu, 1.5, 1e12)).toThrow(/is not above 1\.8172/);
  expect(() => breakEven(laws.besiroglu, { parameters: 1e12, tokens: 1e12 }, 2)).toThrow(/are not fewer/);
  expect(lifeOf(laws.besiroglu, 1e6, 2, 1)).toBeUndefined();
});
