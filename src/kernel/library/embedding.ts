// Rows of a table by index, and the gradient of the table. Shapes: N rows (tokens), C channels, V vocabulary.
import { bytesOf, type WeightDType } from "../../base/index.ts";
import { kernel } from "../language.ts";
import { fill } from "./product.ts";
import { eachLiveRow, type Live, rowAt } from "./rows.ts";
import { widenRow, widenRowScratch } from "./weights.ts";

/** Sizes N, C and V of rows that are looked up in a table [V, C]. */
export interface EmbeddingSizes {
  readonly rows: number;
  readonly channels: number;
  readonly vocabulary: number;
}

/** y[n] = table[tokens[n]] in float32; an index outside [0, V) reads the nearest row instead. Pointers: table [V, C], tokens i32 [N], y [N, C]. */
export const embeddingRows = kernel<EmbeddingSizes & Live & { readonly type: WeightDType }>("embeddingRows", (k, constants) => {
  const { type, channels, vocabulary } = constants;
  const { table, tokens, y } = k.pointers("table", "tokens", "y");
  const split = eachLiveRow(k, constants, (row, scratch) => {
    const token = k
      .loadInt(rowAt(tokens, row, 1))
      .max(0)
      .min(vocabulary - 1);
    const from = table.add(token.mul(bytesOf(type, [channels])));
    widenRow(k, { type, depth: channels }, from, rowAt(y, row, channels), scratch);
  });
  return { ...split, scratchBytes: widenRowScratch(k, type) };
});

/** A unit reads all tokens: few units, but enough for every thread. */
const gradientUnits = 32;

/**
 * dTable[v] = Σ dy[n] over the n whose token is v, in the order of n; indices outside [0, V) count nowhere.
 * Pointers: tokens i32 [N], dy [N, C], dTable [V, C]. One unit per range of the vocabulary, so that no two threads add to one row.
 */
export const embeddingGradient = kernel<EmbeddingSizes>("embeddingGradient", (k, { rows, channels, vocabulary }) => {
  const { tokens, dy, dTable } = k.pointers("tokens", "dy", "dTable");
  const { begin, end } = k.range();
  const range = Math.ceil(vocabulary / gradientUnits);
  k.loop(begin, end, 1, (unit) => {
    const first = unit.mul(range);
    const last = first.add(range).min(vocabulary);
    k.loop(first, last, 1, (token) => fill(k, rowAt(dTable, token, channels), channels, k.constant(0)));
    k.loop(0, rows, 1, (row) => {
      const token = k.loadInt(rowAt(tokens, row, 1));
      const addRow = () => {
        const to = rowAt(dTable, token, channels);
        const from = rowAt(dy, row, channels);
        k.lanes(channels, (at) => k.store(k.load(to, at).add(k.load(from, at)), to, at), 4);
      };
      k.if(token, ">=", first, () => k.if(token, "<", last, addRow));
    });
  });
  return { units: Math.ceil(vocabulary / range) };
});
