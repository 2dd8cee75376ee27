// RoPE and the write to pages within attention, for programs of few rows: a phase of its own would take longer than they do.
// A unit writes all keys that its rows see of this run, so that it waits for no other; where several units write a key, they write the same bytes.
import type { Int } from "../language.ts";
import { writeHead } from "./page-write.ts";
import { groupOf, partKeys, type Turning, type Work } from "./paged-work.ts";
import { loadIndex, pageKeys } from "./pages.ts";
import { rotate, storeAngles } from "./rope.ts";
import { rowAt } from "./rows.ts";

/** Rows of a program up to which it is worth it: angles are computed for every key head, and keys again for every tile that sees them. */
export const turnedRows = 8;

/** Writes the keys and values of the tile's sequence up to the tile's last row that are in parts of this share. */
export function writeTurned({ k, sizes, p, places, tile, head }: Work, share: Int): void {
  const { turned } = p;
  if (turned === undefined) return;
  const { slots, pagesOfSlot, kvHeads, headDim, dealt } = sizes;
  k.loop(0, tile.first.add(tile.count), 1, (row) => {
    const position = loadIndex(k, rowAt(p.positions, row, 1), pagesOfSlot * pageKeys);
    const write = () => {
      const from = rowAt(rowAt(k.int(0), row, kvHeads * headDim), head, headDim);
      storeAnglesOf({ k, sizes, p, places }, position);
      rotate(k, turningOf(sizes), turned.k.add(from), places.angles, places.key);
      writeHead(k, sizes, p, { row, head, key: places.key, value: turned.v.add(from) });
    };
    k.if(loadIndex(k, rowAt(p.slots, row, 1), slots), "==", tile.slot, () => k.if(position.div(partKeys).rem(dealt), "==", share, write));
  });
}

/** Turns the queries of row i of the tile. @returns where they are then */
export function turnQueries(work: Work, i: Int, from: Int, to: Int): Int {
  const { k, sizes, places, tile } = work;
  storeAnglesOf(work, tile.position.add(i));
  const head = sizes.headDim * 4;
  k.loop(0, groupOf(sizes) * head, head, (at) => rotate(k, turningOf(sizes), from.add(at), places.angles, to.add(at)));
  return to;
}

function storeAnglesOf({ k, sizes, p, places }: Pick<Work, "k" | "sizes" | "p" | "places">, position: Int): void {
  if (p.turned) storeAngles(k, { ...turningOf(sizes), inverse: false }, position, p.turned.turns, places.angles);
}

function turningOf({ headDim, turned = { pairing: "half", attentionFactor: 1 } }: Work["sizes"]): Turning & { readonly headDim: number } {
  return { headDim, ...turned };
}
