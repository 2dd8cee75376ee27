// How the elements of a tensor lie in memory: one by one, or in blocks that share scales (ggml-common.h: block_q8_0, block_q4_0, block_q4_1,
// block_q4_K, block_q6_K). One row per layout; rows of a tensor are whole blocks.
import { CriaError, check } from "./errors.ts";
import { float16Bits, float16Value } from "./float16.ts";
import { int8Block, int8Steps } from "./precision.ts";
import { type Shape, showShape, sizeOf } from "./shape.ts";

/** How many elements lie together, and in how many bytes. */
export interface ElementLayout {
  /** Elements that a block has; 1 where each element stands for itself. */
  readonly block: number;
  /** Bytes of a block. */
  readonly bytes: number;
}

/** The layouts by name, those of blocks as ggml names them. */
export const elementLayouts = {
  f32: { block: 1, bytes: 4 },
  i32: { block: 1, bytes: 4 },
  bf16: { block: 1, bytes: 2 },
  f16: { block: 1, bytes: 2 },
  q8_0: { block: 32, bytes: 34 },
  q4_0: { block: 32, bytes: 18 },
  q4_1: { block: 32, bytes: 20 },
  q4_K: { block: 256, bytes: 144 },
  q6_K: { block: 256, bytes: 210 },
} as const satisfies Record<string, ElementLayout>;

/** The layout of a tensor's elements. Activations and inputs are f32 or i32, states these or what {@link StateDType} has; weights may be any but i32. */
export type DType = keyof typeof elementLayouts;
/** Layouts in which several elements share a scale. */
export type QuantisedDType = Exclude<DType, "f32" | "i32" | "bf16" | "f16">;

/** Layouts of floats that ops can write: those of states. */
export const stateDTypes = ["f32", "f16", "q8_0"] as const satisfies readonly DType[];
/** A layout that a state may have. */
export type StateDType = (typeof stateDTypes)[number];

/** Whether states may have this layout. */
export function isStateDType(dtype: DType): dtype is StateDType {
  return (stateDTypes as readonly DType[]).includes(dtype);
}

/** Whether several elements share a scale in this layout. */
export function isQuantised(dtype: DType): dtype is QuantisedDType {
  return elementLayouts[dtype].block > 1;
}

/** Bytes of a tensor. @throws CriaError when its rows are not whole blocks. */
export function bytesOf(dtype: DType, shape: Shape): number {
  const { block, bytes } = elementLayouts[dtype];
  const row = shape.at(-1) ?? 1;
  check(row % block === 0, "tensor", () => `${dtype} ${showShape(shape)}: rows of ${row} elements are not whole blocks of ${block}`);
  return (sizeOf(shape) / block) * bytes;
}

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

/**
 * The bytes for values, rounded to what the layout can hold: to nearest, ties to even, in float32 as the machine rounds. Its own values come back as they
 * are. Blocks of q8_0 as ggml has them: the largest magnitude is 127 steps, and a block that has NaN or infinity is all NaN.
 * @param values as many as whole blocks
 */
export function quantise(dtype: StateDType, values: Float64Array): Uint8Array {
  const bytes = new Uint8Array(bytesOf(dtype, [values.length]));
  const view = new DataView(bytes.buffer);
  if (dtype === "f32") values.forEach((x, i) => void view.setFloat32(4 * i, x, true));
  else if (dtype === "f16") values.forEach((x, i) => void view.setUint16(2 * i, float16Bits(Math.fround(x)), true));
  else for (let at = 0; at < values.length; at += int8Block) putQ8Block(view, values.subarray(at, at + int8Block), (at / 32) * 34);
  return bytes;
}

function putQ8Block(view: DataView, values: Float64Array, at: number): void {
  const { scale, steps } = int8Steps(values);
  view.setUint16(at, float16Bits(scale), true);
  steps.forEach((q, i) => void view.setInt8(at + 2 + i, q));
}

/** Element i of the block at a byte offset. */
type Value = (view: DataView, at: number, i: number) => number;

const half = (view: DataView, at: number) => float16Value(view.getUint16(at, true));
/** Bytes hold elements i and i + 16 of 32, the lower four bits first. */
const nibble = (view: DataView, at: number, i: number) => (view.getUint8(at + (i % 16)) >> (i < 16 ? 0 : 4)) & 15;

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
  // d f16 · dmin f16 · 8 scales and 8 minima u6 in 12 bytes · q u4[256], 32 bytes have two blocks of 32: d · scale · q − dmin · minimum
  q4_K(view, at, i) {
    const j = Math.floor(i / 32);
    const { scale, minimum } = sixBits((n) => view.getUint8(at + 4 + n), j);
    const q = (view.getUint8(at + 16 + 32 * (j >> 1) + (i % 32)) >> (4 * (j & 1))) & 15;
    return half(view, at) * scale * q - half(view, at + 2) * minimum;
  },
  // low bits u4[256] · high bits u2[256] · scales i8[16] · d f16, either half has 64 bytes of low bits and 32 of high: d · scale · (q − 32)
  q6_K(view, at, i) {
    const [upper, l, quarter] = [Math.floor(i / 128), i % 32, Math.floor((i % 128) / 32)];
    const low = (view.getUint8(at + 64 * upper + 32 * (quarter % 2) + l) >> (quarter < 2 ? 0 : 4)) & 15;
    const high = (view.getUint8(at + 128 + 32 * upper + l) >> (2 * quarter)) & 3;
    return half(view, at + 208) * view.getInt8(at + 192 + Math.floor(i / 16)) * ((low | (high << 4)) - 32);
  },
};

/** Scale and minimum of block j of eight, six bits each in twelve bytes. */
function sixBits(byte: (n: number) => number, j: number): { scale: number; minimum: number } {
  if (j < 4) return { scale: byte(j) & 63, minimum: byte(j + 4) & 63 };
  return { scale: (byte(j + 4) & 15) | ((byte(j - 4) >> 6) << 4), minimum: (byte(j + 4) >> 4) | ((byte(j) >> 6) << 4) };
}
