// The recipe of a training run: everything that it is made of. Defaults are the paper's (LLaMA, sections 2.2 and 2.3) where it names one.
import { z } from "zod";
import { check, fail, type Precision } from "../base/index.ts";
import { type LlamaConfig, llamaConfig, partNames, preset, type RopeScaling } from "../model/index.ts";
import { count, lengthCount, parseWith } from "../schema/index.ts";
import { usualWarmup } from "./schedule.ts";
import { llamaAdamw } from "./step-graphs.ts";

const where = "train";
const share = z.number().min(0).lt(1);

const positive = z.number().positive();
const divisors = z.array(positive);

/** The scalings of `RopeScaling`, key by key. */
const ropeScaling = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("default") }),
  z.strictObject({ type: z.literal("linear"), factor: positive }),
  z.strictObject({ type: z.literal("dynamic"), factor: positive, originalLength: lengthCount() }),
  z.strictObject({
    ...{
      type: z.literal("yarn"),
      factor: positive,
      originalLength: lengthCount(),
      betaFast: positive.optional(),
      betaSlow: positive.optional(),
    },
    ...{ attentionFactor: positive.optional(), mscale: z.number().min(0).optional(), mscaleAllDim: z.number().min(0).optional() },
    truncate: z.boolean().optional(),
  }),
  z.strictObject({
    ...{ type: z.literal("longrope"), originalLength: lengthCount(), shortFactors: divisors, longFactors: divisors },
    ...{ factor: positive.optional(), attentionFactor: positive.optional() },
  }),
  z.strictObject({
    ...{ type: z.literal("llama3"), factor: positive, originalLength: lengthCount() },
    ...{ lowFrequencyFactor: positive, highFrequencyFactor: positive },
  }),
]);

const linearBy = (factor: number): RopeScaling => (factor === 1 ? { type: "default" } : { type: "linear", factor });

/** A preset's name, the sizes and parts of {@link LlamaConfig}, or a preset with some of them changed. */
const modelRecipe = z
  .strictObject({
    preset: z.string().optional(),
    /** The tokenizer's number of pieces by default. */
    vocabSize: lengthCount().optional(),
    dim: lengthCount().optional(),
    nLayers: count().optional(),
    nHeads: count().optional(),
    nKvHeads: count().optional(),
    hiddenDim: lengthCount().optional(),
    contextLength: lengthCount().optional(),
    normEpsilon: z.number().positive().optional(),
    ropeTheta: z.number().positive().optional(),
    ropeScaling: ropeScaling.optional(),
    /** What recipes said before there was `ropeScaling`: the factor of linear scaling, 1 for none. */
    ropeFactor: z.number().positive().optional(),
    ropePairing: z.enum(partNames.ropePairing).optional(),
    tiedOutput: z.boolean().optional(),
    norm: z.enum(partNames.norm).optional(),
    normPlacement: z.enum(partNames.normPlacement).optional(),
    activation: z.enum(partNames.activation).optional(),
    swishBeta: z.number().positive().optional(),
    positions: z.enum(partNames.positions).optional(),
    headDim: lengthCount().optional(),
    qkvBias: z.boolean().optional(),
    attentionOutputBias: z.boolean().optional(),
    ffnBias: z.boolean().optional(),
    qkNorm: z.boolean().optional(),
    slidingWindow: lengthCount().optional(),
    slidingLayers: z.array(z.boolean()).optional(),
    ropeLayers: z.array(z.boolean()).optional(),
  })
  .refine(({ ropeScaling, ropeFactor }) => ropeScaling === undefined || ropeFactor === undefined, {
    error: "it has both ropeScaling and ropeFactor: omit ropeFactor, which stood for linear scaling",
  })
  .transform(({ ropeFactor, ...model }) => (ropeFactor === undefined ? model : { ...model, ropeScaling: linearBy(ropeFactor) }));

