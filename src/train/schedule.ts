// The learning rate by step: linear warm-up, then half a cosine (Loshchilov & Hutter 2017, arXiv 1608.03983) that ends at a tenth of the peak
// (LLaMA, section 2.3).
import { check } from "../base/index.ts";

export interface Schedule {
  /** Steps of the whole run. */
  readonly steps: number;
  readonly warmupSteps: number;
  /** Learning rate after the warm-up, and what the cosine falls to. */
  readonly peak: number;
  readonly final: number;
}

/** Of step 0, 1, …; the last warm-up step has the peak, and `final` would be reached at step `steps`. @throws CriaError for a step outside the run. */
export function learningRateAt(step: number, { steps, warmupSteps, peak, final }: Schedule): number {
  check(step >= 0 && step < steps, "train", () => `step ${step} is outside the schedule of ${steps} steps: raise steps`);
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  const progress = (step - warmupSteps) / (steps - warmupSteps);
  return final + 0.5 * (peak - final) * (1 + Math.cos(Math.PI * progress));
}
