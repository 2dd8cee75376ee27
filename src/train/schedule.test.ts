import { expect, test } from "vitest";
import { loadGoldens } from "../model/goldens.test.helper.ts";
import { lastSegment, learningRateAt, plansAfter, type Schedule } from "./schedule.ts";

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

/** The rates of a run that is given the lengths in turn, each at the step that stands with it. */
function ratesOf(begun: Schedule, changes: readonly (readonly [step: number, steps: number])[]) {
  let schedule = begun;
  const rates: number[] = [];
  for (const [step, steps] of [...changes, [undefined, undefined] as const]) {
    for (let i = rates.length; i < (step ?? schedule.steps); i++) rates.push(learningRateAt(i, schedule));
    if (step !== undefined) schedule = { ...schedule, steps, earlierPlans: plansAfter(step, steps, schedule) };
  }
  return { rates, schedule };
}

const begun: Schedule = { steps: 400, warmupSteps: 20, peak: 1, final: 0.1 };

test("a run that becomes longer keeps the rates of what is done, goes on without a jump, and ends low", () => {
  for (const [step, steps] of [
    [400, 800],
    [400, 500],
    [400, 4000],
    [150, 800],
    [399, 401],
    [300, 350],
  ] as const) {
    const { rates, schedule } = ratesOf(begun, [[step, steps]]);
    expect(rates.slice(0, step)).toEqual(Array.from({ length: step }, (_, i) => learningRateAt(i, begun)));
    const { top, from, warmupSteps } = lastSegment(schedule)!;
    expect(from).toBe(rates[step - 1]);
    expect(Math.max(...rates.slice(step))).toBeCloseTo(top, 12);
    const largest = Math.max(...rates.slice(step).map((rate, i) => rate - rates[step + i - 1]!));
    expect(largest).toBeLessThanOrEqual(1.0001 * Math.max(0, (top - from) / Math.max(1, warmupSteps)));
    if (steps - step > 20) expect(rates.at(-1)).toBeLessThan(0.11);
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(0.05);
  }
});

test("twice as long warms up to the peak again, a little longer only in part, and from a high rate there is no warm-up", () => {
  const segment = (step: number, steps: number) => lastSegment(ratesOf(begun, [[step, steps]]).schedule);
  expect(segment(400, 800)).toMatchObject({ step: 400, top: 1, warmupSteps: 20, from: expect.closeTo(0.1, 4) });
  expect(segment(400, 500)).toMatchObject({ top: 0.5, warmupSteps: 5 });
  expect(segment(380, 400)).toBeUndefined();
  expect(segment(30, 35)).toMatchObject({ warmupSteps: 0, from: segment(30, 35)!.top });
});

test("in the first warm-up the rate does not depend on the length, so it just goes on", () => {
  const { rates, schedule } = ratesOf(begun, [[10, 800]]);
  expect(schedule.earlierPlans).toEqual([]);
  expect(rates).toEqual(Array.from({ length: 800 }, (_, i) => learningRateAt(i, { ...begun, steps: 800 })));
});

test("a run may change its length again and again, also twice in one step, and may become shorter", () => {
  const { rates, schedule } = ratesOf(begun, [
    [400, 800],
    [600, 1200],
    [600, 700],
    [650, 900],
  ]);
  expect(schedule.earlierPlans).toEqual([
    { steps: 400, until: 400 },
    { steps: 800, until: 600 },
    { steps: 700, until: 650 },
  ]);
  expect(rates).toEqual(Array.from({ length: 900 }, (_, i) => learningRateAt(i, schedule)));
  expect(rates.slice(400, 600)).toEqual(ratesOf(begun, [[400, 800]]).rates.slice(400, 600));
  expect(
    ratesOf(begun, [
      [400, 800],
      [400, 400],
    ]).schedule.earlierPlans,
  ).toEqual([]);
});
