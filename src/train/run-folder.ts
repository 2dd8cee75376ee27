// A run folder: a Hugging Face model folder, which other tools open as it is, with our recipe, metrics and checkpoints beside.
import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { check, type OnProgress } from "../base/index.ts";
import { atomicWrite, atomicWriteJson, explainIo, makeFolder } from "../files/index.ts";
import { tokenizerConfigJson, tokenizerJson, writeGenerationConfig, writeHfConfig, writeSafetensors } from "../formats/index.ts";
import type { LlamaConfig } from "../model/index.ts";
import type { TokenizerModel } from "../tokenizer/index.ts";
import { type StoredTensor, toWrite } from "./checkpoint.ts";
import { type WholeRecipe, writeRecipe } from "./recipe.ts";
import { isLock } from "./run-lock.ts";

const where = "run";

/** Where things lie in a run folder. */
export function runPaths(folder: string) {
  const inside = (name: string) => join(folder, name);
  return {
    recipe: inside("train.yaml"),
    tokenizer: inside("tokenizer.json"),
    metrics: inside("metrics.jsonl"),
    checkpoints: inside("checkpoints"),
    model: inside("model.safetensors"),
  };
}

/**
 * @param locked the caller holds the folder's lock, which then does not count
 * @throws CriaError unless the folder is absent or empty: a run is never overwritten.
 */
export async function checkUnused(folder: string, { locked = false } = {}): Promise<void> {
  const names: string[] = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw explainIo(where, folder, error);
  });
  const found = names.filter((name) => !(locked && isLock(name)));
  const isRun = found.includes("train.yaml");
  check(
    found.length === 0,
    where,
    () =>
      `${folder}: ${isRun ? "it holds a run: go on with --resume" : `it is in use (${found[0]}): empty it`}, or choose another folder with --out`,
  );
}

/** Everything but the weights, the recipe last; writes over a folder whose making was cut short, and leaves nothing when it fails. The recipe written names the folder's own tokenizer. */
export async function startRunFolder(folder: string, recipe: WholeRecipe, tokenizer: TokenizerModel): Promise<WholeRecipe> {
  const paths = runPaths(folder);
  await makeFolder(folder, where);
  const documents = { ...configDocuments(recipe.model, tokenizer), ...tokenizerDocuments(tokenizer) };
  const own = { ...recipe, tokenizer: paths.tokenizer };
  try {
    for (const [name, document] of Object.entries(documents)) await atomicWriteJson(join(folder, name), document, where);
    await writeRecipe(paths.recipe, own);
  } catch (error) {
    await Promise.all(Object.keys(documents).map((name) => rm(join(folder, name), { force: true })));
    await rmdir(folder).catch(() => undefined); // more than ours may be in it
    throw error;
  }
  return own;
}

/** model.safetensors, with the metadata that transformers asks for. */
export async function saveModel(folder: string, tensors: readonly StoredTensor[], progress?: OnProgress): Promise<void> {
  const rows = tensors.filter((tensor) => tensor.part === "model");
  progress?.({ task: "saving the model", done: 0, total: rows.length, unit: "tensors" });
  await atomicWrite(runPaths(folder).model, writeSafetensors(rows.map(toWrite), { format: "pt" }), where);
}

function configDocuments(config: LlamaConfig, { bosId, eosId }: TokenizerModel) {
  const ids = { ...(bosId === undefined ? {} : { bosTokenId: bosId }), eosTokenIds: eosId === undefined ? [] : [eosId] };
  return { "config.json": writeHfConfig({ config, ...ids }), "generation_config.json": writeGenerationConfig(ids) };
}

function tokenizerDocuments(tokenizer: TokenizerModel) {
  return { "tokenizer.json": tokenizerJson(tokenizer), "tokenizer_config.json": tokenizerConfigJson(tokenizer) };
}
