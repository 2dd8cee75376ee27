// Attention of rows over the pages of their sequences: tiles of a prompt and single rows that are being generated alike
// (Kwon et al. 2023, arXiv 2309.06180). Grouped-query heads: Ainslie et al. 2023; a sliding window: Beltagy et al. 2020, arXiv 2004.05150.
import { check, isStateDType, type StateDType } from "../../base/index.ts";
import { defineOp } from "../define-op.ts";
import type { ExampleInput } from "../op.ts";
import { f32, i32, type Tensor } from "../tensor.ts";
import { checkPool, type PagedRows, type PagePool, pageKeys, pageOf, pageTiles, poolPlace, tileRows } from "./page-pool.ts";

/** How a pool's elements lie, and how far rows look back. */
export type PagedAttentionAttributes = {
  /** The layout of the pool. */
  readonly type: StateDType;
  /** How many keys a row attends at most, its own among them; 0 for all before it. */
  readonly window: number;
};

/**
 * q [R, H · D] → [R, H · D]: softmax(q·kᵀ/√D)·v over the keys of the row's own sequence at positions j ≤ its own, and > its own − window where there
 * is one. Head h reads key and value head ⌊h / (H / KV)⌋. What the pages hold elsewhere is not looked at. On one target a row's bits depend on its own
 * query, keys and values alone: not on the number of rows, tiles, page numbers, threads or neighbours.
 */
export function pagedAttention(q: Tensor, pool: PagePool, rows: PagedRows, { window = 0 }: { readonly window?: number } = {}): Tensor {
  const { dtype } = pool.keys;
  check(isStateDType(dtype), "pagedAttention", () => `"${pool.keys.name}" is ${dtype}: pages are f32, f16 or q8_0`);
  return pagedAttentionOp.apply({ q, ...pool, ...rows }, { type: dtype, window }).o;
}

/** The op of {@link pagedAttention}: its shapes, meaning and gradient. */
export const pagedAttentionOp = defineOp<PagedAttentionAttributes>()({
  name: "pagedAttention",
  inputs: {
    q: "R W",
    keys: "pool G KV 64 D",
    values: "pool G KV 64 D",
    positions: "i32 R",
    slots: "i32 R",
    pages: "i32 S P",
    tiles: "i32 R 2",
    count: "i32 1",
  },
  outputs: { o: "R W" },
  sizes({ KV, D, W }, { type, window }, pool) {
    checkPool("pagedAttention", type, pool);
    check(W % (KV * D) === 0, "pagedAttention", () => `q has ${W} channels, which do not split over ${KV} key heads of ${D}`);
    check(
      Number.isInteger(window) && window >= 0,
      "pagedAttention",
      () => `the window is ${window} keys: it must be positive, or 0 for none`,
    );
    return { H: W / D };
  },
  reference({ q, keys, values, tiles, count, ...rows }, { o }, sizes, { type, window }) {
    const { R, H, KV, D } = sizes;
    const { keyAt, valueAt } = poolPlace(type, sizes);
    for (const row of rowsOfTiles(tiles, rows, count[0]!, R)) {
      const last = rows.positions[row]!;
      const first = window > 0 ? Math.max(0, last - window + 1) : 0;
      const seen = Array.from({ length: last - first + 1 }, (_, i) => first + i);
      for (let h = 0; h < H; h++) {
        const [query, head] = [(row * H + h) * D, Math.floor(h / (H / KV))];
        const places = seen.map((j) => ({ page: pageOf("pagedAttention", rows, sizes, row, j), key: j % pageKeys }));
        const scores = places.map(({ page, key }) => sum(D, (c) => q[query + c]! * keys[keyAt(page, head, key, c)]!) / Math.sqrt(D));
        const max = scores.reduce((most, score) => Math.max(most, score));
        const weights = scores.map((score) => Math.exp(score - max));
        const total = sum(weights.length, (i) => weights[i]!);
        for (let c = 0; c < D; c++)
          o[query + c] = sum(places.length, (i) => (weights[i]! / total) * values[valueAt(places[i]!.page, head, places[i]!.key, c)]!);
      }
    }
  },
  recomputable: false,
  examples: [
    attentionExample("f32", { KV: 2, D: 6, group: 2 }),
    attentionExample("f32", { KV: 1, D: 80, group: 1 }, 70),
    attentionExample("f16", { KV: 2, D: 6, group: 1 }),
    attentionExample("f16", { KV: 1, D: 6, group: 4 }, 5),
    attentionExample("f32", { KV: 2, D: 7, group: 1 }),
    attentionExample("f16", { KV: 2, D: 11, group: 2 }),
    attentionExample("q8_0", { KV: 1, D: 64, group: 3 }),
    attentionExample("q8_0", { KV: 2, D: 32, group: 1 }, 20),
  ],
});

/** The rows of all tiles. @throws CriaError when a tile is not what {@link pageTiles} makes, but for where it is cut, or the tiles are not the first `count` rows. */
function rowsOfTiles(tiles: Int32Array, rows: { positions: Int32Array; slots: Int32Array }, count: number, R: number): number[] {
  const found: number[] = [];
  for (let tile = 0; tile < R; tile++) {
    const [first, size] = [tiles[2 * tile]!, tiles[2 * tile + 1]!];
    check(size >= 0 && size <= tileRows, "pagedAttention", () => `tile ${tile} has ${size} rows: the most are ${tileRows}`);
    for (let row = first; row < first + size; row++) {
      const follows = row === first || (rows.slots[row] === rows.slots[row - 1] && rows.positions[row] === rows.positions[row - 1]! + 1);
      check(
        row >= 0 && row < count && follows,
        "pagedAttention",
        () => `row ${row} of tile ${tile} does not follow in its sequence, or does not count`,
      );
      found.push(row);
    }
  }
  check(
    new Set(found).size === count && found.length === count,
    "pagedAttention",
    () => `tiles have ${found.length} rows, but ${count} count`,
  );
  return found;
}

function sum(count: number, term: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += term(i);
  return total;
}

/** A stretch of a prompt across a page's end, a row far behind, a first row, and one that does not count. */
function attentionExample(type: StateDType, { KV, D, group }: { KV: number; D: number; group: number }, window = 0) {
  const pool: ExampleInput = { dtype: type, shape: [10, KV, pageKeys, D], role: "state" };
  const positions = [...Array.from({ length: 20 }, (_, i) => 50 + i), 600, 0, 0];
  const slots = [...Array.from({ length: 20 }, () => 1), 0, 2, 0];
  const pages = [
    [7, 3, 0, 9, 2, 1, 8, 5, 4, 6],
    [7, 6, 0, 0, 0, 0, 0, 0, 0, 0],
    [7, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ];
  const R = positions.length;
  return {
    inputs: [
      // The numbers of an f16 example are below 2⁻⁷.
      ...[{ ...f32(R, group * KV * D), scale: type === "f16" ? 100 : 1 }, pool, pool],
      { ...i32(R), values: positions },
      { ...i32(R), values: slots },
      { ...i32(3, 10), values: pages.flat() },
      { ...i32(R, 2), values: [...pageTiles(slots, positions, R - 1)] },
      { ...i32(1), values: [R - 1] },
    ],
    attributes: { type, window },
    liveRows: R - 1,
  };
}
