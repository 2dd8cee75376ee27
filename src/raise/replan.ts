// Whether a run will end when it should, and with how many steps it would: machines change their speed in the middle of a run.

/** Where a run stands in its time. */
export interface Progress {
  /** Optimiser steps done, and all that are planned. */
  readonly step: number;
  readonly steps: number;
  /** Seconds per step of late, everything between two steps included. */
  readonly pace: number;
  /** Seconds that are left for training. */
  readonly left: number;
}

/** A run may end so much later than it should, as a share of what is left, before it is planned anew; and so much earlier. */
const tolerance = { late: 0.05, early: 0.3 };
/** Seconds that a run loses when it is stopped, saved, and goes on. */
const restartSeconds = 2;
/** The share of its steps behind which a run gets no more of them: its learning rate has begun to fall, and would have to rise again. */
const lastExtension = 0.3;

/**
 * The steps that a run should have in all, when it would end too late or too early as it is; undefined when it is well planned.
 * @param mostSteps more would teach nothing
 */
export function replannedSteps({ step, steps, pace, left }: Progress, mostSteps: number): number | undefined {
  const ahead = (steps - step) * pace;
  const isLate = ahead > left * (1 + tolerance.late) + restartSeconds;
  const isEarly = ahead < left * (1 - tolerance.early) - restartSeconds && step <= lastExtension * steps && steps < mostSteps;
  if (!isLate && !isEarly) return undefined;
  const fitting = step + Math.max(1, Math.floor((left - restartSeconds) / pace));
  const planned = Math.min(fitting, mostSteps);
  return planned === steps ? undefined : planned;
}
