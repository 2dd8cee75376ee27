// RMSNorm whose rows are multiplied as bytes: normalised and quantised at one go. Shapes: R rows, C channels.
import { kernel } from "../language.ts";
import { inverseRms, type NormSizes } from "./norm.ts";
import { lineLayout, quantiseLine } from "./quantise.ts";
import type { QuantisedType } from "./quantised-blocks.ts";
import { eachLiveRow, type Live, rowAt } from "./rows.ts";

/** Sizes R and C, ε, and the types of weights that the rows meet, one for all that read the same lines. */
export interface NormLinesSizes extends NormSizes {
  readonly types: readonly QuantisedType[];
}

/**
 * y = gain · x / sqrt(mean(x²) + ε), and y as {@link quantiseLines} makes it for each type. Pointers: x [R, C], gain [C], y [R, C], lines of every type, and
 * live where there are live rows. A unit is a row.
 */
export const normLines = kernel<NormLinesSizes & Live>("normLines", (k, { channels, epsilon, types, ...sizes }) => {
  const { x, gain, y } = k.pointers("x", "gain", "y");
  const lines = k.pointers(...types.map((_, i) => `lines${i}`));
  return eachLiveRow(
    k,
    sizes,
    (row) => {
      const [from, to] = [rowAt(x, row, channels), rowAt(y, row, channels)];
      const scale = inverseRms(k, from, channels, epsilon);
      k.lanes(channels, (at) => k.store(k.load(from, at).mul(scale).mul(k.load(gain, at)), to, at), 2);
      types.forEach((type, i) => {
        const { bytes } = lineLayout(k.target, type, channels);
        const base = lines[`lines${i}`];
        if (base) quantiseLine(k, type, channels, to, base.add(row.mul(bytes)));
      });
    },
    1,
  );
});
