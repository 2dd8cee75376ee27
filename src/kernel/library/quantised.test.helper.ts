// Matrices of random quantised blocks, and what their weights are: straight from the formats' definitions, in float64.
import { dequantise, isQuantised, type QuantisedDType, Rng, weightDTypes } from "../../base/index.ts";
import { exampleBytes } from "../../graph/index.ts";

export const quantisedTypes = weightDTypes.filter(isQuantised);

export interface Quantised {
  /** Bytes of the blocks, filled up to whole floats. */
  readonly buffer: Float32Array;
  readonly weights: Float64Array;
}

/** n rows of k weights; every byte random but for the exponents of the half floats. */
export function randomQuantised(type: QuantisedDType, n: number, k: number, seed: number): Quantised {
  const data = exampleBytes({ dtype: type, shape: [n, k] }, new Rng(seed));
  const padded = new Uint8Array(Math.ceil(data.length / 4) * 4);
  padded.set(data);
  return { buffer: new Float32Array(padded.buffer), weights: dequantise(type, data) };
}
