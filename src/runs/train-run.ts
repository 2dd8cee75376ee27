// A run in its folder: the training loop from a recipe's first step or a checkpoint's next to the last, with evaluations, metrics and checkpoints.
// It opens no backend and no data: both are given.
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CriaError, check, eventsHandled, fail, unlessAborted } from "../base/index.ts";
import type { Evaluation, HeldOutEvaluator, HeldOutText } from "../eval/index.ts";
import { removeFolder } from "../files/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import {
  BadLossError,
  type CheckedMemory,
  LossWatch,
  learningRateAt,
  type StepMetrics,
  scheduleOf,
  Trainer,
  trainerOptions,
  trainSteps,
  type WholeRecipe,
} from "../train/index.ts";
import { changesSince, notYetLogged } from "./changes.ts";
import { type Checkpoint, loadNewest, loadTensors, newestName, openCheckpoint, saveCheckpoint, setAside } from "./checkpoint.ts";
import { Control, type ControlRequest } from "./control.ts";
import { writeMachine } from "./machine-file.ts";
import { isSamplesRow, isStepRow, MetricsLog } from "./metrics-log.ts";
import { removeLeftovers, runPaths, saveModel } from "./run-folder.ts";
import { lockNewRun, lockRun, type RunLock } from "./run-lock.ts";
import type { TrainJob, TrainSummary } from "./train-job.ts";
import { checkPrompts, writeSamples } from "./write-samples.ts";

/**
 * Trains to the recipe's last step, or to the end of the step in which the signal aborts; either way saves a checkpoint and the model. Only when
 * it is stopped while its losses are bad, the newest checkpoint stays the one before them, the model is saved as it was there, and the steps since
 * then come again when the run goes on.
 * @throws BadLossError when the loss is no number or spikes; the message names the last checkpoint, made before that. CriaError when a file cannot be
 * written or the checkpoint is of another model or data.
 */
export async function trainRun(job: TrainJob): Promise<TrainSummary> {
  const { recipe, folder, batches } = job;
  if (recipe.samples) checkPrompts(recipe.samples, tokenizerOf(job), recipe.model);
  const lockOptions = { signal: job.signal, onNotice: job.onNotice };
  await using goingOn = job.checkpoint && (await lockRun(folder, lockOptions));
  if (job.checkpoint) await checkNewest(job);
  let memory: CheckedMemory | undefined;
  const onMemory = (checked: CheckedMemory) => {
    memory = checked;
    job.onMemory?.(checked);
  };
  using trainer = await openTrainer({ ...job, onMemory });
  if (!trainer) return notBegun(job);
  if (job.checkpoint) checkSteps(recipe, job.checkpoint);
  const checkpoint = job.checkpoint && (await loadNewest(job.checkpoint, trainer.tensors));
  if (checkpoint) batches.restore(checkpoint.state.data);
  using evaluator = job.heldOut && (await trainer.openEvaluator());
  await eventsHandled(); // an abort while the evaluator was compiled is heard
  if (job.signal?.aborted) return notBegun(job);
  await using begun = checkpoint ? undefined : await lockNewRun(folder, lockOptions);
  if (!checkpoint) await checkNewest(job);
  await removeLeftovers(folder);
  if (!checkpoint) await job.onReady?.();
  await using log = await MetricsLog.open(runPaths(folder).metrics, checkpoint?.state.step ?? 0);
  if (checkpoint) {
    await replaceDamaged(checkpoint, job);
    await logChanges(checkpoint, job, log); // killed between this line and the recipe's, the run goes on as it was
    await job.onReady?.();
  }
  await noteMachine(job, trainer, memory);
  const control = await Control.open(folder);
  const run = new Run({ ...job, checkpoint }, { trainer, evaluator, log, control, lock: (goingOn ?? begun)! });
  return await run.toTheEnd();
}

function tokenizerOf({ tokenizer }: TrainJob): Tokenizer {
  return tokenizer ?? fail("train", "samples are asked for, but there is no tokenizer to write them with: give one, or leave samples out");
}

/** Undefined where the signal aborts meanwhile. */
function openTrainer({ backend, recipe, heldOut, signal, onMemory }: TrainJob): Promise<Trainer | undefined> {
  const options = trainerOptions(recipe, heldOut !== undefined);
  return unlessAborted(signal, () => Trainer.open(backend, options, { signal, onMemory }));
}

