// This file makes of a recipe whose sources have steps the recipe of their cleaned texts, which is prepared like any recipe.
import type { DataRecipe, SourceRecipe } from "../corpus/index.ts";
import { type CleanedTexts, cleanedTexts } from "./cleaned.ts";
import { type CleanedSource, type OpenedJob, type OpenJobOptions, openJob } from "./open-job.ts";
import { type RunOptions, runPhases } from "./run-phases.ts";

/** A recipe after its cleaning. */
export interface CleanedRecipe {
  /** Its sources have no steps: those that had some name the cleaned files. */
  readonly recipe: DataRecipe;
  /** What was done, source by source; empty where no source has steps. */
  readonly cleaned: readonly CleanedTexts[];
  readonly notes: readonly string[];
}

/** Whether a source has steps, which a preparation does first. */
export function hasSteps(source: SourceRecipe): source is CleanedSource {
  return source.steps !== undefined;
}

/** The job of a recipe's sources with steps; undefined where none has some. @throws CriaError as `openJob` does */
export async function openRecipeJob(recipe: DataRecipe, options: OpenJobOptions): Promise<OpenedJob | undefined> {
  const sources = recipe.sources.filter(hasSteps);
  return sources.length === 0 ? undefined : openJob(sources, options);
}

/** Does what is not done yet of a recipe's cleaning. @throws CriaError as `openJob` and `runPhases` do; the signal's reason when it aborts */
export async function cleanRecipe(recipe: DataRecipe, options: OpenJobOptions & RunOptions): Promise<CleanedRecipe> {
  const opened = await openRecipeJob(recipe, options);
  if (opened === undefined) return { recipe, cleaned: [], notes: [] };
  const { job, notes, sources: ready } = opened;
  await runPhases(job, options, ready);
  const cleaned = await cleanedTexts(job, ready);
  const files = new Map(cleaned.map((texts) => [texts.name, [...texts.files]]));
  const sources = recipe.sources.map((source) => {
    const paths = files.get(source.name);
    return paths === undefined
      ? source
      : { name: source.name, weight: source.weight, licence: source.licence, paths, format: "jsonl" as const };
  });
  return { recipe: { ...recipe, sources }, cleaned, notes };
}
