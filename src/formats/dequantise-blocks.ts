// Blocks of quantised elements as float32, block by block: what ggml-quants.c (dequantize_row_*) computes, and the fast path of `dequantise`,
// whose values in float64 these are, rounded once. One row per layout; the layouts themselves are drawn in base/element-layouts.ts.
import { elementLayouts, iq4Values, type QuantisedDType } from "../base/index.ts";
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
  q5_0(b, at, out, o) {
    const d = float16At(b, at);
    for (let i = 0; i < 16; i++) {
      const q = b[at + 6 + i]!;
      out[o + i] = d * (((q & 15) | (bit(b, at + 2, i) << 4)) - 16);
      out[o + 16 + i] = d * (((q >> 4) | (bit(b, at + 2, 16 + i) << 4)) - 16);
    }
  },
  q5_1(b, at, out, o) {
    const [d, m] = [float16At(b, at), float16At(b, at + 2)];
    for (let i = 0; i < 16; i++) {
      const q = b[at + 8 + i]!;
      out[o + i] = d * ((q & 15) | (bit(b, at + 4, i) << 4)) + m;
      out[o + 16 + i] = d * ((q >> 4) | (bit(b, at + 4, 16 + i) << 4)) + m;
    }
  },
  iq4_nl(b, at, out, o) {
    const d = float16At(b, at);
    for (let i = 0; i < 16; i++) {
      const q = b[at + 2 + i]!;
      out[o + i] = d * iq4Values[q & 15]!;
      out[o + 16 + i] = d * iq4Values[q >> 4]!;
    }
  },
  q2_K(b, at, out, o) {
    const [d, dmin] = [float16At(b, at + 80), float16At(b, at + 82)];
    for (let part = 0; part < 16; part++) {
      const [scale, minimum] = [d * (b[at + part]! & 15), dmin * (b[at + part]! >> 4)];
      const [from, shift] = [at + 16 + 32 * (part >> 3) + 16 * (part & 1), 2 * ((part >> 1) & 3)];
      for (let i = 0; i < 16; i++) out[o + 16 * part + i] = scale * ((b[from + i]! >> shift) & 3) - minimum;
    }
  },
  q3_K(b, at, out, o) {
    const d = float16At(b, at + 108);
    for (let part = 0; part < 16; part++) {
      const scale = d * q3Scale(b, at + 96, part);
      const [low, high] = [at + 32 + 32 * (part >> 3) + 16 * (part & 1), at + 16 * (part & 1)];
      const [shift, plane] = [2 * ((part >> 1) & 3), part >> 1];
      for (let i = 0; i < 16; i++) {
        const q = ((b[low + i]! >> shift) & 3) | (((b[high + i]! >> plane) & 1) << 2);
        out[o + 16 * part + i] = scale * (q - 4);
      }
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
  q5_K(b, at, out, o) {
    const [d, dmin] = [float16At(b, at), float16At(b, at + 2)];
    for (let j = 0; j < 8; j++) {
      const [scale, minimum] = [d * sixBitScale(b, at + 4, j), dmin * sixBitMinimum(b, at + 4, j)];
      const [low, shift] = [at + 48 + 32 * (j >> 1), 4 * (j & 1)];
      for (let i = 0; i < 32; i++) {
        const q = ((b[low + i]! >> shift) & 15) | (((b[at + 16 + i]! >> j) & 1) << 4);
        out[o + 32 * j + i] = scale * q - minimum;
      }
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
  iq4_xs(b, at, out, o) {
    const d = float16At(b, at);
    for (let j = 0; j < 8; j++) {
      const low = (b[at + 4 + (j >> 1)]! >> (4 * (j & 1))) & 15;
      const high = (b[at + 2 + (j >> 2)]! >> (2 * (j & 3))) & 3;
      const scale = d * ((low | (high << 4)) - 32);
      for (let i = 0; i < 16; i++) {
        const q = b[at + 8 + 16 * j + i]!;
        out[o + 32 * j + i] = scale * iq4Values[q & 15]!;
        out[o + 32 * j + 16 + i] = scale * iq4Values[q >> 4]!;
      }
    }
  },
};

function bit(b: Uint8Array, at: number, i: number): number {
  return (b[at + (i >> 3)]! >> (i & 7)) & 1;
}

/** Scale j of sixteen, six bits each in twelve bytes: eight bytes have two lower halves each, four have four upper pairs each. */
function q3Scale(b: Uint8Array, at: number, j: number): number {
  const low = (b[at + (j & 7)]! >> (j < 8 ? 0 : 4)) & 15;
  return (low | (((b[at + 8 + (j & 3)]! >> (2 * (j >> 2))) & 3) << 4)) - 32;
}

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
