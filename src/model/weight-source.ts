// Where a model's parameters come from, whatever they are called there.
import type { DType, FileRegion } from "../base/index.ts";
import type { ParameterRow } from "./parameters.ts";

/** Parameters one at a time, so that they need not be in memory twice. */
export interface WeightSource {
  /** How the parameter lies in an open file, where a machine may compute with it as it lies: undefined where it must be read. */
  inFile?(row: ParameterRow): { readonly dtype: DType; readonly region: FileRegion } | undefined;
  /** Its layout and its bytes as they are stored, piece by piece, for a machine that takes a copy of them: undefined where it must be read. */
  stored?(row: ParameterRow): { readonly dtype: DType; bytes(): AsyncIterable<Uint8Array> } | undefined;
  /** Its elements as float32. @throws CriaError when it is not there. */
  read(row: ParameterRow): Promise<Float32Array>;
  /** The same in pieces of `elements`, the last may be shorter: absent where a parameter is in memory anyway. See {@link piecesOf}. */
  pieces?(row: ParameterRow, elements: number): AsyncIterable<Float32Array>;
}

/** A parameter's elements as float32, in pieces of `elements` where the source has such a way, else in one. */
export async function* piecesOf(source: WeightSource, row: ParameterRow, elements: number): AsyncGenerator<Float32Array> {
  if (source.pieces) yield* source.pieces(row, elements);
  else yield await source.read(row);
}
