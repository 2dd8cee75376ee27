import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { LossWatch, spikeRule } from "./loss-watch.ts";

/** Losses that fall from 8 to 3 with noise, as training's do. */
function falling(steps: number, noise: number): number[] {
  const rng = new Rng(1);
  return Array.from({ length: steps }, (_, i) => 3 + 5 * Math.exp(-i / 60) + noise * rng.normal());
}

test.each([0, 0.02, 0.3])("losses that fall, with noise %d, are no spike", (noise) => {
  const watch = new LossWatch(true);
  falling(600, noise).forEach((loss, step) => {
    watch.see(step, loss, 1);
  });
  expect(watch.bad).toBe(0);
});

test("one odd batch is suspicious and forgiven; a loss that stays up is a spike", () => {
  const watch = new LossWatch(true);
  falling(200, 0.05).forEach((loss, step) => {
    watch.see(step, loss, 1);
  });
  watch.see(200, 9, 1);
  expect(watch.bad).toBe(1);
  watch.see(201, 3.2, 1);
  expect(watch.bad).toBe(0);
  for (let i = 1; i < spikeRule.patience; i++) watch.see(201 + i, 9, 1);
  expect(() => watch.see(205, 9, 1)).toThrow(/step 205: the loss is 9\.000, and 4 times in a row above \d\.\d+/);
});

test("a run that goes on in the middle of a spike counts on where it stopped", () => {
  const watch = new LossWatch(true);
  watch.replay([...falling(200, 0.05), ...Array(spikeRule.patience - 1).fill(9)]);
  expect(watch.bad).toBe(spikeRule.patience - 1);
  expect(() => watch.see(204, 9, 1)).toThrow("4 times in a row above");
});

test("a spike may be borne, what is no number never", () => {
  const watch = new LossWatch(false);
  for (let step = 0; step < 64; step++) watch.see(step, 2, 1);
  for (let step = 64; step < 80; step++) watch.see(step, 20, 1);
  expect(watch.bad).toBe(0);
  expect(() => watch.see(80, Number.NaN, 1)).toThrow("[train] step 80: the loss is NaN and the gradient norm 1 but both must be finite");
  expect(() => watch.see(81, 1, Number.POSITIVE_INFINITY)).toThrow("the gradient norm Infinity but");
  expect(watch.bad).toBe(2);
});
