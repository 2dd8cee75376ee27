// A recipe as a file, train.yaml.
import { dirname, relative, resolve, sep } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { readYaml } from "../corpus/index.ts";
import { atomicWrite } from "../files/index.ts";
import { isHubName } from "../hub/index.ts";
import { parseRecipe, type TrainRecipe, type WholeRecipe } from "../train/index.ts";
import { applySettings } from "./settings.ts";

const where = "train";

/**
 * Reads a recipe; its paths come out absolute.
 * @param settings "key=value" with dotted keys, over what the file says
 * @throws CriaError when the file cannot be read, or holds what a recipe may not: misspelt keys with the nearest right one
 */
export async function readRecipe(path: string, settings: readonly string[] = []): Promise<TrainRecipe> {
  const recipe = parseRecipe(applySettings(await readYaml(path, z.unknown(), where), settings), path);
  const folder = dirname(resolve(path));
  return recipeFrom(folder, recipe);
}

/** A recipe with paths that start from a folder made absolute; a tokenizer of Hugging Face's hub keeps its name. */
export function recipeFrom(folder: string, recipe: TrainRecipe): TrainRecipe {
  const { data, tokenizer } = recipe;
  return { ...recipe, data: resolve(folder, data), tokenizer: isHubName(tokenizer) ? tokenizer : resolve(folder, tokenizer) };
}

/** Writes RUN/train.yaml; paths are relative to the run folder, so that a folder with runs and data can move. */
export async function writeRecipe(path: string, recipe: WholeRecipe): Promise<void> {
  const folder = dirname(resolve(path));
  const portable = (file: string) => relative(folder, file).split(sep).join("/") || ".";
  const written = { ...recipe, data: portable(recipe.data), tokenizer: portable(recipe.tokenizer) };
  await atomicWrite(path, stringify(written), where);
}
