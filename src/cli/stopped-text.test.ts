import { expect, test } from "vitest";
import { stoppedText } from "./stopped-text.ts";

test("what is saved is said as it is", () => {
  const saved = { step: 72, steps: 100, savedStep: 72, checkpoint: "run/checkpoints/step-000072" };
  const goOn = "; go on with: npx cria train run --resume";
  expect(stoppedText("run", saved)).toBe(`stopped at step 72 of 100, saved${goOn}`);
  expect(stoppedText("run", { ...saved, savedStep: 69 })).toBe(
    `stopped at step 72 of 100, where the loss was too high to save; saved is step 69${goOn}`,
  );
  expect(stoppedText("run", { ...saved, savedStep: 0, checkpoint: undefined })).toBe(
    `stopped at step 72 of 100, where the loss was too high to save; no checkpoint was made before, so it begins anew${goOn}`,
  );
});
