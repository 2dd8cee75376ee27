// Which model fits the time: the smallest of a ladder for a minute, larger ones as the budget grows. The rungs were found by trying:
// docs/log/2026-11-23-demo.md. In so short a time a model sees far fewer tokens than 20 a parameter, so many small steps count most.
import { type LlamaSizes, llamaConfig, parameterCount } from "../../model/index.ts";

export interface Rung {
  readonly name: string;
  /** FLOPs of training from which on this rung is the better one. */
  readonly from: number;
  readonly model: LlamaSizes;
  readonly batch: number;
  readonly learningRate: number;
}

const ladder = [
  { from: 0, dim: 96, nLayers: 3, nHeads: 3, hiddenDim: 256, contextLength: 128, vocabSize: 2048, batch: 4, learningRate: 4e-3 },
  { from: 3e12, dim: 128, nLayers: 4, nHeads: 4, hiddenDim: 352, contextLength: 128, vocabSize: 4096, batch: 4, learningRate: 3e-3 },
  { from: 2.5e13, dim: 192, nLayers: 5, nHeads: 6, hiddenDim: 512, contextLength: 128, vocabSize: 4096, batch: 4, learningRate: 2e-3 },
  { from: 8e13, dim: 192, nLayers: 5, nHeads: 6, hiddenDim: 512, contextLength: 256, vocabSize: 4096, batch: 4, learningRate: 2e-3 },
  { from: 3e14, dim: 256, nLayers: 6, nHeads: 8, hiddenDim: 688, contextLength: 256, vocabSize: 4096, batch: 8, learningRate: 1.5e-3 },
] as const;

/** Fewer bytes of text than this for a piece, and the last merges would hardly be seen in training. */
const bytesPerPiece = 400;
const smallestVocabulary = 512;

/** Pieces of the tokenizer for a budget's model: fewer where the text is short. Said before the model, because the tokenizer is trained first. */
export function vocabularyFor(flops: number, textBytes: number): number {
  return Math.min(rowFor(flops).vocabSize, Math.max(smallestVocabulary, Math.floor(textBytes / bytesPerPiece)));
}

/** @param vocabSize what the tokenizer has. */
export function rungFor(flops: number, vocabSize: number): Rung {
  const { from, batch, learningRate, ...sizes } = rowFor(flops);
  const model = { ...sizes, vocabSize, tiedOutput: true };
  return { from, batch, learningRate, model, name: `${(parameterCount(llamaConfig(model)) / 1e6).toPrecision(2)}M` };
}

function rowFor(flops: number) {
  return ladder.findLast((row) => flops >= row.from) ?? ladder[0];
}
