// The learning rate by step: linear warm-up, then half a cosine (Loshchilov & Hutter 2017, arXiv 1608.03983) that ends at a tenth of the peak
// (LLaMA, section 2.3).
//
// A run that is given another length goes on from the rate that it has: where that is low it warms up again, and falls along half a cosine to the new
// end (Ibrahim et al. 2024, "Simple and scalable strategies to continually pre-train large language models", arXiv 2403.08763). How far up follows from
// how much is still to come: the square root of the steps left over those done, as a share of the peak, at most all of it. docs/log/2026-11-28-longer-runs.md
// compares it with other shares, with staying low, and with the rate that a run of that length would have had.
import { check } from "../base/index.ts";
import type { EarlierPlan, TrainRecipe } from "./recipe.ts";

/** How the learning rate runs over a run's steps. */
export interface Schedule {
  /** Steps of the whole run. */
  readonly steps: number;
  readonly warmupSteps: number;
  /** Learning rate after the warm-up, and what the cosine falls to. */
  readonly peak: number;
  readonly final: number;
  /** Plans of other lengths that the run followed before, each until a step behind the one before's. */
  readonly earlierPlans?: readonly EarlierPlan[] | undefined;
}

/**
 * The learning rate of step 0, 1, …: the last step of a warm-up has the rate that it leads to, and `final` would be reached at step `steps`. It follows from the schedule
 * alone, however often the run was stopped.
 * @throws CriaError for a step outside the run
 */
export function learningRateAt(step: number, schedule: Schedule): number {
  const { steps, earlierPlans = [] } = schedule;
  check(step >= 0 && step < steps, "train", () => `step ${step} is outside the schedule of ${steps} steps: raise steps`);
  const before = earlierPlans.filter(({ until }) => until <= step);
  const plan = earlierPlans[before.length]?.steps ?? steps;
  const last = before.at(-1);
  if (last === undefined) return planned(step, { ...schedule, steps: plan });
  const { from, warmupSteps, top } = segmentAfter(last, before.slice(0, -1), plan, schedule);
  const done = step - last.until;
  if (done < warmupSteps) return from + ((top - from) * (done + 1)) / warmupSteps;
  const falling = { steps: plan - last.until - warmupSteps, warmupSteps: 0, peak: top, final: schedule.final };
  return planned(done - warmupSteps, falling);
}

/** How a run goes on behind its last change of length; undefined when it never had one. */
export function lastSegment(schedule: Schedule): (Segment & { readonly step: number }) | undefined {
  const { earlierPlans = [], steps } = schedule;
  const last = earlierPlans.at(-1);
  return last && { step: last.until, ...segmentAfter(last, earlierPlans.slice(0, -1), steps, schedule) };
}

/** How the learning rate runs on behind a change of the run's length. */
export interface Segment {
  /** The rate of the step before. */
  readonly from: number;
  /** 0 where the rate is high enough to fall from. */
  readonly warmupSteps: number;
  /** The rate after them, and what the cosine falls from. */
  readonly top: number;
}

function segmentAfter(last: EarlierPlan, before: readonly EarlierPlan[], steps: number, schedule: Schedule): Segment {
  const from = learningRateAt(last.until - 1, { ...schedule, steps: last.steps, earlierPlans: before });
  const left = steps - last.until;
  const top = Math.max(from, schedule.peak * Math.min(1, Math.sqrt(left / last.until)));
  return { from, top, warmupSteps: top > from ? usualWarmup(left) : 0 };
}

/** The rate of a run that never changes its length. */
function planned(step: number, { steps, warmupSteps, peak, final }: Schedule): number {
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  const progress = (step - warmupSteps) / (steps - warmupSteps);
  return final + 0.5 * (peak - final) * (1 + Math.cos(Math.PI * progress));
}

/** 2000 as in the paper, but at most a twentieth of the steps. */
export function usualWarmup(steps: number): number {
  return Math.min(2000, Math.ceil(steps / 20));
}

/** A recipe's schedule. */
export function scheduleOf({
  steps,
  warmupSteps,
  learningRate: peak,
  finalShare,
  earlierPlans,
}: Pick<TrainRecipe, "learningRate" | "finalShare" | "earlierPlans"> & { readonly steps: number; readonly warmupSteps: number }): Schedule {
  return { steps, warmupSteps, peak, final: peak * finalShare, earlierPlans };
}

/**
 * The earlier plans of a run that is given another length: what it has followed so far stays, whatever it was going to do. In its first warm-up it just
 * goes on: the rate there does not depend on the length.
 * @param step steps done
 * @param steps of the whole run from now on
 */
export function plansAfter(step: number, steps: number, { steps: stepsBefore, warmupSteps, earlierPlans = [] }: Schedule): EarlierPlan[] {
  const followed = earlierPlans.filter(({ until }) => until < step);
  const current = earlierPlans[followed.length]?.steps ?? stepsBefore;
  return steps === current || step <= warmupSteps || steps <= step ? followed : [...followed, { steps: current, until: step }];
}
