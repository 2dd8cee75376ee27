// What the bytes of a tensor stand for, in float64: one formula per layout, the slow judge of all that computes with them (ggml-quants.c: dequantize_row_*).
// Their products are exact in float32, too, so that one rounding of a result gives what ggml computes in float32.
import { type DType, elementLayouts } from "./element-layouts.ts";
import { CriaError, check } from "./errors.ts";
import { float16Value } from "./float16.ts";

/**
 * What the bytes of a tensor stand for, in float64: exactly for the 16-bit and 32-bit floats, by the format's formula for the others.
 * @throws CriaError for i32, which is no layout of weights, and when the bytes are not whole blocks.
 */
export function dequantise(dtype: DType, data: Uint8Array): Float64Array {
  const { block, bytes } = elementLayouts[dtype];
  const value = values[dtype];
  if (value === undefined) throw new CriaError("tensor", `${dtype} is no layout of weights: read it as integers`);
  check(data.length % bytes === 0, "tensor", () => `${data.length} bytes are not whole blocks of ${dtype}, which have ${bytes}`);
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const blocks = data.length / bytes;
  const result = new Float64Array(blocks * block);
  for (let b = 0; b < blocks; b++) for (let i = 0; i < block; i++) result[b * block + i] = value(view, b * bytes, i);
  return result;
}

/** What the numbers 0 to 15 of iq4_nl and iq4_xs stand for (ggml-common.h: kvalues_iq4nl). */
export const iq4Values = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] as const;

/** Element i of the block at a byte offset. */
type Value = (view: DataView, at: number, i: number) => number;

const half = (view: DataView, at: number) => float16Value(view.getUint16(at, true));
/** Bytes hold elements i and i + 16 of 32, the lower four bits first. */
const nibble = (view: DataView, at: number, i: number) => (view.getUint8(at + (i % 16)) >> (i < 16 ? 0 : 4)) & 15;
/** Bit i of the bytes from an offset, as the fifth bit of a number. */
const fifthBit = (view: DataView, at: number, i: number) => ((view.getUint8(at + (i >> 3)) >> (i & 7)) & 1) << 4;
/** 64 bytes hold 256 elements of two bits; 32 bytes have elements i, i + 32, i + 64 and i + 96, the lowest bits first. */
const twoBits = (view: DataView, at: number, i: number) => (view.getUint8(at + 32 * (i >> 7) + (i % 32)) >> (2 * ((i >> 5) & 3))) & 3;

