// Element types as files store them, little-endian, by safetensors' names: one row each, with the way to float32. Beside them a file may have
// the blocks of quantised layouts (base/element-layouts.ts).
import { elementLayouts, type QuantisedDType } from "../base/index.ts";
import { dequantiseBlocks } from "./dequantise-blocks.ts";
import { widenBfloat16, widenFloat16 } from "./half-floats.ts";

/** How an element is stored, and its way to float32. */
export interface StorageType {
  /** Bytes of one element. */
  readonly bytes: number;
  /** Widens or rounds `bytes` (aligned to the element) into `out`, which has one place per element. */
  readonly toFloat32: (bytes: Uint8Array, out: Float32Array) => void;
}

/** The safetensors name of a type. */
export type StorageName = keyof typeof storageTypes;

/** The types by name. */
export const storageTypes = {
  F64: { bytes: 8, toFloat32: (bytes, out) => out.set(new Float64Array(...place(bytes, 8))) },
  F32: { bytes: 4, toFloat32: (bytes, out) => out.set(new Float32Array(...place(bytes, 4))) },
  F16: { bytes: 2, toFloat32: (bytes, out) => widenFloat16(new Uint16Array(...place(bytes, 2)), out) },
  BF16: { bytes: 2, toFloat32: (bytes, out) => widenBfloat16(new Uint16Array(...place(bytes, 2)), out) },
  I64: {
    bytes: 8,
    toFloat32: (bytes, out) =>
      new BigInt64Array(...place(bytes, 8)).forEach((value, i) => {
        out[i] = Number(value);
      }),
  },
  I32: { bytes: 4, toFloat32: (bytes, out) => out.set(new Int32Array(...place(bytes, 4))) },
  I16: { bytes: 2, toFloat32: (bytes, out) => out.set(new Int16Array(...place(bytes, 2))) },
  I8: { bytes: 1, toFloat32: (bytes, out) => out.set(new Int8Array(...place(bytes, 1))) },
  U8: { bytes: 1, toFloat32: (bytes, out) => out.set(bytes) },
  BOOL: { bytes: 1, toFloat32: (bytes, out) => out.set(bytes.map((byte) => (byte === 0 ? 0 : 1))) },
} as const satisfies Record<string, StorageType>;

/** How a tensor's elements lie in a file: by safetensors' name for the type, or by ggml's for a layout of blocks. */
export type TensorDType = StorageName | QuantisedDType;

/** A layout of a file's elements, and its way to float32. */
export interface FileLayout extends StorageType {
  /** Elements that lie together; 1 where each stands for itself. */
  readonly block: number;
  /** What the first byte is a multiple of where `toFloat32` reads it. */
  readonly alignment: number;
}

/** The layout of that name; its `bytes` are those of a block. */
export function fileLayout(dtype: TensorDType): FileLayout {
  if (isStorageName(dtype)) return { block: 1, alignment: storageTypes[dtype].bytes, ...storageTypes[dtype] };
  return { ...elementLayouts[dtype], alignment: 1, toFloat32: (bytes, out) => dequantiseBlocks(dtype, bytes, out) };
}

/** Whether a value names a type. */
export function isStorageName(name: unknown): name is StorageName {
  return typeof name === "string" && Object.hasOwn(storageTypes, name);
}

/** Where a typed array over `bytes` starts and how long it is. */
function place(bytes: Uint8Array, elementBytes: number): [ArrayBufferLike, number, number] {
  return [bytes.buffer, bytes.byteOffset, bytes.length / elementBytes];
}
