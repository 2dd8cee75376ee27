import { expect, test } from "vitest";
import { PrefillPace } from "./prefill-pace.ts";

/** A machine on which a pass takes some time and each of its rows more, while a text is written beside a long prompt. */
function paced(secondsPerPass: number, secondsPerRow: number, steps: number): number {
  const model = { counts: { rows: 0, passes: 0 }, mixedRows: 64 };
  const pace = new PrefillPace(model);
  let [seconds, before] = [0, pace.mark(0)];
  for (let i = 0; i < steps; i++) {
    const rows = 1 + model.mixedRows;
    model.counts = { rows: model.counts.rows + rows, passes: model.counts.passes + 1 };
    seconds += secondsPerPass + rows * secondsPerRow;
    const now = pace.mark(seconds);
    pace.next(before, now);
    before = now;
  }
  return model.mixedRows;
}

test("a pass comes to take the wanted time, within what a pass may have", () => {
  const rows = paced(0.02, 0.001, 200);
  expect(0.02 + rows * 0.001).toBeGreaterThan(0.12);
  expect(0.02 + rows * 0.001).toBeLessThanOrEqual(0.151);
  expect(paced(0.001, 0.000_01, 200)).toBe(512);
  expect(paced(1, 0.1, 200)).toBe(16);
});

test("passes in which texts are only written say nothing", () => {
  const model = { counts: { rows: 0, passes: 0 }, mixedRows: 64 };
  const pace = new PrefillPace(model);
  const before = pace.mark(0);
  model.counts = { rows: 3, passes: 1 };
  pace.next(before, pace.mark(5));
  expect(model.mixedRows).toBe(64);
});
