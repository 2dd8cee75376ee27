// Makes a recipe of a text, a machine and a time: tokenizer, model, and as many steps as fit the time.
import { join } from "node:path";
import type { Backend } from "../backend/index.ts";
import type { OnProgress } from "../base/index.ts";
import type { Manifest } from "../corpus/index.ts";
import { applySettings, runPaths, settingKey } from "../runs/index.ts";
import { createTokenizer, type Tokenizer, trainTokenizer } from "../tokenizer/index.ts";
import { type CompleteRecipe, completeRecipe, parseRecipe, settlePrecision, trainerOptions, type WholeRecipe } from "../train/index.ts";
import { type Means, mostEpochs, type Rung, rungFor, vocabularyFor } from "./choose-model.ts";
import { chooseTokenizer, type TextSurvey } from "./choose-tokenizer.ts";
import { measureStep } from "./measure-step.ts";

/** What is asked of a run that plans itself. */
export interface RunWish {
  readonly backend: Backend;
  /** The run's folder, with its data in data/. */
  readonly folder: string;
  readonly seed: number;
  /** "key=value" for the recipe, over what is planned; with steps or tokens among them the time plays no part. */
  readonly settings: readonly string[];
  /** What the model goes on from as it learns; it writes nothing where there are none. */
  readonly prompts?: readonly string[];
  readonly signal: AbortSignal;
  readonly progress: OnProgress;
}

/** Share of the measured matrix speed that training reaches, to choose a size by; the steps are then counted by a measurement of their own. */
const usualShare = 0.7;
/** Share of the time that steps are planned for: machines slow down when they get warm, and a run that ends early may be given more. */
const margin = 0.95;
/** Evaluations of a run, the one at its end included, and the share of its time that one may take. */
const evaluations = { count: 4, share: 0.015 };
/** Times that a run writes behind its prompts, so that one sees it learn. */
const timesWritten = 8;
/** A forward pass takes a third of a step. */
const forwardShare = 1 / 3;
/** Share of the time that goes into measuring a step, and most seconds of it. */
const measuring = { share: 0.03, seconds: 3 };
/** Fewer steps teach nothing. */
const leastSteps = 20;

/** @param rate FLOP/s of large matrix products */
export function meansFor(rate: number, seconds: number, bytes: number): Means {
  return { flops: rate * usualShare * seconds, bytes };
}

/** A tokenizer for the training side of a text, and for a model that fits the means. @param training is read once */
export async function raiseTokenizer(
  training: AsyncIterable<string>,
  survey: TextSurvey,
  means: Means,
  { progress, signal }: Pick<RunWish, "progress" | "signal">,
): Promise<Tokenizer> {
  const options = chooseTokenizer(survey, vocabularyFor(means));
  return createTokenizer(await trainTokenizer(training, { ...options, mayBeSmaller: true, onProgress: progress, signal }));
}

/** A run that fits its time. */
export interface PlannedRun {
  readonly recipe: WholeRecipe;
  /** The number of steps behind which the text has been read so often that more would teach nothing. */
  readonly mostSteps: number;
  /** Seconds that one evaluation takes, about. */
  readonly evaluationSeconds: number;
  /** Why the run has the steps that it has. */
  readonly bound: "time" | "text" | "asked";
}

/**
 * Measures a step, and plans as many as fit.
 * @param seconds gives the seconds that are left for training, whenever it is called
 * @throws CriaError for a setting that a recipe may not hold, or a model that does not fit the memory
 */
export async function planRun(
  wish: RunWish,
  means: Means,
  { tokenizer, manifest }: { readonly tokenizer: Tokenizer; readonly manifest: Manifest },
  seconds: () => number,
): Promise<PlannedRun> {
  const { settings, backend } = wish;
  const rung = rungFor(means, tokenizer.vocabSize);
  const isAsked = settings.map(settingKey).some((key) => key === "steps" || key === "tokens");
  const complete = (steps: number, heldOutTokens: number) => {
    const { steps: planned, ...rest } = draftRecipe(wish, rung, steps, heldOutTokens);
    const written = applySettings(isAsked ? rest : { ...rest, steps: planned }, settings);
    return completeRecipe(parseRecipe(written, "the recipe"), tokenizer.vocabSize);
  };
  const probe = await settlePrecision(complete(1, 1), backend);
  const { precision } = probe;
  const heldOut = manifest.heldOut?.tokens ?? 0;
  if (isAsked)
    return { recipe: { ...complete(probe.steps, heldOut), precision }, mostSteps: probe.steps, evaluationSeconds: 0, bound: "asked" };
  const { fitting, heldOutTokens, evaluationSeconds } = await countSteps(wish, probe, heldOut, seconds);
  const mostSteps = stepsFor(probe, mostEpochs * manifest.sources.reduce((sum, { tokens }) => sum + tokens, 0));
  const recipe = { ...complete(Math.min(fitting, mostSteps), heldOutTokens), precision };
  return { recipe, mostSteps, evaluationSeconds, bound: fitting < mostSteps ? "time" : "text" };
}

/** How many steps fit the time beside evaluations, on how many held-out tokens these may be, and how long each takes. */
async function countSteps({ backend, signal, progress }: RunWish, probe: WholeRecipe, heldOut: number, seconds: () => number) {
  progress({ task: "measuring a training step", done: 0, unit: "steps" });
  const timing = Math.min(measuring.seconds, measuring.share * seconds());
  const step = await measureStep(backend, trainerOptions(probe, false), { seconds: timing, signal });
  const time = seconds();
  const tokensPerSecond = tokensPerStep(probe) / (step * forwardShare);
  const heldOutTokens = Math.min(heldOut, Math.floor(evaluations.share * time * tokensPerSecond));
  const evaluationSeconds = heldOutTokens / tokensPerSecond;
  const fitting = Math.max(leastSteps, Math.floor(((time - evaluations.count * evaluationSeconds) * margin) / step));
  return { fitting, heldOutTokens, evaluationSeconds };
}

/** What a recipe says where nothing is set. @param heldOutTokens per evaluation */
function draftRecipe({ folder, seed, prompts = [] }: RunWish, { model, batch, learningRate }: Rung, steps: number, heldOutTokens: number) {
  return {
    ...{ data: join(folder, "data"), tokenizer: runPaths(folder).tokenizer, model, steps, batch, learningRate, seed },
    warmupSteps: Math.min(100, Math.ceil(steps / 10)),
    evaluation: { every: Math.ceil(steps / evaluations.count), tokens: Math.max(1, heldOutTokens) },
    checkpoints: { every: Math.max(50, Math.ceil(steps / 4)) },
    ...(prompts.length > 0 && { samples: { prompts, every: Math.ceil(steps / timesWritten) } }),
  };
}

function tokensPerStep({ batch, accumulation, length }: CompleteRecipe): number {
  return batch * accumulation * length;
}

function stepsFor(recipe: CompleteRecipe, tokens: number): number {
  return Math.max(leastSteps, Math.floor(tokens / tokensPerStep(recipe)));
}