async function noteMachine(
  { backend, folder, recipe, batches, matmulRate }: TrainJob,
  { flopsPerStep }: Trainer,
  memory: CheckedMemory | undefined,
): Promise<void> {
  const tokens = recipe.accumulation * batches.batchTokens;
  const { states, workspace } = memory ?? { states: 0, workspace: 0 };
  await writeMachine(folder, { backend: backend.name, memory: states + workspace, flopsPerToken: flopsPerStep / tokens, matmulRate });
}

/** What a call comes to that was stopped before its first step. */
function notBegun({ recipe, checkpoint }: TrainJob): TrainSummary {
  const { step, tokens } = checkpoint?.state ?? { step: 0, tokens: 0 };
  return {
    ...{ started: step, step, steps: recipe.steps, tokens, loss: undefined, evaluation: undefined, stopped: true },
    ...{ checkpoint: checkpoint?.folder, savedStep: step, seconds: 0 },
  };
}

/** Another program may have trained in the folder between the choice of a checkpoint and the lock: nothing of that may be cut off. */
async function checkNewest({ folder, checkpoint }: TrainJob): Promise<void> {
  const newest = await newestName(runPaths(folder).checkpoints);
  const known = checkpoint === undefined ? [] : [checkpoint, ...checkpoint.damaged].map((one) => basename(one.folder));
  check(
    newest === undefined || known.includes(newest),
    "train",
    () =>
      `${folder}: its newest checkpoint is ${newest} but was ${known[0] ?? "none"} a moment ago, another program trained in it: go on from there`,
    { ways: ["resume"] },
  );
}

/** Damaged checkpoints make room for those that will be made in their place. */
async function replaceDamaged({ damaged, folder }: Checkpoint, { onNotice }: TrainJob): Promise<void> {
  for (const one of damaged) {
    const aside = await setAside(one);
    onNotice?.(
      `${one.message.replace(/^\[\w+\] /, "")}, so ${folder} is gone on from instead; it is ${aside} now, remove it when you like`,
    );
  }
}

/** Once per change, also where a run that was killed before its next checkpoint goes on with it again. */
async function logChanges({ state, folder }: Checkpoint, { recipe, origin, onNotice }: TrainJob, log: MetricsLog): Promise<void> {
  if (origin && !state.origin)
    onNotice?.(`${folder}: it does not say on which data and machine it was trained, so whether they are the same now cannot be checked`);
  const changed = notYetLogged(changesSince(state, { recipe, origin }), log.rows, state.step);
  if (changed.length > 0) await log.append({ step: state.step, changed });
}

/** @throws CriaError when a run that goes on has become shorter than what is done of it */
export function checkSteps({ steps }: Pick<WholeRecipe, "steps">, { folder, state }: Checkpoint): void {
  check(steps >= state.step, "train", () => `steps is ${steps} but ${folder} has done ${state.step}: raise steps, or begin a new run`);
}

interface Saved {
  readonly step: number;
  readonly path: string;
}

/** What a run has open. */
interface RunParts {
  readonly trainer: Trainer;
  readonly evaluator: HeldOutEvaluator | undefined;
  readonly log: MetricsLog;
  readonly control: Control;
  readonly lock: Pick<RunLock, "check">;
}

/** How often a run that pauses looks whether it may go on. */
const pauseMs = 100;

class Run {
  readonly #job: TrainJob;
  readonly #parts: RunParts;
  readonly #watch: LossWatch;
  /** Aborted by the job's signal, and when the run's folder asks for the end. */
  readonly #signal: AbortSignal;
  readonly #stop = new AbortController();
  #step: number;
  #tokens: number;
  #loss: number | undefined;
  /** The evaluation of the state that stands; undefined when it was not evaluated. */
  #evaluation: Evaluation | undefined;
  /** The data's position behind the last step's batches. */
  #position: unknown;
  /** The newest checkpoint, and the one before it. */
  #saved: Saved | undefined;
  #savedBefore: Saved | undefined;

  constructor(job: TrainJob, parts: RunParts) {
    const { recipe, checkpoint, batches, signal } = job;
    const { log } = parts;
    this.#job = job;
    this.#parts = parts;
    this.#signal = AbortSignal.any([this.#stop.signal, ...(signal ? [signal] : [])]);
    this.#watch = new LossWatch(recipe.stopOnSpike);
    this.#watch.replay(log.rows.filter(isStepRow).map((row) => row.loss));
    this.#step = checkpoint?.state.step ?? 0;
    this.#saved = checkpoint && { step: checkpoint.state.step, path: checkpoint.folder };
    this.#tokens = checkpoint?.state.tokens ?? 0;
    this.#position = checkpoint?.state.data ?? batches.state;
  }

