// What a recipe asks of a trainer.
import type { WholeRecipe } from "./recipe.ts";
import type { TrainerOptions } from "./trainer.ts";

/** @param evaluates whether there is held-out text */
export function trainerOptions(recipe: WholeRecipe, evaluates: boolean): TrainerOptions {
  const { model: config, batch, length, recompute, precision, documentMask, accumulation, beta1, beta2, epsilon, decay, seed } = recipe;
  return {
    ...{ config, accumulation, seed, evaluates, documentMask },
    size: { batch, length, recompute, precision },
    adamw: { beta1, beta2, epsilon, decay },
    clipNorm: recipe.clipNorm === 0 ? Number.POSITIVE_INFINITY : recipe.clipNorm,
  };
}
