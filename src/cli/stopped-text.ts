// What people read when a run was stopped: where it stands, what is saved, and how to go on.
import type { TrainSummary } from "../runs/index.ts";
import type { CommandIo } from "./command.ts";
import { type Caller, callAgain } from "./hints.ts";
import { OutputClosed } from "./interrupt.ts";

/** What is told of a run that was stopped. */
export type Stopped = Pick<TrainSummary, "step" | "steps" | "savedStep" | "checkpoint">;

/** Prints on stdout, unless the run was stopped because stdout takes nothing more. */
export function printStopped({ signal, stdout, stderr }: CommandIo, text: string): void {
  if (signal.reason instanceof OutputClosed) stderr(text);
  else stdout(text);
}

/** A sentence on where a stopped run stands, and the command that goes on with it. */
export function stoppedText(caller: Caller, folder: string, stopped: Stopped): string {
  const { step, steps, savedStep, checkpoint } = stopped;
  const again = callAgain(caller, "train", folder, "--resume");
  if (checkpoint === undefined && step === 0) return `stopped before the first of ${steps} steps; begin with: ${again}`;
  const head = `stopped at step ${step} of ${steps}`;
  if (savedStep === step) return `${head}, saved; go on with: ${again}`;
  const bad = `${head}, where the loss was too high to save`;
  if (checkpoint === undefined) return `${bad}; no checkpoint was made before; begin anew with: ${again}`;
  return `${bad}; saved is step ${savedStep}; go on with: ${again}`;
}
