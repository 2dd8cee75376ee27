// Merges as one number per piece: what files hold that know scores or ranks of pieces and no pairs.
import { fail } from "../base/index.ts";
import type { MergeTable } from "./merge-table.ts";

/**
 * The rank of the merge that makes each piece, by id; undefined for pieces that no merge makes from text.
 *
 * Where files give a number per piece, every pair whose join is a piece merges. That gives the same ids as a list of merges if no piece is left
 * as exactly two others when it is merged by itself: what stands side by side and makes a piece together has been merged as that piece alone is,
 * because no merge reached across its ends.
 * @param symbolsOf the symbols of a piece's characters or bytes; undefined for pieces that stand apart from text
 * @throws CriaError naming a piece that the list leaves in two
 */
export function ranksOfMerges(
  pieces: readonly string[],
  table: MergeTable,
  symbolsOf: (id: number) => Int32Array | undefined,
): (number | undefined)[] {
  return pieces.map((piece, id) => {
    const symbols = symbolsOf(id);
    if (symbols === undefined || symbols.length < 2) return undefined;
    const length = table.merge(symbols, symbols.length);
    if (length === 1 && symbols[0] === id) return table.lastRank;
    if (length > 2) return undefined;
    return fail(
      "tokenizer",
      `the piece ${JSON.stringify(piece)} is no outcome of the merges, but two pieces make it up: a form with a number per piece cannot say this; write a tokenizer.json`,
    );
  });
}