  /** An evaluation belongs to the state it finds, so it comes before the next step, and again when a run goes on from there. */
  async toTheEnd(): Promise<TrainSummary> {
    const { recipe } = this.#job;
    const began = performance.now();
    await this.#writeSamplesIfDue();
    await this.#evaluateIfDue();
    try {
      for await (const metrics of this.#steps()) {
        await this.#see(metrics);
        await this.#writeSamplesIfDue();
        if (this.#step % recipe.checkpoints.every === 0 && this.#watch.bad === 0) await this.#save();
        await this.#evaluateIfDue();
        await this.#obey();
      }
    } catch (error) {
      throw error instanceof BadLossError ? await this.#afterBadLoss(error) : error;
    }
    await this.#saveEnd();
    return this.#summary((performance.now() - began) / 1000);
  }

  #steps(): AsyncGenerator<StepMetrics> {
    const { recipe, batches } = this.#job;
    const schedule = scheduleOf(recipe);
    return trainSteps({
      ...{ trainer: this.#parts.trainer, batches, steps: recipe.steps, signal: this.#signal, watch: this.#watch },
      learningRate: (step) => learningRateAt(step, schedule),
      from: { step: this.#step, tokens: this.#tokens, data: this.#position },
    });
  }

  async #evaluateIfDue(): Promise<void> {
    const { heldOut } = this.#job;
    const { evaluator } = this.#parts;
    if (evaluator && heldOut && !this.#signal.aborted && this.#isEvaluationDue())
      this.#evaluation = await this.#evaluate(evaluator, heldOut);
  }

  /** Texts that a run wrote before it was stopped stay, and are not written again. */
  async #writeSamplesIfDue(): Promise<void> {
    const { recipe } = this.#job;
    const isDue = recipe.samples && this.#step > 0 && (this.#step === recipe.steps || this.#step % recipe.samples.every === 0);
    if (isDue && !this.#parts.log.rows.some((row) => isSamplesRow(row) && row.step === this.#step)) await this.#writeSamples();
  }

  /** Writes none where the signal ends it, or where it cannot, as when memory is short: that is told, and training goes on. */
  async #writeSamples(): Promise<void> {
    const { recipe, backend, progress, onSamples, onNotice } = this.#job;
    const { samples: settings, model: config } = recipe;
    if (settings === undefined) return onNotice?.("the recipe has no samples with prompts, so that none are written");
    const { tensors } = this.#parts.trainer;
    const before = performance.now();
    progress?.({ task: "writing samples", done: 0, total: settings.prompts.length, unit: "prompts" });
    const writer = { backend, config, tensors, tokenizer: tokenizerOf(this.#job), seed: recipe.seed, signal: this.#signal };
    const samples = await unlessAborted(this.#signal, () => writeSamples(writer, settings)).catch((error) => {
      if (!(error instanceof CriaError)) throw error;
      onNotice?.(`no samples behind step ${this.#step}: ${error.message}`);
    });
    if (!samples) return;
    const row = { step: this.#step, samples, seconds: (performance.now() - before) / 1000 };
    await this.#parts.lock.check();
    await this.#parts.log.append(row);
    onSamples?.(row);
  }

  /** Does what the run's folder asks for between two steps. */
  async #obey(): Promise<void> {
    const { control } = this.#parts;
    let asked = await control.look().catch((error: Error) => {
      this.#job.onNotice?.(`what is asked of the run is not heard: ${error.message}`);
      return new Set<ControlRequest>();
    });
    if (asked.has("pause")) this.#job.onNotice?.(`paused behind step ${this.#step}`);
    for (;;) {
      if (asked.has("stop")) {
        await control.obeyed("stop");
        this.#stop.abort();
      }
      if (asked.has("samples")) {
        await control.obeyed("samples");
        await this.#writeSamples();
      }
      if (!asked.has("pause") || this.#signal.aborted) return;
      await sleep(pauseMs, undefined, { signal: this.#signal }).catch(() => undefined);
      asked = await control.look("now");
    }
  }

  #isEvaluationDue(): boolean {
    const { recipe } = this.#job;
    const ends = (recipe.earlierPlans ?? []).filter(({ steps, until }) => steps === until); // the evaluation at its old end comes again
    return [recipe, ...ends].some(({ steps }) => steps === this.#step) || (this.#step > 0 && this.#step % recipe.evaluation.every === 0);
  }

  async #see(metrics: StepMetrics): Promise<void> {
    await this.#parts.lock.check();
    const { step, loss, learningRate, gradientNorm, tokens, tokensPerSecond, seconds, data } = metrics;
    [this.#step, this.#tokens, this.#loss, this.#position] = [step, tokens, loss, data];
    this.#evaluation = undefined;
    await this.#parts.log.append({ step, loss, learningRate, gradientNorm, tokens, tokensPerSecond, seconds });
    this.#job.onStep?.(metrics);
  }

  /** The error with where to go on from, once what may be spoilt is gone. */
  async #afterBadLoss(error: BadLossError): Promise<BadLossError> {
    await this.#parts.lock.check();
    const { learningRate, warmupSteps } = this.#job.recipe;
    const good = await this.#dropSpoilt();
    const rule = error.message.replace(/^\[\w+\] /, "");
    const change = `a lower learningRate (it is ${learningRate}) or a longer warm-up (${warmupSteps} steps)`;
    const way =
      good === undefined
        ? `no checkpoint was made before; begin again with`
        : `the last good checkpoint is ${good.path}; go on from there with`;
    return new BadLossError("train", `${rule}: training stopped, ${way} ${change}`, { cause: error });
  }

  /** The newest checkpoint's weights may be those that gave the first bad loss: then it goes, but never the one that this call came from. */
  async #dropSpoilt(): Promise<Saved | undefined> {
    const isSpoilt = this.#saved !== undefined && this.#saved.step > this.#step - this.#watch.bad;
    if (!isSpoilt || this.#saved!.path === this.#job.checkpoint?.folder) return this.#saved;
    await removeFolder(this.#saved!.path);
    return this.#savedBefore;
  }

  /** Undefined where the signal ends it: it is made when the run goes on. */
  #evaluate(evaluator: HeldOutEvaluator, heldOut: HeldOutText): Promise<Evaluation | undefined> {
    const { recipe, progress, onEvaluation } = this.#job;
    const before = performance.now();
    const signal = this.#signal;
    return unlessAborted(signal, async () => {
      const evaluation = await evaluator.evaluate(heldOut, { tokens: recipe.evaluation.tokens, signal, progress });
      const { loss: heldOutLoss, bitsPerByte } = evaluation;
      await this.#parts.lock.check();
      await this.#parts.log.append({ step: this.#step, heldOutLoss, bitsPerByte, seconds: (performance.now() - before) / 1000 });
      onEvaluation?.(this.#step, evaluation);
      return evaluation;
    });
  }

  /** A run that did all its steps keeps what they made; one that was stopped while its losses were bad goes back to the checkpoint before. */
  async #saveEnd(): Promise<void> {
    const { recipe, folder, progress } = this.#job;
    await this.#parts.lock.check();
    const mayBeSpoilt = this.#step < recipe.steps && this.#watch.bad > 0;
    if (!mayBeSpoilt) await this.#save();
    else if (this.#saved) await loadTensors(await openCheckpoint(this.#saved.path), this.#parts.trainer.tensors);
    if (this.#saved) await saveModel(folder, this.#parts.trainer.tensors, progress);
  }

  async #save(): Promise<void> {
    const { recipe, folder, origin, onCheckpoint } = this.#job;
    const { checkpoints } = runPaths(folder);
    if (this.#step === this.#saved?.step) return;
    await this.#parts.lock.check();
    await this.#parts.log.sync();
    const state = { step: this.#step, tokens: this.#tokens, data: this.#position, recipe, ...(origin && { origin }) };
    const path = await saveCheckpoint(checkpoints, state, this.#parts.trainer.tensors, recipe.checkpoints.keep);
    [this.#savedBefore, this.#saved] = [this.#saved, { step: this.#step, path }];
    onCheckpoint?.(this.#step, path);
  }

  #summary(seconds: number): TrainSummary {
    const { recipe, heldOut } = this.#job;
    const isWhole = this.#step === recipe.steps && (heldOut === undefined || this.#evaluation !== undefined);
    const stopped = this.#signal.aborted && !isWhole;
    return {
      ...{
        started: this.#job.checkpoint?.state.step ?? 0,
        step: this.#step,
        steps: recipe.steps,
        tokens: this.#tokens,
        loss: this.#loss,
        evaluation: stopped ? undefined : this.#evaluation,
        stopped,
      },
      ...{ checkpoint: this.#saved?.path, savedStep: this.#saved?.step ?? 0, seconds },
    };
  }
}