/** What a recipe holds, with its defaults. */
export const trainRecipe = z.strictObject({
  /** The folder of a data preparation, and the tokenizer.json it was made with; relative to the recipe. */
  data: z.string().min(1),
  tokenizer: z.string().min(1),
  model: modelRecipe,
  /** How long: optimiser steps, or tokens, rounded up to whole steps. */
  steps: count().optional(),
  tokens: count().optional(),
  /** Sequences in a pass, and passes whose gradients are gathered for a step. */
  batch: count().default(8),
  accumulation: count().default(1),
  /** Positions in a sequence; the model's context by default. */
  length: lengthCount().optional(),
  /**
   * Whether the documents of a sequence are kept apart: a row attends to its own document alone, positions begin anew with each, and no token predicts the
   * first of the next document (see batches/document-mask.ts). By default a row attends to all before it. Held-out text is evaluated without it either way.
   */
  documentMask: z.boolean().default(false),
  /** The peak. The paper's 7B has 3e-4; smaller models bear more. */
  learningRate: z.number().positive().default(1e-3),
  /** 2000 as in the paper, but at most a twentieth of the run, by default. */
  warmupSteps: count({ least: 0 }).optional(),
  /**
   * Plans of other lengths that the run followed before, in order: the learning rate was that of a run of `steps` steps until step `until`. A run that is
   * given more steps writes them here itself; see schedule.ts.
   */
  earlierPlans: z.array(z.strictObject({ steps: z.int().min(1), until: z.int().min(1) })).optional(),
  /** What the cosine ends at, as a share of the peak. */
  finalShare: z.number().min(0).max(1).default(0.1),
  beta1: share.default(llamaAdamw.beta1),
  beta2: share.default(llamaAdamw.beta2),
  epsilon: z.number().positive().default(llamaAdamw.epsilon),
  decay: z.number().min(0).default(llamaAdamw.decay),
  /** Largest norm of a step's gradient; 0 for no clipping. */
  clipNorm: z.number().min(0).default(1),
  /** Fixes the first weights and the order of the data. */
  seed: count({ least: 0, most: 2 ** 32 - 1 }).default(0),
  /** What operands of matrix products are rounded to; weights, sums and the optimiser stay float32. The faster one on this machine by default. */
  precision: z.enum(["auto", "float32", "bfloat16"]).default("auto"),
  /** Less memory, more work: norms and activations run again in the backward pass. */
  recompute: z.boolean().default(false),
  /** Stops when the loss jumps and stays up; what is no number always stops. */
  stopOnSpike: z.boolean().default(true),
  /** Every so many steps and at the end, on about so many held-out tokens, spread over all of them. */
  evaluation: z.strictObject({ every: count().default(250), tokens: count().default(32768) }).prefault({}),
  /** The two newest checkpoints are kept at least, because the last one may turn out to be damaged. */
  checkpoints: z.strictObject({ every: count().default(250), keep: count({ least: 2 }).default(2) }).prefault({}),
  /** What the model writes behind these prompts, every so many steps and at the end, so that one sees it learn; it writes nothing by default. */
  samples: z
    .strictObject({
      prompts: z.array(z.string().min(1)).min(1),
      every: count().default(250),
      /** Tokens behind each prompt at most. */
      tokens: count().default(48),
      temperature: z.number().min(0).default(0.8),
    })
    .optional(),
  /** Threads that compute; as many as the machine has cores by default. */
  threads: count().optional(),
});

/** See {@link trainRecipe}. */
export interface EarlierPlan {
  readonly steps: number;
  readonly until: number;
}

/** A recipe, read and completed by the schema's defaults. */
export type TrainRecipe = z.output<typeof trainRecipe>;

/** A recipe with nothing left open, unless it leaves the precision to the machine: see `settlePrecision`. */
export type CompleteRecipe = Omit<TrainRecipe, "tokens" | "model" | "steps" | "length" | "warmupSteps"> & {
  readonly model: LlamaConfig;
  readonly steps: number;
  readonly length: number;
  readonly warmupSteps: number;
};

/** A recipe with nothing left open. It is a {@link TrainRecipe} too, and means the same when read again. */
export type WholeRecipe = CompleteRecipe & { readonly precision: Precision };

/** @param name of the file or thing it came from, for messages */
export function parseRecipe(value: unknown, name: string): TrainRecipe {
  return parseWith(trainRecipe, value, where, name);
}

/**
 * Fills in what follows from the rest.
 * @param vocabSize the tokenizer's pieces; the model may have more rows, never fewer
 * @throws CriaError when sizes do not fit each other
 */
export function completeRecipe(recipe: TrainRecipe, vocabSize: number): CompleteRecipe {
  const model = completeModel(recipe.model, vocabSize);
  const { tokens, ...rest } = recipe;
  const length = recipe.length ?? model.contextLength;
  check(
    length <= model.contextLength,
    where,
    () => `length is ${length} but the model's contextLength ${model.contextLength}: shorten the one or raise the other`,
  );
  const steps = countSteps(recipe, recipe.batch * recipe.accumulation * length);
  const warmupSteps = recipe.warmupSteps ?? usualWarmup(steps);
  check(
    warmupSteps <= steps,
    where,
    () =>
      `the run has ${steps} steps, but the recipe's warm-up takes ${warmupSteps} (warmupSteps): set warmupSteps to ${usualWarmup(steps)} or so, too`,
  );
  checkPlans(recipe.earlierPlans ?? [], steps, warmupSteps);
  return { ...rest, model, steps, length, warmupSteps };
}

function checkPlans(plans: readonly EarlierPlan[], steps: number, warmupSteps: number): void {
  let from = warmupSteps;
  for (const [i, plan] of plans.entries()) {
    check(
      plan.until > from && plan.until <= Math.min(plan.steps, steps),
      where,
      () =>
        `earlierPlans[${i}] of ${plan.steps} steps ends in step ${plan.until}, but must end above ${from} and at most at ${Math.min(plan.steps, steps)}: restore what the run wrote`,
    );
    from = plan.until;
  }
}

