import { expect, test } from "vitest";
import { loadGoldens } from "../model/goldens.test.helper.ts";
import { learningRateAt } from "./schedule.ts";

test("the learning rates are those of the goldens", () => {
  const { training } = loadGoldens()[0]!;
  const schedule = {
    steps: training.totalSteps,
    warmupSteps: training.warmupSteps,
    peak: training.peakLearningRate,
    final: training.minLearningRate,
  };
  training.learningRates.forEach((rate, step) => {
    expect(learningRateAt(step, schedule)).toBeCloseTo(rate, 15);
  });
});

test("without warm-up the first step has the peak, and the last comes near the end of the cosine", () => {
  const schedule = { steps: 1000, warmupSteps: 0, peak: 1, final: 0.1 };
  expect(learningRateAt(0, schedule)).toBe(1);
  expect(learningRateAt(500, schedule)).toBeCloseTo(0.55, 12);
  expect(learningRateAt(999, schedule)).toBeCloseTo(0.1, 5);
  expect(learningRateAt(0, { ...schedule, steps: 1 })).toBe(1);
});

test("a run may be all warm-up; a step outside is refused", () => {
  const schedule = { steps: 4, warmupSteps: 4, peak: 8, final: 0.8 };
  expect([0, 1, 2, 3].map((step) => learningRateAt(step, schedule))).toEqual([2, 4, 6, 8]);
  expect(() => learningRateAt(4, schedule)).toThrow("[train] step 4 is outside the schedule of 4 steps");
});
