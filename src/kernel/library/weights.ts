// Weights as they lie in their file, whatever the layout of their elements: read into registers where a vector's worth lies together, widened to
// float32 in memory where blocks share scales.
import { bytesOf, type DType, isQuantised } from "../../base/index.ts";
import { type Builder, type Int, kernel, type Position, type Vec } from "../language.ts";
import { widenQuantised, widenScratchBytes } from "./quantised-unpack.ts";
import { eachRow, rowAt } from "./rows.ts";

/** Layouts of weights. */
export type WeightType = Exclude<DType, "i32">;
/** Those whose elements stand for themselves. */
export type PlainType = "f32" | "bf16" | "f16";

/** Elements at a position of a row, as float32. */
export function loadPlain(k: Builder, type: PlainType, row: Int, at: Position, extraElements = 0): Vec {
  return type === "f32" ? k.load(row, at, extraElements * 4) : k.loadNarrow(type, row, at, extraElements * 2);
}

/** Copies a row of `depth` weights from `from` to `to` as float32. */
export function widenRow(k: Builder, type: WeightType, depth: number, from: Int, to: Int, scratch: Int): void {
  if (isQuantised(type)) return widenQuantised(k, type, depth, from, to, scratch);
  k.lanes(depth, (at) => k.store(loadPlain(k, type, from, at), to, at), 4);
}

/** Bytes of scratch for {@link widenRow}. */
export function widenRowScratch(k: Builder, type: WeightType): number {
  return isQuantised(type) ? widenScratchBytes(k) : 0;
}

export interface WeightMatrix {
  readonly type: WeightType;
  readonly rows: number;
  readonly channels: number;
}

/** y = w in float32. Pointers: w, y [rows, channels]. One unit a block of rows. */
export const widenRows = kernel<WeightMatrix>("widenRows", (k, { type, rows, channels }) => {
  const { w, y } = k.pointers("w", "y");
  const range = k.range();
  const units = eachRow(k, rows, range, (row) =>
    widenRow(k, type, channels, w.add(row.mul(bytesOf(type, [channels]))), rowAt(y, row, channels), range.scratch),
  );
  return { units, scratchBytes: widenRowScratch(k, type) };
});
