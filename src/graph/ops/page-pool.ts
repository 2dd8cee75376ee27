// The key-value cache as pages that sequences share (Kwon et al. 2023, arXiv 2309.06180): which rows of a run belong to which sequence, where a
// sequence's keys and values lie, and how they lie in a page.
// Shapes: R rows of a run, S sequences, P pages of a sequence, G pages of the pool, KV key and value heads, D channels of a head.
import { check, type StateDType } from "../../base/index.ts";
import { type Graph, i32, type Tensor, type TensorType } from "../tensor.ts";

/** Keys of a page. */
export const pageKeys = 64;
/** The most rows of a tile. */
export const tileRows = 64;

/**
 * Two states of one layer, both [G, KV, 64, D] and of one layout. A page has for every head 64 values of D channels, one value after the other. Keys lie
 * likewise in q8_0, in blocks of 32 channels; in f32 and f16 they lie channel by channel, 64 keys each, so that lanes are keys.
 */
export interface PagePool {
  readonly keys: Tensor;
  readonly values: Tensor;
}

/** The inputs that tell the rows of a run apart. Of the R rows, those from count[0] on are not computed and may hold zeros. */
export interface PagedRows {
  /** i32 [R]: the positions of the rows in their sequences, from 0. */
  readonly positions: Tensor;
  /** i32 [R]: the sequences of the rows, as indices into `pages`. */
  readonly slots: Tensor;
  /** i32 [S, P]: page p of a sequence has its keys and values 64 · p to 64 · p + 63. Entries that no row reads or writes may be 0. */
  readonly pages: Tensor;
  /** i32 [R, 2]: first row and number of rows of every tile, as {@link pageTiles} makes them; tiles of 0 rows are not there, and none stands behind `count` of them. */
  readonly tiles: Tensor;
  /** i32 [1]: how many rows the run has. */
  readonly count: Tensor;
}

/** The type of a pool's keys and of its values. @throws CriaError where D is no multiple of the layout's block. */
export function poolType(
  dtype: StateDType,
  sizes: { readonly pages: number; readonly kvHeads: number; readonly headDim: number },
): TensorType {
  const { pages, kvHeads, headDim } = sizes;
  check(
    dtype !== "q8_0" || headDim % 32 === 0,
    "pages",
    () => `q8_0 keys need heads of a multiple of 32 channels, and these have ${headDim}: take f16`,
  );
  return { dtype, shape: [pages, kvHeads, pageKeys, headDim] };
}

/** Adds the inputs of a run of R rows to a graph, called "positions", "slots", "pages", "tiles" and "count". */
export function pagedRowInputs(graph: Graph, { R, S, P }: { readonly R: number; readonly S: number; readonly P: number }): PagedRows {
  return {
    positions: graph.input("positions", i32(R)),
    slots: graph.input("slots", i32(R)),
    pages: graph.input("pages", i32(S, P)),
    tiles: graph.input("tiles", i32(R, 2)),
    count: graph.input("count", i32(1)),
  };
}

/**
 * Cuts the first `count` rows into tiles, in pairs of first row and number of rows, zeros behind: consecutive rows of one sequence at consecutive
 * positions, cut where pages end. Any cut gives the same bits; with this one as many rows as may be share a page's keys while they are near.
 * @param slots the sequence of each row of the program, R in all
 */
export function pageTiles(slots: ArrayLike<number>, positions: ArrayLike<number>, count: number): Int32Array {
  const tiles = new Int32Array(2 * slots.length);
  let tile = -1;
  for (let row = 0; row < count; row++) {
    const position = positions[row]!;
    const goesOn = row > 0 && slots[row] === slots[row - 1] && position === positions[row - 1]! + 1 && position % tileRows !== 0;
    if (!goesOn) tiles[2 * ++tile] = row;
    tiles[2 * tile + 1]! += 1;
  }
  return tiles;
}

/** Where an element lies in a pool: by page, head, key and channel. */
export interface PoolPlace {
  keyAt(page: number, head: number, key: number, channel: number): number;
  valueAt(page: number, head: number, key: number, channel: number): number;
}

/** Where a pool of this layout has its elements, which are counted from its start. */
export function poolPlace(dtype: StateDType, { KV, D }: { readonly KV: number; readonly D: number }): PoolPlace {
  const valueAt = (page: number, head: number, key: number, channel: number) => ((page * KV + head) * pageKeys + key) * D + channel;
  const keyAt = (page: number, head: number, key: number, channel: number) => ((page * KV + head) * D + channel) * pageKeys + key;
  return { keyAt: dtype === "q8_0" ? valueAt : keyAt, valueAt };
}

/** What rows and sequences are in the reference. */
interface RowValues {
  readonly positions: Int32Array;
  readonly slots: Int32Array;
  readonly pages: Int32Array;
}

/** The page of a sequence that has a position. @throws CriaError when the row's sequence, the position or the page does not exist. */
export function pageOf(
  op: string,
  { slots, pages }: RowValues,
  { S, P, G }: Record<"S" | "P" | "G", number>,
  row: number,
  position: number,
): number {
  const slot = slots[row]!;
  check(slot >= 0 && slot < S, op, () => `row ${row} belongs to sequence ${slot}, but there are ${S}`);
  check(
    position >= 0 && position < P * pageKeys,
    op,
    () => `row ${row} reaches position ${position}, but ${P} pages end at ${P * pageKeys - 1}`,
  );
  const page = pages[slot * P + Math.floor(position / pageKeys)]!;
  check(page >= 0 && page < G, op, () => `sequence ${slot} has page ${page} at position ${position}, but the pool has ${G}`);
  return page;
}

/** The layout that an op's attribute names, as its pool has it. */
export function checkPool(
  op: string,
  type: StateDType,
  { keys, values }: { readonly keys: TensorType; readonly values: TensorType },
): void {
  check(
    keys.dtype === type && values.dtype === type,
    op,
    () => `keys are ${keys.dtype} and values ${values.dtype}, but the op is of ${type}: all must be the same`,
  );
}
