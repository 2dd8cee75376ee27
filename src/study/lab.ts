// Where small models are trained, one after the other: a model is compiled once and begun anew for every seed and learning rate.
import type { Backend } from "../backend/index.ts";
import { median, type OnProgress, UsageError, unlessAborted } from "../base/index.ts";
import { Mixture } from "../batches/index.ts";
import type { HeldOutEvaluator } from "../eval/index.ts";
import { initialise, type LlamaConfig, parameterRows } from "../model/index.ts";
import { learningRateAt, llamaAdamw, Trainer, trainSteps } from "../train/index.ts";
import { type KeptRuns, keepRun } from "./keep-runs.ts";
import type { Outcome, Trial, Variant } from "./trial.ts";

/** Trials that are compared, and the time that they may take. T is what is found in a trained model. */
export interface Sweep<T> {
  /** Each is run once per seed. */
  readonly trials: readonly Trial[];
  readonly seeds: readonly number[];
  /** Seconds for the whole sweep, timing and compiling included. */
  readonly seconds: number;
  /** Runs of fewer steps say nothing: where these do not fit the time for all seeds, fewer seeds are run. */
  readonly leastSteps: number;
  readonly mostSteps?: number;
  /** Held-out tokens to measure on, but never more than a run was trained on. */
  readonly heldOutTokens: number;
  /** Looks at a trained model: its weights by row name. */
  readonly examine?: (weights: ReadonlyMap<string, Float32Array>, trial: Trial) => Promise<T>;
}

/** Share of the time asked for that steps are planned with: measuring the held-out loss takes some, and machines slow down when they get warm. */
const margin = 0.85;
/** Share of the time asked for that may go into timing steps. */
const timingShare = 0.02;
/** A further round over all trials must fit into this much more than the time asked for. */
const patience = 1.05;

interface Rig extends Disposable {
  readonly trainer: Trainer;
  readonly evaluator: HeldOutEvaluator;
  /** Seconds per step. */
  readonly stepSeconds: number;
}

/** Where a lab computes, who is told, and whether its runs are kept. */
export interface LabOptions {
  readonly backend: Backend;
  readonly signal: AbortSignal;
  readonly progress: OnProgress;
  /** Steps of every sweep, instead of what fits its time. */
  readonly steps?: number | undefined;
  /** Where every run stays, if it shall; nothing examines it then. */
  readonly runs?: KeptRuns;
}

/** Trains the trials of a sweep one after another. It holds a compiled model per variant until it is disposed of. */
export class Lab implements Disposable {
  readonly #options: LabOptions;
  readonly #rigs = new Map<Variant, Rig>();

  constructor(options: LabOptions) {
    this.#options = options;
  }

