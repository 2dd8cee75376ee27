// What people read when a run was stopped: where it stands, what is saved, and how to go on.
import type { TrainSummary } from "../train/index.ts";

export type Stopped = Pick<TrainSummary, "step" | "steps" | "savedStep" | "checkpoint">;

export function stoppedText(folder: string, stopped: Stopped): string {
  return `stopped at step ${stopped.step} of ${stopped.steps}, ${describeSaved(stopped)}; go on with: npx cria train ${folder} --resume`;
}

function describeSaved({ step, savedStep, checkpoint }: Stopped): string {
  if (savedStep === step) return "saved";
  const saved = checkpoint === undefined ? "no checkpoint was made before, so it begins anew" : `saved is step ${savedStep}`;
  return `where the loss was too high to save; ${saved}`;
}
