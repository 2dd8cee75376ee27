// Where a row's output of attention goes: as floats, or as lines of bytes for the product that reads it.
import type { Builder, Int } from "../language.ts";
import type { PagedAttentionSizes, Sums } from "./paged-work.ts";
import { lineLayout, quantiseToLine } from "./quantise.ts";
import { blockWeights } from "./quantised-blocks.ts";
import { rowAt } from "./rows.ts";
import { storeNormalised } from "./softmax-parts.ts";

/** A head of a row, and where the outputs of all rows begin. */
export interface OutputHead {
  readonly row: Int;
  readonly head: Int;
  readonly o: Int;
}

/** Normalises a head's sums and stores them; for lines they are normalised where they lie. */
export function storeOutput(k: Builder, { heads, headDim, lines }: PagedAttentionSizes, sums: Sums, { row, head, o }: OutputHead): void {
  if (lines === undefined) return storeNormalised(k, headDim, sums, rowAt(o, row.mul(heads).add(head), headDim));
  storeNormalised(k, headDim, sums, sums.out);
  const width = heads * headDim;
  const { bytes, blockBytes } = lineLayout(k.target, lines, width);
  const line = o.add(row.mul(bytes));
  const blocks = headDim / blockWeights;
  for (let i = 0; i < blocks; i++) {
    const block = head.mul(blocks).add(i);
    const place = { quants: line.add(block.mul(blockWeights)), numbers: line.add(width).add(block.mul(blockBytes)) };
    quantiseToLine(k, lines, sums.out.add(i * blockWeights * 4), place);
  }
}

/** Whether heads are whole blocks, so that each is quantised by itself. */
export function makesLines({ headDim }: Pick<PagedAttentionSizes, "headDim">): boolean {
  return headDim % blockWeights === 0;
}
