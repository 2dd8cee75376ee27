// How the elements of a tensor lie in memory: one by one, or in blocks that share scales (ggml-common.h: block_q8_0, block_q4_0 and so on).
// One row per layout; rows of a tensor are whole blocks. What the bytes stand for is in dequantise.ts.
import { check } from "./errors.ts";
import { float16Bits } from "./float16.ts";
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
  q5_0: { block: 32, bytes: 22 },
  q5_1: { block: 32, bytes: 24 },
  iq4_nl: { block: 32, bytes: 18 },
  q2_K: { block: 256, bytes: 84 },
  q3_K: { block: 256, bytes: 110 },
  q4_K: { block: 256, bytes: 144 },
  q5_K: { block: 256, bytes: 176 },
  q6_K: { block: 256, bytes: 210 },
  iq4_xs: { block: 256, bytes: 136 },
} as const satisfies Record<string, ElementLayout>;

/** The layout of a tensor's elements. Activations and inputs are f32 or i32, states these or what {@link StateDType} has; weights may be any but i32. */
export type DType = keyof typeof elementLayouts;
/** Layouts in which several elements share a scale. */
export type QuantisedDType = Exclude<DType, "f32" | "i32" | "bf16" | "f16">;

/** Layouts that a weight may have. */
export type WeightDType = Exclude<DType, "i32">;
/** All of them. */
export const weightDTypes: readonly WeightDType[] = (Object.keys(elementLayouts) as DType[]).filter((dtype) => dtype !== "i32");

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
