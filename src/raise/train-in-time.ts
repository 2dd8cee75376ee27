// Trains a run whose end is a moment, not a number of steps: when the machine changes its speed, the run is stopped, planned anew and goes on.
import type { Backend } from "../backend/index.ts";
import { Mixture, type MixtureSource } from "../batches/index.ts";
import { latestCheckpoint, runPaths, type TrainJob, type TrainSummary, trainRun, writeRecipe } from "../runs/index.ts";
import { plansAfter, type StepMetrics, scheduleOf, type WholeRecipe } from "../train/index.ts";
import { replannedSteps } from "./replan.ts";

/** A run that is to end at a moment. */
export interface TimedJob {
  readonly backend: Backend;
  /** The recipe that `startRunFolder` returned. */
  readonly recipe: WholeRecipe;
  readonly folder: string;
  readonly sources: readonly MixtureSource[];
  readonly heldOut: TrainJob["heldOut"];
  readonly origin?: TrainJob["origin"];
  /** What the recipe's samples are written with; only a recipe without them needs none. */
  readonly tokenizer?: TrainJob["tokenizer"];
  /** Seconds that are left for training; absent where the steps are what was asked for. */
  readonly secondsLeft?: (() => number) | undefined;
  /** Seconds that one evaluation takes, about. */
  readonly evaluationSeconds: number;
  /** More steps would teach nothing. */
  readonly mostSteps: number;
  readonly signal: AbortSignal;
  readonly progress: NonNullable<TrainJob["progress"]>;
  /** Is told once, before the first step is compiled, the memory that training needs and has. */
  readonly onMemory?: TrainJob["onMemory"];
  readonly onStep: (metrics: StepMetrics) => void;
  readonly matmulRate?: TrainJob["matmulRate"];
  readonly onSamples?: TrainJob["onSamples"];
  readonly onNotice?: TrainJob["onNotice"];
  /** Is told that the run has other steps from now on. */
  readonly onReplan?: (step: number, before: number, now: number) => void;
}

/** The pace is looked at after so many steps and so much of the time that is left, at least. */
const [leastSteps, leastShare] = [20, 0.12];
/** Metrics, checkpoints and waiting make a run longer than the sum of its steps, by about this factor. */
const betweenSteps = 1.03;
/** So often a run is planned anew at most. */
const mostReplans = 4;

/**
 * Trains to the recipe's steps, or to fewer or more where these would end too late or too early; RUN/train.yaml says the steps that were made.
 * @returns as `trainRun` does, with the seconds of all parts
 */
export async function trainInTime(job: TimedJob): Promise<TrainSummary> {
  let { recipe } = job;
  let seconds = 0;
  for (let replans = 0; ; replans++) {
    const watch = new PaceWatch(job, recipe, replans < mostReplans);
    const { summary, steps } = await trainPart(job, recipe, watch, replans > 0);
    seconds += summary.seconds;
    if (steps === undefined || job.signal.aborted || !summary.stopped) return { ...summary, seconds };
    job.onReplan?.(summary.step, recipe.steps, steps);
    recipe = { ...recipe, steps, earlierPlans: plansAfter(summary.savedStep, steps, scheduleOf(recipe)) };
  }
}

/**
 * Trains from the newest checkpoint, where there is one, to the end, or until the watch wants other steps.
 * @param isNew the recipe is not that of the run folder: it is written once the metrics say what changed, so that a run killed in between goes on
 */
async function trainPart(job: TimedJob, recipe: WholeRecipe, watch: PaceWatch, isNew: boolean) {
  const { backend, folder, sources, heldOut, origin, tokenizer, matmulRate, progress, onSamples, onNotice } = job;
  const { batch, length, seed, documentMask } = recipe;
  const stop = new AbortController();
  const forward = () => stop.abort(job.signal.reason);
  if (job.signal.aborted) forward();
  job.signal.addEventListener("abort", forward);
  let steps: number | undefined;
  try {
    const summary = await trainRun({
      ...{ backend, recipe, folder, heldOut, origin, tokenizer, matmulRate, progress, onSamples, onNotice, signal: stop.signal },
      onMemory: isNew ? undefined : job.onMemory,
      onReady: async () => {
        if (isNew) await writeRecipe(runPaths(folder).recipe, recipe);
      },
      batches: new Mixture(sources, { batch, length, seed, documentMask }),
      checkpoint: await latestCheckpoint(runPaths(folder).checkpoints),
      onStep: (metrics) => {
        job.onStep(metrics);
        steps = watch.see(metrics);
        if (steps !== undefined) stop.abort(new Error("the run is planned anew"));
      },
    });
    return { summary, steps };
  } finally {
    job.signal.removeEventListener("abort", forward);
  }
}

/** Looks at the pace now and then. */
class PaceWatch {
  readonly #job: TimedJob;
  readonly #recipe: WholeRecipe;
  readonly #isOpen: boolean;
  #steps = 0;
  #seconds = 0;

  constructor(job: TimedJob, recipe: WholeRecipe, isOpen: boolean) {
    this.#job = job;
    this.#recipe = recipe;
    this.#isOpen = isOpen && job.secondsLeft !== undefined;
  }

  /** The steps that the run should have instead; undefined while it goes well. */
  see({ step, seconds }: StepMetrics): number | undefined {
    const { steps, warmupSteps, evaluation } = this.#recipe;
    if (!this.#isOpen || step >= steps) return undefined;
    this.#steps++;
    this.#seconds += seconds;
    const evaluations = Math.ceil((steps - step) / evaluation.every) * this.#job.evaluationSeconds;
    const left = this.#job.secondsLeft!() - evaluations;
    if (this.#steps < leastSteps || this.#seconds < leastShare * left) return undefined;
    const pace = (this.#seconds / this.#steps) * betweenSteps;
    [this.#steps, this.#seconds] = [0, 0];
    const planned = replannedSteps({ step, steps, pace, left }, this.#job.mostSteps);
    const least = warmupSteps + 1; // a recipe with a longer warm-up than run is none
    return planned === undefined || Math.max(least, planned) === steps ? undefined : Math.max(least, planned);
  }
}
