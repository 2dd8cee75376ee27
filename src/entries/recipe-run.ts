// Runs of a recipe in their folders, begun or gone on with from the newest checkpoint: what opens data, tokenizer and backend around the training.
import { resolve } from "node:path";
import type { Backend } from "../backend/index.ts";
import { fail } from "../base/index.ts";
import { vocabularyOf } from "../batches/index.ts";
import { PreparedData } from "../corpus/index.ts";
import { openCpuBackend } from "../host/index.ts";
import { openAnyTokenizer } from "../load/index.ts";
import {
  type Checkpoint,
  changesSince,
  checkUnused,
  latestCheckpoint,
  ownTokenizer,
  readRecipe,
  recipeFrom,
  runPaths,
  startRunFolder,
  type TrainJob,
  type TrainSummary,
  trainRun,
} from "../runs/index.ts";
import { completeRecipe, parseRecipe, settlePrecision, type TrainRecipe } from "../train/index.ts";

/** How a run is trained: where it computes, and who is told what. */
export interface RunOptions
  extends Pick<TrainJob, "signal" | "onMemory" | "onStep" | "onEvaluation" | "onCheckpoint" | "onNotice" | "progress"> {
  /** Where to compute; it stays the caller's. This machine's CPU by default. */
  readonly backend?: Backend;
}

/**
 * Trains a run in a folder of its own, to the last step of the recipe or until the signal aborts.
 * @param recipe the path of a recipe, whose own paths start from its folder; or what would stand in it, whose paths start from the working folder
 * @throws CriaError when the recipe has mistakes, the folder is in use, the data are of another tokenizer, or memory does not suffice; BadLossError
 */
export async function beginRun(recipe: string | object, folder: string, options: RunOptions = {}): Promise<TrainSummary> {
  const asked = typeof recipe === "string" ? await readRecipe(recipe) : recipeFrom(process.cwd(), parseRecipe(recipe, "the recipe"));
  await checkUnused(folder);
  return train(asked, folder, options, undefined);
}

/**
 * Goes on with the run in a folder from its newest checkpoint, or begins it where nothing was saved, by the recipe that stands there.
 * @throws CriaError when the recipe, the data or the target is another one than the checkpoint's, and as {@link beginRun} does
 */
export async function resumeRun(folder: string, options: RunOptions = {}): Promise<TrainSummary> {
  const { recipe, checkpoints } = runPaths(folder);
  return train(await readRecipe(recipe), folder, options, { checkpoint: await latestCheckpoint(checkpoints) });
}

async function train(
  asked: TrainRecipe,
  folder: string,
  options: RunOptions,
  resumed: { readonly checkpoint: Checkpoint | undefined } | undefined,
): Promise<TrainSummary> {
  const { backend: given, ...callbacks } = options;
  const tokenizer = await openAnyTokenizer(asked.tokenizer);
  await using data = await PreparedData.open(asked.data, vocabularyOf(tokenizer));
  const backend = given ?? (await openCpuBackend(asked.threads === undefined ? {} : { threads: asked.threads }));
  try {
    const settled = await settlePrecision(completeRecipe(asked, tokenizer.vocabSize), backend);
    const recipe = { ...settled, tokenizer: resolve(ownTokenizer(folder, tokenizer.model)) };
    const { batch, length, seed, documentMask } = recipe;
    const origin = { target: backend.target, data: await data.fingerprints() };
    const checkpoint = resumed?.checkpoint;
    if (checkpoint) checkSame(folder, checkpoint, { recipe, origin });
    return await trainRun({
      ...{ backend, recipe, folder, origin, checkpoint, tokenizer, ...callbacks },
      onReady: async () => {
        // A run that cannot begin leaves no folder. Until the folder is whole its recipe names the tokenizer that was given.
        if (!resumed) await startRunFolder(folder, settled, tokenizer.model);
      },
      batches: data.mixture({ batch, length, seed, documentMask }),
      heldOut: data.heldOut && { tokens: data.heldOut, bytes: data.heldOut.totals.bytes },
    });
  } finally {
    if (!given) await backend.dispose();
  }
}

/** A run of code has nobody to ask whether a change is meant; the command line has, and logs it. */
function checkSame(folder: string, { state }: Checkpoint, now: Parameters<typeof changesSince>[1]): void {
  const [change] = changesSince(state, now);
  if (change === undefined) return;
  fail(
    "train",
    `${folder}: ${change.key} is ${JSON.stringify(change.now)} but was ${JSON.stringify(change.before)} when its checkpoint was made: restore it, or begin a new run`,
  );
}
