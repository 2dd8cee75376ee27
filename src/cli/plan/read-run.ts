// A finished training run as a point of the scaling law: its size, its tokens and the loss it ended with.
import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
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
  if ((await stat(paths.recipe).catch(() => undefined)) === undefined)
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

/** @throws CriaError when the losses of the runs do not compare */
export async function readRuns(folders: readonly string[]): Promise<Run[]> {
  const runs = await Promise.all(folders.map(readRun));
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

function finalLoss(rows: readonly MetricsRow[], { steps }: CompleteRecipe): Pick<Run, "loss" | "lossOf"> {
  const evaluation = rows.findLast((row) => !isStepRow(row) && row.step === steps);
  if (evaluation !== undefined && !isStepRow(evaluation)) return { loss: evaluation.heldOutLoss, lossOf: "held-out text" };
  const end = rows.filter(isStepRow).slice(-Math.ceil(steps / 20));
  return { loss: end.reduce((sum, row) => sum + row.loss, 0) / end.length, lossOf: "training" };
}
