// What a product of bytes reaches at most with weights of a type: the register tile of quantised-tile.ts over one block that stays in the first-level
// cache, widened already. Where the product itself is slower, memory and widening are what it costs.
import type { Target } from "../ir.ts";
import { kernel } from "../language.ts";
import { superblockWeights } from "./panel-layouts.ts";
import { panelWidth } from "./product.ts";
import { lineLayout, quantisedLinesBytes } from "./quantise.ts";
import { blockWeights, type QuantisedType } from "./quantised-blocks.ts";
import { widenedBlock, widenedBlockBytes } from "./quantised-matmul.ts";
import { addBlock, gridOf, tileRows } from "./quantised-tile.ts";

/** How much a measurement of the peak rate computes. */
export interface QuantisedPeakSizes {
  readonly type: QuantisedType;
  readonly units: number;
  /** Blocks of a unit. */
  readonly repeats: number;
}

/** Operations of {@link quantisedPeak}, two a multiply-add. */
export function quantisedPeakOperations(target: Target, { type, units, repeats }: QuantisedPeakSizes): number {
  return 2 * units * repeats * tileRows(target, type) * panelWidth(target) * blockWeights;
}

/** Bytes of the weights and of the rows that {@link quantisedPeak} reads. */
export function quantisedPeakBytes(target: Target, type: QuantisedType): { readonly weights: number; readonly lines: number } {
  const lines = quantisedLinesBytes(target, { type, m: tileRows(target, type), k: superblockWeights(type) });
  return { weights: widenedBlockBytes(target, type), lines };
}

/**
 * y[unit] = Σ over a tile's results, each in its vector's first lane, and repeats of a block's product. Pointers: weights [quads, then numbers][column],
 * lines of a superblock, of which the first block counts, y [units].
 */
export const quantisedPeak = kernel<QuantisedPeakSizes>("quantisedPeak", (k, { type, units, repeats }) => {
  const { weights, lines, y } = k.pointers("weights", "lines", "y");
  const { begin, end } = k.range();
  const shape = { rows: tileRows(k.target, type), vectors: k.target.tile.vectors };
  const depth = superblockWeights(type);
  const tile = { type, ...shape, line: lineLayout(k.target, type, depth), quants: lines, numbers: lines.add(depth) };
  k.loop(begin, end, 1, (unit) => {
    const sums = gridOf(shape, () => k.variable());
    k.loop(0, repeats, 1, () => addBlock(k, { ...tile, block: widenedBlock(k, weights) }, sums));
    k.storeScalar(
      sums.flat().reduce((a, b) => a.add(b)),
      y.add(unit.mul(4)),
    );
  });
  return { units };
});
