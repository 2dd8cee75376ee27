import { expect, test } from "vitest";
import { changesOf, expectSameRun, openRuns } from "./resume.test.helper.ts";

test("however a run that is made longer twice is stopped, its rates, losses and weights are those of one that was not", async () => {
  const runs = await openRuns();
  try {
    const whole = await runs.copy("whole");
    await runs.resume("whole", "--set", "steps=60");
    await runs.resume("whole", "--set", "steps=70");
    const pieces = await runs.copy("pieces");
    await runs.resumeAndDie("pieces", 47, "--set", "steps=60"); // no checkpoint says 60 yet
    await runs.resumeAndDie("pieces", 53, "--set", "threads=2");
    expect(await runs.resume("pieces")).toMatchObject({ code: 0, stderr: "" });
    // What --set says stays in train.yaml, so that it is taken back for the comparison.
    await runs.resumeAndDie("pieces", 69, "--set", "steps=70", "--set", "threads=1");
    expect((await runs.resume("pieces")).code).toBe(0);
    await expectSameRun(pieces, whole, "step-000070");
    expect((await changesOf(pieces)).length).toBe(2);
  } finally {
    await runs.close();
  }
});
