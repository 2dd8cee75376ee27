// Where each activation lives: first fit over lifetimes in one arena, so that memory is reused as soon as its last reader ran.
import { dtypeBytes, sizeOf } from "../base/index.ts";
import type { Tensor, TensorType } from "./tensor.ts";

export interface MemoryPlan {
  /** Byte offset in the arena of every activation; multiples of {@link alignment}. */
  readonly offsets: ReadonlyMap<Tensor, number>;
  /** Bytes the arena needs. */
  readonly arenaBytes: number;
  /** Bytes if nothing were reused: what the plan is held against. */
  readonly sumBytes: number;
}

/** A cache line, and the widest vector. */
export const alignment = 64;

export function tensorBytes(type: TensorType): number {
  return sizeOf(type.shape) * dtypeBytes[type.dtype];
}
