// Blocks of quantised elements as float32, block by block: what ggml-quants.c (dequantize_row_*) computes, and the fast path of `dequantise`, whose values in
// float64 these are, rounded once. One row per layout; the layouts themselves are drawn in base/element-layouts.ts.
import { elementLayouts, type QuantisedDType } from "../base/index.ts";
import { float16At } from "./half-floats.ts";

/** Fills `out` with the elements of whole blocks, one after another. @param bytes as many blocks as `out` has places for */
export function dequantiseBlocks(dtype: QuantisedDType, bytes: Uint8Array, out: Float32Array): void {
  const { block, bytes: size } = elementLayouts[dtype];
  const widen = widenBlock[dtype];
  for (let at = 0, o = 0; o < out.length; at += size, o += block) widen(bytes, at, out, o);
}

/** Writes the elements of the block at byte `at` to `out` from `o` on. */
type WidenBlock = (b: Uint8Array, at: number, out: Float32Array, o: number) => void;

const widenBlock: Readonly<Record<QuantisedDType, WidenBlock>> = {
  q8_0(b, at, out, o) {
    const d = float16At(b, at);
    for (let i = 0; i < 32; i++) out[o + i] = d * signed(b[at + 2 + i]!);
  },
  q4_0(b, at, out, o) {
    const d = float16At(b, at);
    for (let i = 0; i < 16; i++) {
      const q = b[at + 2 + i]!;
      out[o + i] = d * ((q & 15) - 8);
      out[o + 16 + i] = d * ((q >> 4) - 8);
    }
  },
  q4_1(b, at, out, o) {
    const [d, m] = [float16At(b, at), float16At(b, at + 2)];
    for (let i = 0; i < 16; i++) {
      const q = b[at + 4 + i]!;
      out[o + i] = d * (q & 15) + m;
      out[o + 16 + i] = d * (q >> 4) + m;
    }
  },
  q4_K(b, at, out, o) {
    const [d, dmin] = [float16At(b, at), float16At(b, at + 2)];
    for (let j = 0; j < 8; j++) {
      const [scale, minimum] = [d * sixBitScale(b, at + 4, j), dmin * sixBitMinimum(b, at + 4, j)];
      const [from, shift] = [at + 16 + 32 * (j >> 1), 4 * (j & 1)];
      for (let i = 0; i < 32; i++) out[o + 32 * j + i] = scale * ((b[from + i]! >> shift) & 15) - minimum;
    }
  },
  q6_K(b, at, out, o) {
    const d = float16At(b, at + 208);
    for (let part = 0; part < 8; part++) {
      const [upper, quarter] = [part >> 2, part & 3];
      const [low, high, scales] = [at + 64 * upper + 32 * (quarter & 1), at + 128 + 32 * upper, at + 192 + 2 * part];
      for (let i = 0; i < 32; i++) {
        const q = ((b[low + i]! >> (quarter < 2 ? 0 : 4)) & 15) | (((b[high + i]! >> (2 * quarter)) & 3) << 4);
        out[o + 32 * part + i] = d * signed(b[scales + (i >> 4)]!) * (q - 32);
      }
    }
  },
};

function signed(byte: number): number {
  return (byte << 24) >> 24;
}

/** Scale j of eight, six bits each in twelve bytes with eight minima. */
function sixBitScale(b: Uint8Array, at: number, j: number): number {
  return j < 4 ? b[at + j]! & 63 : (b[at + j + 4]! & 15) | ((b[at + j - 4]! >> 6) << 4);
}

function sixBitMinimum(b: Uint8Array, at: number, j: number): number {
  return j < 4 ? b[at + j + 4]! & 63 : (b[at + j + 4]! >> 4) | ((b[at + j]! >> 6) << 4);
}
