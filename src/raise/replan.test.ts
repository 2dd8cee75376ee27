import { expect, test } from "vitest";
import { replannedSteps } from "./replan.ts";

test("a run that goes as planned stays as it is, within a tolerance", () => {
  expect(replannedSteps({ step: 100, steps: 1000, pace: 0.1, left: 90 }, 1e9)).toBeUndefined();
  expect(replannedSteps({ step: 100, steps: 1000, pace: 0.104, left: 90 }, 1e9)).toBeUndefined();
  expect(replannedSteps({ step: 100, steps: 1000, pace: 0.075, left: 90 }, 1e9)).toBeUndefined();
});

test("on a machine that became slower it gets the steps that fit, less what planning anew costs", () => {
  expect(replannedSteps({ step: 100, steps: 1000, pace: 0.2, left: 90 }, 1e9)).toBe(100 + 440);
  expect(replannedSteps({ step: 900, steps: 1000, pace: 0.2, left: 10 }, 1e9)).toBe(900 + 40);
  expect(replannedSteps({ step: 900, steps: 1000, pace: 5, left: -3 }, 1e9)).toBe(901);
});

test("on one that became faster it gets more, in its first half, and never more than teach something", () => {
  expect(replannedSteps({ step: 100, steps: 1000, pace: 0.05, left: 90 }, 1e9)).toBe(100 + 1760);
  expect(replannedSteps({ step: 100, steps: 1000, pace: 0.05, left: 90 }, 1200)).toBe(1200);
  expect(replannedSteps({ step: 100, steps: 1000, pace: 0.05, left: 90 }, 1000)).toBeUndefined();
  expect(replannedSteps({ step: 400, steps: 1000, pace: 0.02, left: 90 }, 1e9)).toBeUndefined();
});
