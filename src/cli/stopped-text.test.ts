import { expect, test } from "vitest";
import { type Stopped, stoppedText } from "./stopped-text.ts";

const text = (stopped: Stopped) => stoppedText({ cria: "cria", demo: "cria demo" }, "run", stopped);

test("what is saved is said as it is", () => {
  const saved = { step: 72, steps: 100, savedStep: 72, checkpoint: "run/checkpoints/step-000072" };
  const goOn = "; go on with: cria train run --resume";
  expect(text(saved)).toBe(`stopped at step 72 of 100, saved${goOn}`);
  expect(text({ ...saved, savedStep: 69 })).toBe(`stopped at step 72 of 100, where the loss was too high to save; saved is step 69${goOn}`);
  expect(text({ step: 0, steps: 100, savedStep: 0, checkpoint: undefined })).toBe(
    "stopped before the first of 100 steps; begin with: cria train run --resume",
  );
  expect(text({ ...saved, savedStep: 0, checkpoint: undefined })).toBe(
    `stopped at step 72 of 100, where the loss was too high to save; no checkpoint was made before; begin anew with: cria train run --resume`,
  );
});
