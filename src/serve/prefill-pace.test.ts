import { describe, expect, test } from "vitest";
import { PrefillPace } from "./prefill-pace.ts";

interface Times {
  /** Seconds of a pass that only writes. */
  readonly alone: number;
  /** Seconds that a row of a prompt adds. */
  readonly perRow: number;
  readonly texts?: number;
}

/** A machine whose passes take some time, and each row of a prompt more, while texts are written: first alone, then beside a long prompt. */
function machine({ alone, perRow, texts = 1 }: Times) {
  const model = { counts: { rows: 0, passes: 0 }, mixedRows: 64 };
  const pace = new PrefillPace(model);
  for (let i = 0; i < texts; i++) pace.begin();
  let [seconds, before] = [0, pace.mark(0)];
  const step = (promptRows: number) => {
    const took = alone + promptRows * perRow;
    model.counts = { rows: model.counts.rows + texts + promptRows, passes: model.counts.passes + 1 };
    seconds += took;
    const now = pace.mark(seconds);
    pace.next(before, now);
    before = now;
    return took;
  };
  return { model, step };
}

describe("a pass with a prompt's rows beside texts", () => {
  test.each<[Times, number, string]>([
    [{ alone: 0.004, perRow: 0.0004 }, 16, "as few rows as there may be, where they take longer than is wanted"],
    [{ alone: 0.01, perRow: 0.0001 }, 150, "2.5 times as long as one without"],
    [{ alone: 0.1, perRow: 0.001 }, 50, "150 ms"],
    [{ alone: 0.03, perRow: 0.000_01 }, 512, "as many rows as a pass has"],
    [{ alone: 0.01, perRow: 0.0001, texts: 20 }, 150, "the rows of all texts come on top"],
  ])("%j: %i rows, %s", (what, rows) => {
    const { model, step } = machine(what);
    for (let i = 0; i < 40; i++) step(0);
    for (let i = 0; i < 60; i++) step(model.mixedRows - (what.texts ?? 1));
    const expected = Math.min(512, rows + (what.texts ?? 1));
    expect(model.mixedRows).toBeGreaterThanOrEqual(expected - 1);
    expect(model.mixedRows).toBeLessThanOrEqual(expected);
  });

  test("takes 150 ms where nothing was written alone yet", () => {
    const { model, step } = machine({ alone: 0.01, perRow: 0.001 });
    for (let i = 0; i < 60; i++) step(model.mixedRows - 1);
    expect(step(model.mixedRows - 1)).toBeLessThanOrEqual(0.15);
    expect(model.mixedRows).toBeGreaterThan(100);
  });
});
