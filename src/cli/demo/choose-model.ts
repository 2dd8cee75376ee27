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

/** Positions in a training sequence, and all that the model can look back on. */
export const contextLength = 256;

const shape = (dim: number, nLayers: number, nHeads: number, hiddenDim: number) => (vocabSize: number) => ({
  ...{ vocabSize, dim, nLayers, nHeads, hiddenDim, contextLength, tiedOutput: true },
});

const ladder = [
  { from: 0, shape: shape(96, 3, 3, 256), vocabSize: 1024, batch: 4, learningRate: 6e-3 },
  { from: 4e12, shape: shape(128, 4, 4, 352), vocabSize: 2048, batch: 4, learningRate: 5e-3 },
  { from: 4e13, shape: shape(192, 5, 6, 512), vocabSize: 2048, batch: 8, learningRate: 4e-3 },
  { from: 3e14, shape: shape(256, 6, 8, 688), vocabSize: 4096, batch: 16, learningRate: 3e-3 },
] as const;

/** Pieces of the tokenizer that a budget's model takes; said before the model, because the tokenizer is trained first. */
export function vocabularyFor(flops: number): number {
  return rowFor(flops).vocabSize;
}

/** @param vocabSize what the tokenizer has. */
export function rungFor(flops: number, vocabSize: number): Rung {
  const { shape: make, ...row } = rowFor(flops);
  const model = make(vocabSize);
  const millions = parameterCount(llamaConfig(model)) / 1e6;
  return { ...row, model, name: `${millions.toPrecision(2)}M` };
}

function rowFor(flops: number) {
  return ladder.findLast((row) => flops >= row.from) ?? ladder[0];
}
