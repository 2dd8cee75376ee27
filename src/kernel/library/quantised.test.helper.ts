// Matrices of random quantised blocks, and what their weights are: straight from the formats' definitions, in float64.
import { dequantise, elementLayouts, isQuantised, type QuantisedDType, Rng, weightDTypes } from "../../base/index.ts";
import { exampleBytes } from "../../graph/index.ts";
import { panelLayouts } from "./panel-layouts.ts";

export const quantisedTypes = weightDTypes.filter(isQuantised);

export interface Quantised {
  /** Bytes of the blocks, filled up to whole floats. */
  readonly buffer: Float32Array;
  readonly weights: Float64Array;
}

/** n rows of k weights; every byte random but for the exponents of the half floats. */
export function randomQuantised(type: QuantisedDType, n: number, k: number, seed: number): Quantised {
  return quantisedOf(type, exampleBytes({ dtype: type, shape: [n, k] }, new Rng(seed)));
}

/** Rows of k weights, each of which repeats one byte, but for the half floats, which are random. */
export function filledQuantised(type: QuantisedDType, rows: readonly number[], k: number): Quantised {
  const data = exampleBytes({ dtype: type, shape: [rows.length, k] }, new Rng(1));
  const { bytes } = elementLayouts[type];
  const isHalf = (at: number) => panelLayouts[type].halves.some((half) => at === half || at === half + 1);
  return quantisedOf(
    type,
    data.map((random, i) => (isHalf(i % bytes) ? random : rows[Math.floor((i * rows.length) / data.length)]!)),
  );
}

function quantisedOf(type: QuantisedDType, data: Uint8Array): Quantised {
  const padded = new Uint8Array(Math.ceil(data.length / 4) * 4);
  padded.set(data);
  return { buffer: new Float32Array(padded.buffer), weights: dequantise(type, data) };
}
