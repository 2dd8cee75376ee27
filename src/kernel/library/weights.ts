// Weights as they lie in their file, whatever the layout of their elements: read into registers where a vector's worth lies together, widened to
// float32 in memory where blocks share scales.
import { isQuantised, type WeightDType } from "../../base/index.ts";
import type { Builder, Int, Position, Vec } from "../language.ts";
import { widenQuantised, widenScratchBytes } from "./quantised-unpack.ts";

/** Those whose elements stand for themselves. */
export type PlainType = "f32" | "bf16" | "f16";

/** Elements at a position of a row, as float32. */
export function loadPlain(k: Builder, type: PlainType, row: Int, at: Position, extraElements = 0): Vec {
  return type === "f32" ? k.load(row, at, extraElements * 4) : k.loadNarrow(type, row, at, extraElements * 2);
}

/** Copies a row of `depth` weights from `from` to `to` as float32. */
export function widenRow(
  k: Builder,
  { type, depth }: { readonly type: WeightDType; readonly depth: number },
  from: Int,
  to: Int,
  scratch: Int,
): void {
  if (isQuantised(type)) return widenQuantised(k, { type, depth }, from, to, scratch);
  k.lanes(depth, (at) => k.store(loadPlain(k, type, from, at), to, at), 4);
}

/** Bytes of scratch for {@link widenRow}. */
export function widenRowScratch(k: Builder, type: WeightDType): number {
  return isQuantised(type) ? widenScratchBytes(k) : 0;
}
