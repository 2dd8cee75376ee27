// Matrices of random quantised blocks, and what their weights are: straight from the formats' definitions, in float64.
import { Rng } from "../../base/index.ts";
import { float16Value } from "../narrow.ts";
import type { QuantisedType } from "./quantised-blocks.ts";

interface Format {
  readonly bytes: number;
  readonly weights: number;
  /** Where its f16 numbers are. */
  readonly halfFloats: readonly number[];
  weight(block: Uint8Array, i: number): number;
}

const half = (block: Uint8Array, at: number) => float16Value(block[at]! | (block[at + 1]! << 8));
const signed = (byte: number) => (byte << 24) >> 24;

export const formats: Readonly<Record<QuantisedType, Format>> = {
  q8_0: { bytes: 34, weights: 32, halfFloats: [0], weight: (b, i) => half(b, 0) * signed(b[2 + i]!) },
  q4_0: { bytes: 18, weights: 32, halfFloats: [0], weight: (b, i) => half(b, 0) * (((b[2 + (i % 16)]! >> (i < 16 ? 0 : 4)) & 15) - 8) },
  q4_1: {
    ...{ bytes: 20, weights: 32, halfFloats: [0, 2] },
    weight: (b, i) => half(b, 0) * ((b[4 + (i % 16)]! >> (i < 16 ? 0 : 4)) & 15) + half(b, 2),
  },
  q4_K: {
    ...{ bytes: 144, weights: 256, halfFloats: [0, 2] },
    weight(b, i) {
      const j = Math.floor(i / 32);
      const s = b.subarray(4, 16);
      const scale = j < 4 ? s[j]! & 63 : (s[j + 4]! & 15) | ((s[j - 4]! >> 6) << 4);
      const minimum = j < 4 ? s[j + 4]! & 63 : (s[j + 4]! >> 4) | ((s[j]! >> 6) << 4);
      const q = (b[16 + 32 * Math.floor(i / 64) + (i % 32)]! >> (4 * (j % 2))) & 15;
      return half(b, 0) * scale * q - half(b, 2) * minimum;
    },
  },
  q6_K: {
    ...{ bytes: 210, weights: 256, halfFloats: [208] },
    weight(b, i) {
      const [upper, l, quarter] = [Math.floor(i / 128), i % 32, Math.floor((i % 128) / 32)];
      const low = (b[64 * upper + 32 * (quarter % 2) + l]! >> (quarter < 2 ? 0 : 4)) & 15;
      const high = (b[128 + 32 * upper + l]! >> (2 * quarter)) & 3;
      return half(b, 208) * signed(b[192 + Math.floor(i / 16)]!) * ((low | (high << 4)) - 32);
    },
  },
};

export interface Quantised {
  /** Bytes of the blocks, filled up to whole floats. */
  readonly buffer: Float32Array;
  readonly weights: Float64Array;
}

/** n rows of k weights; every byte random but for the exponents of the half floats. */
export function randomQuantised(type: QuantisedType, n: number, k: number, seed: number): Quantised {
  const { bytes, weights, halfFloats, weight } = formats[type];
  const rng = new Rng(seed);
  const blocks = (n * k) / weights;
  const data = new Uint8Array(Math.ceil((blocks * bytes) / 4) * 4).map(() => rng.below(256));
  const values = new Float64Array(n * k);
  for (let i = 0; i < blocks; i++) {
    const block = data.subarray(i * bytes, (i + 1) * bytes);
    for (const at of halfFloats) block[at + 1] = (block[at + 1]! & 0x83) | 0x1c; // between 2⁻⁸ and 2⁻⁷, of either sign
    for (let j = 0; j < weights; j++) values[i * weights + j] = weight(block, j);
  }
  return { buffer: new Float32Array(data.buffer), weights: values };
}