const values: Readonly<Partial<Record<DType, Value>>> = {
  f32: (view, at) => view.getFloat32(at, true),
  bf16: (view, at) => new Float32Array(Uint32Array.of(view.getUint16(at, true) << 16).buffer)[0]!,
  f16: half,
  // d f16 · q i8[32]: d · q
  q8_0: (view, at, i) => half(view, at) * view.getInt8(at + 2 + i),
  // d f16 · q u4[32]: d · (q − 8)
  q4_0: (view, at, i) => half(view, at) * (nibble(view, at + 2, i) - 8),
  // d f16 · m f16 · q u4[32]: d · q + m
  q4_1: (view, at, i) => half(view, at) * nibble(view, at + 4, i) + half(view, at + 2),
  // d f16 · bit 4 of q u1[32] · lower bits u4[32]: d · (q − 16)
  q5_0: (view, at, i) => half(view, at) * ((nibble(view, at + 6, i) | fifthBit(view, at + 2, i)) - 16),
  // d f16 · m f16 · bit 4 of q u1[32] · lower bits u4[32]: d · q + m
  q5_1: (view, at, i) => half(view, at) * (nibble(view, at + 8, i) | fifthBit(view, at + 4, i)) + half(view, at + 2),
  // d f16 · q u4[32]: d · table[q]
  iq4_nl: (view, at, i) => half(view, at) * iq4Values[nibble(view, at + 2, i)]!,
  // 16 bytes of scale u4 and minimum u4 · q u2[256] · d f16 · dmin f16: d · scale · q − dmin · minimum, blocks of 16
  q2_K(view, at, i) {
    const byte = view.getUint8(at + (i >> 4));
    return half(view, at + 80) * (byte & 15) * twoBits(view, at + 16, i) - half(view, at + 82) * (byte >> 4);
  },
  // bit 2 of q u1[256], byte i has elements i, i + 32 … · lower bits u2[256] · 16 scales u6 in 12 bytes · d f16: d · (scale − 32) · (q − 4), blocks of 16
  q3_K(view, at, i) {
    const scale = sixteenScales((n) => view.getUint8(at + 96 + n), i >> 4);
    const high = (view.getUint8(at + (i % 32)) >> (i >> 5)) & 1;
    return half(view, at + 108) * (scale - 32) * ((twoBits(view, at + 32, i) | (high << 2)) - 4);
  },
  // d f16 · dmin f16 · 8 scales and 8 minima u6 in 12 bytes · q u4[256], 32 bytes have two blocks of 32: d · scale · q − dmin · minimum
  q4_K(view, at, i) {
    const j = Math.floor(i / 32);
    const { scale, minimum } = sixBits((n) => view.getUint8(at + 4 + n), j);
    const q = (view.getUint8(at + 16 + 32 * (j >> 1) + (i % 32)) >> (4 * (j & 1))) & 15;
    return half(view, at) * scale * q - half(view, at + 2) * minimum;
  },
  // d f16 · dmin f16 · scales and minima as in q4_K · bit 4 of q u1[256], byte i has elements i, i + 32 … · lower bits as in q4_K
  q5_K(view, at, i) {
    const j = i >> 5;
    const { scale, minimum } = sixBits((n) => view.getUint8(at + 4 + n), j);
    const low = (view.getUint8(at + 48 + 32 * (j >> 1) + (i % 32)) >> (4 * (j & 1))) & 15;
    const high = (view.getUint8(at + 16 + (i % 32)) >> j) & 1;
    return half(view, at) * scale * (low | (high << 4)) - half(view, at + 2) * minimum;
  },
  // low bits u4[256] · high bits u2[256] · scales i8[16] · d f16, either half has 64 bytes of low bits and 32 of high: d · scale · (q − 32)
  q6_K(view, at, i) {
    const [upper, l, quarter] = [Math.floor(i / 128), i % 32, Math.floor((i % 128) / 32)];
    const low = (view.getUint8(at + 64 * upper + 32 * (quarter % 2) + l) >> (quarter < 2 ? 0 : 4)) & 15;
    const high = (view.getUint8(at + 128 + 32 * upper + l) >> (2 * quarter)) & 3;
    return half(view, at + 208) * view.getInt8(at + 192 + Math.floor(i / 16)) * ((low | (high << 4)) - 32);
  },
  // d f16 · upper bits of 8 scales u2 · their lower bits u4 · q u4[256], 16 bytes have a block of 32: d · (scale − 32) · table[q]
  iq4_xs(view, at, i) {
    const j = i >> 5;
    const scale = ((view.getUint8(at + 4 + (j >> 1)) >> (4 * (j & 1))) & 15) | (((view.getUint16(at + 2, true) >> (2 * j)) & 3) << 4);
    return half(view, at) * (scale - 32) * iq4Values[nibble(view, at + 8 + 16 * j, i % 32)]!;
  },
};

/** Scale of block j of 16, six bits each in twelve bytes: the lower four in the first eight bytes, the upper two in the last four. */
function sixteenScales(byte: (n: number) => number, j: number): number {
  return ((byte(j & 7) >> (4 * (j >> 3))) & 15) | (((byte(8 + (j & 3)) >> (2 * (j >> 2))) & 3) << 4);
}

/** Scale and minimum of block j of eight, six bits each in twelve bytes. */
function sixBits(byte: (n: number) => number, j: number): { scale: number; minimum: number } {
  if (j < 4) return { scale: byte(j) & 63, minimum: byte(j + 4) & 63 };
  return { scale: (byte(j + 4) & 15) | ((byte(j - 4) >> 6) << 4), minimum: (byte(j + 4) >> 4) | ((byte(j) >> 6) << 4) };
}
