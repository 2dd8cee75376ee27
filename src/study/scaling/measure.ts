// What the scaling study trains: four sizes at three lengths, and a larger and longer run.
import { llamaConfig, parameterCount } from "../../model/index.ts";
import type { EncodedText } from "../encoded-text.ts";
import type { Trial } from "../trial.ts";

/** Pieces of the study's tokenizer. */
export const vocabSize = 512;
const length = 64;

interface Size {
  readonly dim: number;
  readonly nLayers: number;
  readonly nHeads: number;
  readonly hiddenDim: number;
  /** Smaller models bear larger ones. */
  readonly learningRate: number;
}

/** Each has about twice the parameters of the one before. */
const sizes: readonly Size[] = [
  { dim: 32, nLayers: 2, nHeads: 2, hiddenDim: 88, learningRate: 8e-3 },
  { dim: 48, nLayers: 3, nHeads: 3, hiddenDim: 128, learningRate: 6e-3 },
  { dim: 64, nLayers: 4, nHeads: 4, hiddenDim: 176, learningRate: 4e-3 },
  { dim: 96, nLayers: 4, nHeads: 4, hiddenDim: 256, learningRate: 3e-3 },
];
const largest: Size = { dim: 128, nLayers: 5, nHeads: 4, hiddenDim: 344, learningRate: 2.5e-3 };
/** Shares of the largest run's steps. */
const shares = [1 / 8, 1 / 4, 1 / 2];
/** The shortest runs then have one. */
export const leastSteps = 8;

function trialOf({ learningRate, ...model }: Size, stepShare: number, text: EncodedText): Trial {
  const config = llamaConfig({ ...model, vocabSize, contextLength: length, tiedOutput: true });
  const name = `${(parameterCount(config) / 1e6).toPrecision(2)}M`;
  return { variant: { name, config, size: { batch: 4, length }, text }, learningRate, warmupShare: 0.1, stepShare };
}

/** Every size at every length, and the larger run that the law has not seen. */
export function lawTrials(text: EncodedText): { readonly trials: readonly Trial[]; readonly held: Trial } {
  const small = sizes.map((size) => shares.map((share) => trialOf(size, share, text)));
  // One variant per size: it is compiled once for all lengths.
  const trials = small.flatMap((row) => row.map((trial) => ({ ...trial, variant: row[0]!.variant })));
  return { trials, held: trialOf(largest, 1, text) };
}