function completeModel({ preset: name, ...parts }: TrainRecipe["model"], vocabSize: number): LlamaConfig {
  const given = withoutUndefined(parts);
  const merged = { ...(name !== undefined && presetFor(name, given)), vocabSize, ...given };
  const { dim, nLayers, nHeads } = merged;
  if (dim === undefined || nLayers === undefined || nHeads === undefined)
    fail(where, "model has neither a preset nor dim, nLayers and nHeads: give the one or the others");
  check(
    merged.vocabSize >= vocabSize,
    where,
    () => `model.vocabSize is ${merged.vocabSize} but the tokenizer has ${vocabSize} pieces: leave it out or raise it`,
  );
  if (name !== undefined) checkPresetHeads(name, given, merged.nKvHeads);
  const config = llamaConfig({ ...merged, dim, nLayers, nHeads });
  checkUsed(config);
  return config;
}

/** Names the preset where its number of key heads does not go with the recipe's number of heads. */
function checkPresetHeads(name: string, { nHeads, nKvHeads }: Partial<LlamaConfig>, ofPreset: number | undefined): void {
  const isFine = nHeads === undefined || nKvHeads !== undefined || ofPreset === undefined || nHeads % ofPreset === 0;
  check(
    isFine,
    where,
    () =>
      `model.nHeads is ${nHeads}, which is not a multiple of the ${ofPreset} heads of keys and values of the preset ${name}: give nKvHeads too`,
  );
}

/** Refuses settings that the model would compute nothing from. The folders of earlier runs that have them still open as models. */
function checkUsed({ positions, ropeScaling, slidingWindow, contextLength }: LlamaConfig): void {
  check(
    positions === "rope" || ropeScaling.type === "default",
    where,
    () => `model.ropeScaling is ${ropeScaling.type} but model.positions is ${positions}, which has no RoPE to scale: omit ropeScaling`,
  );
  check(
    slidingWindow === undefined || slidingWindow <= contextLength,
    where,
    () =>
      `model.slidingWindow is ${slidingWindow} but model.contextLength is ${contextLength}, so that no window is ever full: omit slidingWindow or choose a smaller one`,
  );
}

/** A preset; its heads' width, which follows from two other sizes, only where neither of them is given anew. */
function presetFor(name: string, { dim, nHeads }: Partial<LlamaConfig>): Partial<LlamaConfig> {
  const { headDim, ...rest } = preset(name);
  return dim === undefined && nHeads === undefined ? { ...rest, headDim } : rest;
}

function countSteps({ steps, tokens }: TrainRecipe, tokensPerStep: number): number {
  if ((steps === undefined) === (tokens === undefined))
    fail(where, `steps is ${steps ?? "not given"} and tokens ${tokens ?? "not given"}: give one of them`);
  return steps ?? Math.ceil(tokens! / tokensPerStep);
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** What may differ when a run goes on: where things lie and how it is watched, not what it computes. */
const free = new Set(["data", "tokenizer", "threads", "evaluation", "checkpoints", "samples", "stopOnSpike", "recompute"]);

/** A key of a recipe whose value is another one. */
export interface RecipeChange {
  /** Dotted. */
  readonly key: string;
  readonly before: unknown;
  readonly now: unknown;
}

/** Where two recipes would not give the same numbers. */
export function recipeChanges(before: CompleteRecipe, now: CompleteRecipe): RecipeChange[] {
  return differences(before, now).filter(({ key }) => !isFree(key));
}

/** Where two recipes give the same numbers in other ways, or on data that lie elsewhere. The tokenizer is not among them: a run folder has its own. */
export function freeChanges(before: CompleteRecipe, now: CompleteRecipe): RecipeChange[] {
  return differences(before, now).filter(({ key }) => isFree(key) && key !== "tokenizer");
}

function isFree(key: string): boolean {
  return free.has(key.split(".")[0] ?? key);
}

/** A recipe that an earlier cria wrote lacks later keys of the model: it means their defaults. */
function differences(before: CompleteRecipe, now: CompleteRecipe): RecipeChange[] {
  const whole = (recipe: CompleteRecipe) => flatten({ ...recipe, model: llamaConfig(recipe.model) });
  const [old, current] = [whole(before), whole(now)];
  return [...new Set([...old.keys(), ...current.keys()])]
    .filter((key) => old.get(key) !== current.get(key))
    .map((key) => ({ key, before: old.get(key), now: current.get(key) }));
}

function flatten(recipe: object, prefix = ""): Map<string, unknown> {
  const rows = Object.entries(recipe).flatMap(([key, value]): [string, unknown][] =>
    typeof value === "object" && value !== null ? [...flatten(value, `${prefix}${key}.`)] : [[prefix + key, value]],
  );
  return new Map(rows);
}
