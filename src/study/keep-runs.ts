// Runs that stay: trained as `cria train` does it, so that a folder is left to generate from, to go on with, and to fit a law to.
import { join } from "node:path";
import type { Backend } from "../backend/index.ts";
import { median } from "../base/index.ts";
import { Mixture } from "../batches/index.ts";
import { checkUnused, runPaths, startRunFolder, trainRun } from "../runs/index.ts";
import type { TokenizerModel } from "../tokenizer/index.ts";
import { BadLossError, completeRecipe, llamaAdamw, parseRecipe, type StepMetrics, type WholeRecipe } from "../train/index.ts";
import type { Outcome, Trial } from "./trial.ts";

/** Where runs stay, and what they are made from. */
export interface KeptRuns {
  /** A folder a run in it. */
  readonly folder: string;
  /** The prepared data that the trials' texts are read from. */
  readonly data: string;
  readonly tokenizer: TokenizerModel;
}

/** A run that is trained and kept. */
export interface KeptJob {
  readonly backend: Backend;
  readonly signal: AbortSignal;
  readonly trial: Trial;
  readonly seed: number;
  readonly steps: number;
  readonly heldOutTokens: number;
}

/**
 * Undefined when the signal stopped it: the folder then has a checkpoint to go on from, unless it was stopped before the first step.
 * @throws CriaError when the folder is in use already or cannot be written
 */
export async function keepRun(
  runs: KeptRuns,
  job: KeptJob,
  onStep: (step: number, loss: number) => void,
): Promise<Outcome<never> | undefined> {
  const { backend, signal, trial, seed, steps } = job;
  const { size, text } = trial.variant;
  const folder = join(runs.folder, nameOf(job));
  await checkUnused(folder);
  const recipe = await startRunFolder(folder, recipeOf(runs, job, folder), runs.tokenizer);
  const batches = new Mixture([{ name: "text", weight: 1, tokens: text.tokens }], { ...size, seed });
  const losses: number[] = [];
  const times: number[] = [];
  const onEachStep = ({ step, loss, seconds }: StepMetrics) => {
    losses.push(loss);
    times.push(seconds);
    onStep(step, loss);
  };
  try {
    const { evaluation } = await trainRun({ backend, recipe, folder, batches, signal, heldOut: text.heldOut, onStep: onEachStep });
    if (evaluation === undefined) return undefined;
    return { trial, seed, steps, losses, stepSeconds: median(times), heldOut: evaluation };
  } catch (error) {
    if (error instanceof BadLossError) return { trial, seed, steps, losses, stepSeconds: median(times) };
    throw error;
  }
}

function nameOf({ trial: { variant }, seed, steps }: KeptJob): string {
  return `${variant.name}-${steps}-steps-seed-${seed}`;
}

function recipeOf({ data }: KeptRuns, { trial, seed, steps, heldOutTokens }: KeptJob, folder: string): WholeRecipe {
  const { config, size, adamw = llamaAdamw, clipNorm = 1 } = trial.variant;
  const written = {
    ...{ data, tokenizer: runPaths(folder).tokenizer, model: config, steps, ...size, ...adamw, clipNorm, seed },
    ...{ learningRate: trial.learningRate, warmupSteps: Math.round(trial.warmupShare * steps) },
    ...{ precision: "float32", stopOnSpike: false },
    ...{ evaluation: { every: steps, tokens: heldOutTokens }, checkpoints: { every: steps } },
  };
  return { ...completeRecipe(parseRecipe(written, "the study's recipe"), config.vocabSize), precision: "float32" };
}
