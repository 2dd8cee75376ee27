// Runs small enough for tests: a model of a few thousand parameters on a text with a pattern, in memory.
import { type Precision, Rng } from "../base/index.ts";
import { Mixture, type Tokens } from "../batches/index.ts";
import { completeRecipe, parseRecipe, type WholeRecipe } from "./recipe.ts";

export const vocabSize = 13;

/** Counts up, by a step that changes now and then: easy to learn, and never quite done. Every 11th token begins a document. */
export function patternTokens(length: number, seed = 1): Tokens {
  const rng = new Rng(seed);
  const values = new Int32Array(length);
  for (let i = 1, step = 1; i < length; i++) {
    if (rng.below(20) === 0) step = 1 + rng.below(3);
    values[i] = (values[i - 1]! + step) % vocabSize;
  }
  const read = async (first: number, count: number) => values.slice(first, first + count);
  const startsWithin = async (first: number, count: number) => {
    const next = Math.ceil(first / 11) * 11;
    return Array.from({ length: Math.max(0, Math.ceil((first + count - next) / 11)) }, (_, i) => next + 11 * i);
  };
  return { length, read, startsWithin };
}

export function tinyRecipe(changes: Record<string, unknown> = {}): WholeRecipe {
  const model = { dim: 16, nLayers: 2, nHeads: 2, nKvHeads: 1, hiddenDim: 24, contextLength: 16 };
  const recipe = { data: "/data", tokenizer: "/tokenizer.json", model, steps: 20, batch: 4, learningRate: 1e-2, seed: 7, ...changes };
  return { ...completeRecipe(parseRecipe(recipe, "test"), vocabSize), precision: (changes.precision ?? "float32") as Precision };
}

export function tinyBatches({ batch, length, seed, documentMask }: WholeRecipe): Mixture {
  const sources = [
    { name: "a", weight: 2, tokens: patternTokens(700, 1) },
    { name: "b", weight: 1, tokens: patternTokens(300, 2) },
  ];
  return new Mixture(sources, { batch, length, seed, documentMask });
}
