// Rows that are turned by their positions on their way to the pages: RoPE of queries and keys, and the write of keys and values, for programs of few rows.
// Shapes as in pages.ts; R rows, H query heads.
import { kernel } from "../language.ts";
import { type PageWriteSizes, writeHead } from "./page-write.ts";
import { anglesBytes, type RopeSizes, rotate, storeAngles } from "./rope.ts";
import { rowAt, rowLimit, splitOfRows } from "./rows.ts";

/** Sizes of the pool and the rows, and how heads are turned. */
export interface RopeWriteSizes extends PageWriteSizes, Omit<RopeSizes, "rows" | "heads" | "inverse"> {
  /** H; a multiple of the key heads, or 0 where no queries are turned. */
  readonly heads: number;
}

/** Rows of a program up to which it is worth it: a row's angles are computed for every key head. */
export const ropeWriteRows = 8;

/**
 * Turns q and k as `rope` does, and writes k and v as `pageWrite` does. Pointers: keys, values [G, KV, 64, D], k, v [R, KV · D], positions i32 [R], slots i32 [R],
 * pages i32 [S, P], turns i32 [2, A], q and yQ [R, H · D] where there are queries, count i32. One unit per row and key head, with its group of queries.
 */
export const ropeWrite = kernel<RopeWriteSizes>("ropeWrite", (k, sizes) => {
  const p = k.pointers("keys", "values", "k", "v", "positions", "slots", "pages", "turns");
  const { rows, heads, kvHeads, headDim } = sizes;
  const queries = heads > 0 ? k.pointers("q", "yQ") : undefined;
  const limit = rowLimit(k, { rows, live: true });
  const { scratch, begin, end } = k.range();
  const turned = scratch.add(anglesBytes(sizes));
  k.loop(begin, end.min(k.int(0).add(limit).mul(kvHeads)), 1, (unit) => {
    const [row, head] = [unit.div(kvHeads), unit.rem(kvHeads)];
    storeAngles(k, { ...sizes, inverse: false }, k.loadInt(rowAt(p.positions, row, 1)), p.turns, scratch);
    if (queries) {
      const group = (heads / kvHeads) * headDim * 4;
      const first = row.mul(heads * headDim * 4).add(head.mul(group));
      k.loop(first, first.add(group), headDim * 4, (at) => rotate(k, sizes, queries.q.add(at), scratch, queries.yQ.add(at)));
    }
    const from = unit.mul(headDim * 4);
    rotate(k, sizes, p.k.add(from), scratch, turned);
    writeHead(k, sizes, p, { row, head, key: turned, value: p.v.add(from) });
  });
  return { ...splitOfRows(rows * kvHeads, limit, 1, kvHeads), scratchBytes: anglesBytes(sizes) + headDim * 4 };
});
