// A finished training run as a point of the scaling law: its size, its tokens and the loss it ended with.
import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fail } from "../base/index.ts";
import { manifestName } from "../corpus/index.ts";
import { readWhole } from "../files/index.ts";
import { parameterCount } from "../model/index.ts";
import { type CompleteRecipe, completeRecipe } from "../train/index.ts";
import { isEvaluationRow, isStepRow, type MetricsRow, readMetrics } from "./metrics-log.ts";
import { readRecipe } from "./recipe-file.ts";
import { runPaths } from "./run-folder.ts";

const where = "plan";

/** A finished run, as a law is fitted to it. */
export interface FinishedRun {
  readonly name: string;
  readonly parameters: number;
  /** Tokens that it was trained on. */
  readonly tokens: number;
  /** The final loss in nats per token. */
  readonly loss: number;
  readonly vocabSize: number;
  /** SHA-256 of its tokenizer, where the folder holds one. */
  readonly tokenizer?: string;
  /** Where its text was prepared, and SHA-256 of what was written there, while it lies there. */
  readonly data: { readonly path: string; readonly manifest?: string };
  /** Held out, or of the last twentieth of training where nothing was held out. */
  readonly lossOf: "held-out text" | "training";
}

/** A run that has not come to its end: its learning rate is still high, so its loss says too little. */
export interface UnfinishedRun {
  readonly name: string;
  readonly folder: string;
  readonly step: number;
  readonly steps: number;
}

/** @throws CriaError when the folder holds no run, or one that cannot be read */
async function readRun(folder: string): Promise<FinishedRun | UnfinishedRun> {
  const paths = runPaths(folder);
  if (!(await isRun(folder)))
    fail(where, `${folder} holds no training run, there is no ${basename(paths.recipe)} in it: name a folder that training wrote`);
  const read = await readRecipe(paths.recipe);
  const recipe = completeRecipe(read, read.model.vocabSize ?? fail(where, `${paths.recipe} names no vocabulary: give the folder of a run`));
  const rows = (await exists(paths.metrics)) ? await readMetrics(paths.metrics) : [];
  const last = rows.filter(isStepRow).at(-1);
  const name = basename(resolve(folder));
  if (last?.step !== recipe.steps) return { name, folder, step: last?.step ?? 0, steps: recipe.steps };
  const files = [paths.tokenizer, join(folder, "tokenizer.model"), join(recipe.data, manifestName)];
  const [json, model, manifest] = await Promise.all(files.map(hashOf));
  const tokenizer = json ?? model;
  return {
    ...{ name, vocabSize: recipe.model.vocabSize, ...(tokenizer !== undefined && { tokenizer }) },
    data: { path: recipe.data, ...(manifest !== undefined && { manifest }) },
    ...{ parameters: parameterCount(recipe.model), tokens: last.tokens },
    ...finalLoss(rows, recipe),
  };
}

/**
 * @param paths runs, or folders with runs in them, of which the unfinished are left out
 * @throws CriaError for a run that is named and unfinished, when none is finished, and when the losses of the runs do not compare
 */
export async function readFinishedRuns(
  paths: readonly string[],
): Promise<{ readonly runs: FinishedRun[]; readonly unfinished: UnfinishedRun[] }> {
  const folders = (await Promise.all(paths.map(runsIn))).flat();
  const unique = folders.filter((folder, i) => folders.findIndex((other) => resolve(other) === resolve(folder)) === i);
  const read = await Promise.all(unique.map(readRun));
  const isFinished = (one: FinishedRun | UnfinishedRun): one is FinishedRun => !("steps" in one);
  const runs = read.filter(isFinished);
  const unfinished = read.filter((one) => !isFinished(one)) as UnfinishedRun[];
  const isNamed = ({ folder }: UnfinishedRun) => paths.some((path) => resolve(path) === resolve(folder));
  const refused = unfinished.find(isNamed) ?? (runs.length === 0 ? unfinished[0] : undefined);
  if (refused !== undefined) fail(where, `${refused.folder} is at step ${refused.step} of ${refused.steps}: finish it, or leave it out`);
  for (const run of runs) checkAlike(runs[0]!, run);
  return { runs, unfinished };
}

/** @throws CriaError when the losses of two runs do not compare */
function checkAlike(first: FinishedRun, other: FinishedRun): void {
  const both = (a: unknown, b: unknown) => a !== undefined && b !== undefined;
  if (first.vocabSize !== other.vocabSize)
    fail(
      where,
      `${first.name} has a vocabulary of ${first.vocabSize} and ${other.name} one of ${other.vocabSize}: nats per token compare with one tokenizer only`,
    );
  if (both(first.tokenizer, other.tokenizer) && first.tokenizer !== other.tokenizer)
    fail(where, `${first.name} and ${other.name} have different tokenizers: nats per token compare with one tokenizer only`);
  const [a, b] = [first.data, other.data];
  const isSameData = resolve(a.path) === resolve(b.path) || (both(a.manifest, b.manifest) && a.manifest === b.manifest);
  if (!isSameData)
    fail(
      where,
      `${first.name} learnt from ${a.path} and ${other.name} from ${b.path}: losses on different texts do not compare, so fit them apart`,
    );
  if (first.lossOf !== other.lossOf)
    fail(where, `${first.name} has a loss on ${first.lossOf} and ${other.name} on ${other.lossOf}: fit runs that were measured alike`);
}

/** The runs in a folder that is none itself, or in its runs/, by name; where there are none, the folder, so that reading it says what is missing. */
async function runsIn(path: string): Promise<string[]> {
  if (await isRun(path)) return [path];
  for (const folder of [path, join(path, "runs")]) {
    const inside = await runsOf(folder);
    if (inside.length > 0) return inside;
  }
  return [path];
}

async function runsOf(folder: string): Promise<string[]> {
  const names = (await readdir(folder).catch(() => [])).sort(new Intl.Collator("en", { numeric: true }).compare);
  const inside: string[] = [];
  for (const name of names) if (await isRun(join(folder, name))) inside.push(join(folder, name));
  return inside;
}

function isRun(folder: string): Promise<boolean> {
  return exists(runPaths(folder).recipe);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** SHA-256 in hexadecimal; undefined where nothing can be read. */
async function hashOf(path: string): Promise<string | undefined> {
  const content = await readWhole(path, where, "tokenizer").catch(() => undefined);
  return content && createHash("sha256").update(content).digest("hex");
}

function finalLoss(rows: readonly MetricsRow[], { steps }: CompleteRecipe): Pick<FinishedRun, "loss" | "lossOf"> {
  const evaluation = rows.filter(isEvaluationRow).findLast((row) => row.step === steps);
  if (evaluation !== undefined) return { loss: evaluation.heldOutLoss, lossOf: "held-out text" };
  const end = rows.filter(isStepRow).slice(-Math.ceil(steps / 20));
  return { loss: end.reduce((sum, row) => sum + row.loss, 0) / end.length, lossOf: "training" };
}
