// Which model fits the time and the text: the smallest of a ladder for a minute or for little text, larger ones as both grow. The rungs were
// found by trying: docs/log/2026-11-23-demo.md. In so short a time a model sees far fewer tokens than 20 per parameter, so many small steps count most.
import { type LlamaSizes, llamaConfig, parameterCount } from "../model/index.ts";

/** A model of the ladder, and how it is trained. */
export interface Rung {
  /** The number of parameters, such as "3.0M". */
  readonly name: string;
  readonly model: LlamaSizes;
  readonly batch: number;
  readonly learningRate: number;
}

/** What a model may learn with. */
export interface Means {
  /** Floating-point operations that training can do in its time. */
  readonly flops: number;
  /** Bytes of the text. */
  readonly bytes: number;
}

/** `from`: FLOPs of training from which on a rung is better than the one before. */
const ladder = [
  { from: 0, dim: 96, nLayers: 3, nHeads: 3, hiddenDim: 256, contextLength: 128, vocabSize: 2048, batch: 4, learningRate: 4e-3 },
  { from: 3e12, dim: 128, nLayers: 4, nHeads: 4, hiddenDim: 352, contextLength: 128, vocabSize: 4096, batch: 4, learningRate: 3e-3 },
  { from: 2.5e13, dim: 192, nLayers: 5, nHeads: 6, hiddenDim: 512, contextLength: 128, vocabSize: 4096, batch: 4, learningRate: 2e-3 },
  { from: 8e13, dim: 192, nLayers: 5, nHeads: 6, hiddenDim: 512, contextLength: 256, vocabSize: 4096, batch: 4, learningRate: 2e-3 },
  { from: 3e14, dim: 256, nLayers: 6, nHeads: 8, hiddenDim: 688, contextLength: 256, vocabSize: 4096, batch: 8, learningRate: 1.5e-3 },
] as const;
type Row = (typeof ladder)[number];

/**
 * Passes over a text behind which another one teaches nothing (Muennighoff et al. 2023, arXiv 2305.16264: up to four are nearly as good as
 * new text, and the value of more has vanished at about forty).
 */
export const mostEpochs = 40;

/** Fewer bytes of text than this per piece, and the last merges would hardly be seen in training. */
const bytesPerPiece = 400;
const smallestVocabulary = 512;
/** Bytes per token of a small vocabulary, about: what the size is chosen by before there is a tokenizer. */
const bytesPerToken = 3;

/** Pieces of the tokenizer for the means' model: fewer where the text is short. It is chosen before the model, because the tokenizer is trained first. */
export function vocabularyFor(means: Means): number {
  return Math.min(rowFor(means).vocabSize, Math.max(smallestVocabulary, Math.floor(means.bytes / bytesPerPiece)));
}

/** @param vocabSize the number of pieces that the tokenizer has */
export function rungFor(means: Means, vocabSize: number): Rung {
  const { from: _, batch, learningRate, ...sizes } = rowFor(means);
  const model = modelOf(sizes, vocabSize);
  return { batch, learningRate, model, name: `${(parameterCount(llamaConfig(model)) / 1e6).toPrecision(2)}M` };
}

/** The last rung that both the time and forty passes over the text pay for. */
function rowFor({ flops, bytes }: Means): Row {
  return ladder.findLast((row) => Math.min(flops, flopsOf(row, bytes)) >= row.from) ?? ladder[0];
}

/** 6 operations per parameter and token (Kaplan et al. 2020), for as many tokens as the text gives. */
function flopsOf({ from: _, batch: __, learningRate: ___, ...sizes }: Row, bytes: number): number {
  return 6 * parameterCount(llamaConfig(modelOf(sizes, sizes.vocabSize))) * ((mostEpochs * bytes) / bytesPerToken);
}

function modelOf(sizes: Omit<Row, "from" | "batch" | "learningRate">, vocabSize: number): LlamaSizes {
  return { ...sizes, vocabSize, tiedOutput: true };
}
