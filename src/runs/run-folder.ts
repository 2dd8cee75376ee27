// A run folder: a Hugging Face model folder, which other tools open as it is, with our recipe, metrics and checkpoints beside.
import { readdir, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { check, type OnProgress } from "../base/index.ts";
import { atomicWrite, atomicWriteJson, explainIo, isPartial, makeFolder, removePartials } from "../files/index.ts";
import { modelDocuments, needsTokenizerModel } from "../formats/index.ts";
import type { TokenizerModel } from "../tokenizer/index.ts";
import { partBytes, type StoredTensor, type WholeRecipe } from "../train/index.ts";
import { writeRecipe } from "./recipe-file.ts";
import { isLock } from "./run-lock.ts";

const where = "run";
/** The files of a Hugging Face folder that are there from the beginning. */
const documentNames = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer.model", "tokenizer_config.json"] as const;

/** Where things lie in a run folder. */
export function runPaths(folder: string) {
  const inside = (name: string) => join(folder, name);
  return {
    recipe: inside("train.yaml"),
    /** The recipe while the folder is being made: what stands beside it then is ours, and may be written over. */
    begun: inside("train.yaml.begun"),
    tokenizer: inside("tokenizer.json"),
    metrics: inside("metrics.jsonl"),
    machine: inside("machine.json"),
    checkpoints: inside("checkpoints"),
    model: inside("model.safetensors"),
  };
}

/** The run folder's own tokenizer: a tokenizer.json, or a tokenizer.model where only that says what the tokenizer does. */
export function ownTokenizer(folder: string, model: TokenizerModel): string {
  return join(folder, needsTokenizerModel(model) ? "tokenizer.model" : "tokenizer.json");
}

/**
 * Locks, and what was being written when a program was killed, do not count; neither do the files of a run folder whose making was cut short.
 * @throws CriaError unless the folder is absent or empty but for these: a run is never overwritten.
 */
export async function checkUnused(folder: string): Promise<void> {
  const names: string[] = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw explainIo(where, folder, error);
  });
  const isRun = names.includes("train.yaml");
  const made: readonly string[] = !isRun && names.includes("train.yaml.begun") ? ["train.yaml.begun", ...documentNames] : [];
  const found = names.filter((name) => !isLock(name) && !isPartial(name) && !made.includes(name));
  check(
    found.length === 0,
    where,
    () =>
      `${folder}: ${isRun ? "it holds a run: go on with it" : `it is not empty (it holds ${found[0]})`}${isRun ? ", or" : ":"} choose another folder`,
    { ways: isRun ? ["resume", "out"] : ["out"] },
  );
}

/** Where a run's recipe stands: in RUN/train.yaml, or in RUN/train.yaml.begun when the program that made the folder was killed meanwhile. */
export async function findRecipe(folder: string): Promise<{ readonly path: string; readonly isBegun: boolean }> {
  const { recipe, begun } = runPaths(folder);
  const isBegun = !(await exists(recipe)) && (await exists(begun));
  return { path: isBegun ? begun : recipe, isBegun };
}

/** Removes what killed programs left half written in a run folder. The caller holds its lock. */
export async function removeLeftovers(folder: string): Promise<void> {
  const { checkpoints, recipe, begun } = runPaths(folder);
  await Promise.all([folder, checkpoints].map((path) => removePartials(path, { isLocked: true })));
  if (await exists(recipe)) await rm(begun, { force: true });
}

/**
 * Everything but the weights, the recipe last; writes over a folder whose making was cut short, and leaves nothing when it fails. The recipe written
 * names the folder's own tokenizer. Until all is there it stands under another name, and names the tokenizer it was given, so that a folder whose
 * maker was killed can be made again from it.
 */
export async function startRunFolder(folder: string, recipe: WholeRecipe, tokenizer: TokenizerModel): Promise<WholeRecipe> {
  const paths = runPaths(folder);
  await makeFolder(folder, where);
  const documents = new Map(Object.entries(await modelDocuments(recipe.model, tokenizer)));
  const own = { ...recipe, tokenizer: ownTokenizer(folder, tokenizer) };
  try {
    await writeRecipe(paths.begun, recipe);
    for (const [name, content] of documents) {
      if (content instanceof Uint8Array) await atomicWrite(join(folder, name), content, where);
      else await atomicWriteJson(join(folder, name), content, where);
    }
    await writeRecipe(paths.recipe, own);
    await rm(paths.begun, { force: true });
  } catch (error) {
    await Promise.all([paths.begun, ...documentNames.map((name) => join(folder, name))].map((path) => rm(path, { force: true })));
    await rmdir(folder).catch(() => undefined); // more than ours may be in it
    throw error;
  }
  return own;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** model.safetensors, with the metadata that transformers asks for. */
export async function saveModel(folder: string, tensors: readonly StoredTensor[], progress?: OnProgress): Promise<void> {
  const total = tensors.filter((tensor) => tensor.part === "model").length;
  progress?.({ task: "saving the model", done: 0, total, unit: "tensors" });
  await atomicWrite(runPaths(folder).model, partBytes(tensors, "model"), where);
}
