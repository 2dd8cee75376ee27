// Values → the bytes of a layout. Floats of 16 bits are rounded to nearest, ties to even; the simple blocks hold the bits that gguf-py writes; the
// super-blocks are searched for the least squared error.
import { check, elementLayouts, fail } from "../../base/index.ts";
import { narrowBfloat16, narrowFloat16 } from "../half-floats.ts";
import { type BlockWriter, simpleBlocks } from "./simple-blocks.ts";
import { superBlocks } from "./super-blocks.ts";

/** The layouts that are written. */
export const writableDTypes = ["f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "q4_K", "q5_K", "q6_K"] as const;
/** A layout that is written. */
export type WritableDType = (typeof writableDTypes)[number];

/** A matrix or some of its rows. */
export interface Rows {
  /** Row by row. */
  readonly values: Float32Array;
  readonly columns: number;
  /** What a squared error counts, column by column; all alike by default. Super-blocks alone read it, as there is one way to write the others. */
  readonly importance?: Float32Array | undefined;
}

const where = "quantise";

/**
 * The bytes of rows in a layout; the same rows give the same bytes, in however many pieces they come.
 * @throws CriaError when rows are not whole blocks, or a value is no number or beyond what the layout holds
 */
export function quantiseRows(dtype: WritableDType, { values, columns, importance }: Rows): Uint8Array {
  const { block, bytes } = elementLayouts[dtype];
  const isWhole = columns % block === 0 && values.length % columns === 0;
  check(
    isWhole,
    where,
    () => `${values.length} values in ${columns} columns are not rows of whole blocks of ${dtype}, which have ${block}`,
  );
  if (dtype === "f32") return bytesOf(values.slice());
  if (dtype === "bf16") return bytesOf(narrowBfloat16(values));
  checkRange(dtype, values);
  if (dtype === "f16") return bytesOf(narrowFloat16(values));
  const write: BlockWriter = { ...simpleBlocks, ...superBlocks }[dtype];
  const out = new DataView(new ArrayBuffer((values.length / block) * bytes));
  for (let from = 0, at = 0; from < values.length; from += block, at += bytes)
    write(values, from, out, at, importance?.subarray(from % columns, (from % columns) + block));
  return new Uint8Array(out.buffer);
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Half of a step beyond the largest binary16, where rounding gives infinity; scales of blocks are binary16, too. */
const limit = 65520;

function checkRange(dtype: WritableDType, values: Float32Array): void {
  for (let i = 0; i < values.length; i++)
    if (!(Math.abs(values[i]!) < limit))
      fail(
        where,
        `a value is ${values[i]}, but ${dtype} holds numbers below ${limit} alone: take bf16 or f32, or a model that did not diverge`,
      );
}