  /** All trials with the first seed, then all with the second: whenever it is stopped, what is there can be compared. */
  async run<T = never>(sweep: Sweep<T>): Promise<Outcome<T>[]> {
    const began = performance.now();
    const outcomes: Outcome<T>[] = [];
    const steps = await this.#countSteps(sweep, began);
    const total = sweep.seeds.length * sweep.trials.reduce((sum, trial) => sum + stepsOf(trial, steps), 0);
    let done = 0;
    for (const [round, seed] of sweep.seeds.entries()) {
      const each = (performance.now() - began) / 1000 / Math.max(1, round);
      if (round > 0 && this.#options.steps === undefined && each * (round + 1) > sweep.seconds * patience) break;
      for (const trial of sweep.trials) {
        if (this.#options.signal.aborted) return outcomes;
        const note = (loss: number) => `${trial.variant.name}, seed ${round + 1} of ${sweep.seeds.length} · loss ${loss.toFixed(3)}`;
        const onStep = (step: number, loss: number) =>
          this.#options.progress({ task: "training", done: done + step, total, unit: "steps", note: note(loss) });
        const outcome = await this.#train(trial, sweep, seed, stepsOf(trial, steps), onStep);
        if (this.#options.signal.aborted || outcome === undefined) return outcomes;
        outcomes.push(outcome);
        done += outcome.steps;
      }
    }
    return outcomes;
  }

  [Symbol.dispose](): void {
    for (const rig of this.#rigs.values()) rig[Symbol.dispose]();
    this.#rigs.clear();
  }

  /**
   * So many that all seeds fit the time, by running a few of each variant; the least that say something where these fit for some of the seeds.
   * @throws UsageError when they fit for none
   */
  async #countSteps<T>(sweep: Sweep<T>, began: number): Promise<number> {
    const { trials, seeds, seconds, leastSteps, mostSteps: most = Number.POSITIVE_INFINITY } = sweep;
    if (this.#options.steps !== undefined) return this.#options.steps;
    const timing = Math.min(1, (seconds * timingShare) / trials.length);
    let round = 0;
    for (const { variant, stepShare = 1 } of trials) {
      if (this.#options.signal.aborted) break;
      const rig = await this.#rig(variant, timing);
      round += stepShare * (rig?.stepSeconds ?? 0);
    }
    const left = (seconds - (performance.now() - began) / 1000) * margin;
    const least = Math.min(leastSteps, most);
    const steps = fittingSteps({ left, round, seeds: seeds.length, least, most });
    if (steps === undefined && !this.#options.signal.aborted) tooShort(Math.max(0, left), least * round, trials.length, least);
    return steps ?? least;
  }

  async #train<T>(
    trial: Trial,
    sweep: Sweep<T>,
    seed: number,
    steps: number,
    onStep: (step: number, loss: number) => void,
  ): Promise<Outcome<T> | undefined> {
    const { runs, ...shared } = this.#options;
    if (runs) return keepRun(runs, { ...shared, trial, seed, steps, heldOutTokens: heldOutOf(trial, sweep, steps) }, onStep);
    const { variant, learningRate: peak, warmupShare } = trial;
    const rig = await this.#rig(variant);
    if (!rig) return undefined;
    await begin(rig.trainer, variant, seed);
    const batches = batchesOf(variant, seed);
    const schedule = { steps, warmupSteps: Math.round(warmupShare * steps), peak, final: peak / 10 };
    const losses: number[] = [];
    const times: number[] = [];
    const { trainer } = rig;
    const { signal } = this.#options;
    for await (const done of trainSteps({ trainer, batches, steps, signal, learningRate: (step) => learningRateAt(step, schedule) })) {
      times.push(done.seconds);
      losses.push(done.loss);
      onStep(done.step, done.loss);
      if (!Number.isFinite(done.loss)) break;
    }
    if (signal.aborted) return undefined;
    return { trial, seed, steps, losses, stepSeconds: median(times), ...(await this.#measure(rig, trial, sweep, steps)) };
  }

  async #measure<T>(rig: Rig, trial: Trial, sweep: Sweep<T>, steps: number): Promise<Pick<Outcome<T>, "heldOut" | "found">> {
    const heldOut = await rig.evaluator.evaluate(trial.variant.text.heldOut, { tokens: heldOutOf(trial, sweep, steps) });
    if (!Number.isFinite(heldOut.loss)) return {};
    const { examine } = sweep;
    return { heldOut, ...(examine && { found: await examine(await weightsOf(rig.trainer, trial.variant.config), trial) }) };
  }

  /** Undefined where the signal aborts while it is opened. @param seconds for timing its steps, where it is opened now */
  async #rig(variant: Variant, seconds = 0): Promise<Rig | undefined> {
    const { backend, signal } = this.#options;
    const found = this.#rigs.get(variant) ?? (await unlessAborted(signal, () => openRig(backend, variant, seconds, signal)));
    if (found) this.#rigs.set(variant, found);
    return found;
  }
}

/**
 * Steps per run that fit for all seeds; the least where these fit for some of them; undefined where they fit for none.
 * @param left seconds; @param round seconds of one step of every trial
 */
export function fittingSteps({ left, round, seeds, least, most }: Record<"left" | "round" | "seeds" | "least" | "most", number>) {
  if (least * round > left) return undefined;
  return Math.min(most, Math.max(least, Math.floor(left / (seeds * round))));
}

function tooShort(left: number, needed: number, runs: number, steps: number): never {
  const both = `the time leaves ${left.toFixed(0)} s, but ${runs} runs of ${steps} steps, the fewest that say something, take ${needed.toFixed(0)} s here`;
  throw new UsageError("study", `${both}: give it more time`, { ways: ["minutes"] });
}

function stepsOf({ stepShare = 1 }: Trial, steps: number): number {
  return Math.max(1, Math.round(stepShare * steps));
}

function heldOutOf({ variant: { size } }: Trial, { heldOutTokens }: Sweep<unknown>, steps: number): number {
  return Math.min(heldOutTokens, steps * size.batch * size.length);
}

function batchesOf({ text, size }: Variant, seed: number): Mixture {
  return new Mixture([{ name: "text", weight: 1, tokens: text.tokens }], { ...size, seed });
}

/** @throws the signal's reason when it aborts while the model is compiled */
async function openRig(backend: Backend, variant: Variant, seconds: number, signal: AbortSignal): Promise<Rig> {
  const { config, size, adamw = llamaAdamw, clipNorm = 1 } = variant;
  const options = { config, size: { ...size, recompute: false }, accumulation: 1, adamw, clipNorm, seed: 0 };
  const trainer = await Trainer.open(backend, options, { signal });
  try {
    const evaluator = await trainer.openEvaluator();
    const dispose = () => {
      evaluator[Symbol.dispose]();
      trainer[Symbol.dispose]();
    };
    return { trainer, evaluator, stepSeconds: await timeSteps(trainer, variant, seconds), [Symbol.dispose]: dispose };
  } catch (error) {
    trainer[Symbol.dispose]();
    throw error;
  }
}

/**
 * What a step takes when nothing else disturbs: the fastest quarter's slowest, because other programs only ever make steps longer.
 * The first steps warm up and do not count.
 */
async function timeSteps(trainer: Trainer, variant: Variant, seconds: number): Promise<number> {
  const times: number[] = [];
  const began = performance.now();
  for await (const step of trainSteps({
    trainer,
    batches: batchesOf(variant, 0),
    steps: Number.POSITIVE_INFINITY,
    learningRate: () => 0,
  })) {
    times.push(step.seconds);
    if (times.length >= 5 && performance.now() - began >= 1000 * seconds) break;
  }
  const counted = times.slice(times.length >> 2).sort((x, y) => x - y);
  return counted[counted.length >> 2]!;
}

/** First weights by the seed, and moments of 0. */
async function begin(trainer: Trainer, { config, firstWeights }: Variant, seed: number): Promise<void> {
  const rows = parameterRows(config);
  const weights = initialise(firstWeights?.(rows) ?? rows, seed);
  const [model, moments] = [trainer.tensors.filter(({ part }) => part === "model"), trainer.tensors.filter(({ part }) => part !== "model")];
  for (const [i, tensor] of model.entries()) await tensor.write(weights.get(rows[i]!.name)!);
  for (const { shape, write } of moments) await write(new Float32Array(shape.reduce((product, size) => product * size, 1)));
}

async function weightsOf(trainer: Trainer, config: LlamaConfig): Promise<Map<string, Float32Array>> {
  const stored = trainer.tensors.filter(({ part }) => part === "model");
  const weights = new Map<string, Float32Array>();
  for (const [i, { name }] of parameterRows(config).entries()) weights.set(name, await stored[i]!.read());
  return weights;
}
