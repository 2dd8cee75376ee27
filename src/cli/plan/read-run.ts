// A finished training run as a point of the scaling law: its size, its tokens and the loss it ended with.
import { readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fail } from "../../base/index.ts";
import { parameterCount } from "../../model/index.ts";
import type { RunPoint } from "../../plan/index.ts";
import { type CompleteRecipe, completeRecipe, isStepRow, type MetricsRow, readMetrics, readRecipe, runPaths } from "../../train/index.ts";

const where = "plan";

export interface Run extends RunPoint {
  readonly name: string;
  readonly vocabSize: number;
  /** Held out, or of the last twentieth of training where nothing was held out. */
  readonly lossOf: "held-out text" | "training";
}

/** @throws CriaError when the folder holds no run, or one that has not come to its end: its learning rate is still high, so its loss says too little */
export async function readRun(folder: string): Promise<Run> {
  const paths = runPaths(folder);
  if (!(await isRun(folder)))
    fail(where, `${folder} holds no training run, there is no ${basename(paths.recipe)} in it: name a folder that cria train wrote`);
  const read = await readRecipe(paths.recipe);
  const recipe = completeRecipe(read, read.model.vocabSize ?? fail(where, `${paths.recipe} names no vocabulary: give the folder of a run`));
  const rows = await readMetrics(paths.metrics);
  const steps = rows.filter(isStepRow);
  const last = steps.at(-1);
  if (last?.step !== recipe.steps)
    fail(
      where,
      `${folder} is at step ${last?.step ?? 0} of ${recipe.steps}: finish it with cria train ${folder} --resume, or leave it out`,
    );
  return {
    ...{ name: basename(resolve(folder)), vocabSize: recipe.model.vocabSize },
    ...{ parameters: parameterCount(recipe.model), tokens: last.tokens },
    ...finalLoss(rows, recipe),
  };
}

/** @param paths runs, or folders with runs in them. @throws CriaError when the losses of the runs do not compare */
export async function readRuns(paths: readonly string[]): Promise<Run[]> {
  const folders = (await Promise.all(paths.map(runsIn))).flat();
  const unique = folders.filter((folder, i) => folders.findIndex((other) => resolve(other) === resolve(folder)) === i);
  const runs = await Promise.all(unique.map(readRun));
  const [first] = runs;
  const other = runs.find((run) => run.vocabSize !== first?.vocabSize);
  if (first !== undefined && other !== undefined)
    fail(
      where,
      `${first.name} has a vocabulary of ${first.vocabSize} and ${other.name} one of ${other.vocabSize}: nats a token compare with one tokenizer only`,
    );
  const mixed = runs.find((run) => run.lossOf !== first?.lossOf);
  if (first !== undefined && mixed !== undefined)
    fail(where, `${first.name} has a loss on ${first.lossOf} and ${mixed.name} on ${mixed.lossOf}: fit runs that were measured alike`);
  return runs;
}

/** The runs in a folder that is none itself, by name; where there are none, the folder, so that reading it says what is missing. */
async function runsIn(path: string): Promise<string[]> {
  if (await isRun(path)) return [path];
  const names = (await readdir(path).catch(() => [])).sort(new Intl.Collator("en", { numeric: true }).compare);
  const inside: string[] = [];
  for (const name of names) if (await isRun(join(path, name))) inside.push(join(path, name));
  return inside.length > 0 ? inside : [path];
}

async function isRun(folder: string): Promise<boolean> {
  return (await stat(runPaths(folder).recipe).catch(() => undefined)) !== undefined;
}

function finalLoss(rows: readonly MetricsRow[], { steps }: CompleteRecipe): Pick<Run, "loss" | "lossOf"> {
  const evaluation = rows.findLast((row) => !isStepRow(row) && row.step === steps);
  if (evaluation !== undefined && !isStepRow(evaluation)) return { loss: evaluation.heldOutLoss, lossOf: "held-out text" };
  const end = rows.filter(isStepRow).slice(-Math.ceil(steps / 20));
  return { loss: end.reduce((sum, row) => sum + row.loss, 0) / end.length, lossOf: "training" };
}
