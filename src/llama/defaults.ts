// How a loaded model writes where the caller's options are silent.
import { usualSampling } from "../formats/index.ts";
import type { OpenModel } from "../open/index.ts";
import type { GenerateOptions } from "./options.ts";
import { withoutOthers } from "./sampling-rules.ts";

/** GenerationConfig._get_default_generation_params, which every version since 4.28 agrees with. */
const transformersSampling = { temperature: 1, topK: 50, topP: 1 };

/** How a model writes where nothing is said: as its makers would have it, else as usual. */
export function defaultsOf(generation: OpenModel["generation"], endOfTurn: readonly number[]): GenerateOptions {
  const { bosTokenId: _, ...said } = generation;
  return { ...(saysHowToSample(said) ? transformersSampling : usualSampling), ...said, stopIds: endOfTurn };
}

/** A temperature of 0 does not count: it is how to take the most probable token. */
function saysHowToSample({ temperature = 0, topK, topP, minP, typicalP }: GenerateOptions): boolean {
  return temperature > 0 || [topK, topP, minP, typicalP].some((value) => value !== undefined);
}

/** Options with a model's defaults. The caller's limit counts of two that take each other's place, whichever of the two the model has. */
export function withDefaults(options: GenerateOptions, defaults: GenerateOptions): GenerateOptions {
  const merged: { -readonly [K in keyof GenerateOptions]: GenerateOptions[K] } = { ...withoutOthers(defaults, options), ...options };
  if (options.maxLength !== undefined && options.maxTokens === undefined) delete merged.maxTokens;
  if (options.minLength !== undefined && options.minTokens === undefined) delete merged.minTokens;
  return merged;
}
