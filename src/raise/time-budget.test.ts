import { expect, test } from "vitest";
import { UsageError } from "../base/index.ts";
import { checkTime, TimeBudget, trainingSeconds } from "./time-budget.ts";

function budget(seconds: number, spent: number) {
  return new TimeBudget(seconds, 1000, () => 1000 + 1000 * spent);
}

test("a budget counts from when it began, by the clock it is given", () => {
  let now = 5000;
  const clock = new TimeBudget(60, 2000, () => now);
  expect([clock.spent, clock.left]).toEqual([3, 57]);
  now = 70_000;
  expect(clock.left).toBe(-8);
});

test("too short a time for the text is said before any work, with one that would do", () => {
  expect(() => checkTime(budget(60, 1), 5.8e6, "demo")).not.toThrow();
  const refused = () => checkTime(budget(12, 1), 18e6, "demo");
  expect(refused).toThrow(UsageError);
  expect(refused).toThrow("[demo] minutes is 0.2, but reading 18.0 MB of text, a tokenizer, evaluation and samples take about 19 s");
  const enough = Number(/give at least ([\d.]+)$/.exec(String(refusalOf(refused)))![1]);
  expect(() => checkTime(budget(60 * enough, 1), 18e6, "demo")).not.toThrow();
});

test("what is left for training leaves out what comes behind it; too little is refused before training", () => {
  expect(trainingSeconds(budget(60, 15), "demo")).toBe(40);
  const refused = () => trainingSeconds(budget(30, 25), "demo");
  expect(refused).toThrow(UsageError);
  expect(refused).toThrow(/minutes is 0.5, but 25 s went into text and tokenizer and about 5 s are for samples: give at least 0.8/);
});

function refusalOf(job: () => void): unknown {
  try {
    job();
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
}
