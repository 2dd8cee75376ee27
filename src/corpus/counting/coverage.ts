// Which parts of a corpus a run of counted words holds. A text is counted piece by piece (cut-text.ts), so a run may end inside a part.
import { check } from "../../base/index.ts";
import type { TextPart } from "../texts/index.ts";

/** Pieces of one part of one file: those from `from` up to, not including, `to`, or to its end where that is null. */
export type CoveredPieces = readonly [file: number, stretch: number, from: number, to: number | null];

/** A part that is still to be counted, but for its first pieces. */
export interface OpenPart extends TextPart {
  readonly skip: number;
}

/**
 * What is left of the parts, in their order.
 * @throws CriaError where something was counted twice, or what lies before it was not
 */
export function openParts(parts: readonly TextPart[], covered: readonly CoveredPieces[], where: string): OpenPart[] {
  const byPart = new Map<string, CoveredPieces[]>();
  for (const one of covered) {
    const key = keyOf(one[0], one[1]);
    const known = byPart.get(key);
    if (known === undefined) byPart.set(key, [one]);
    else known.push(one);
  }
  return parts.flatMap((part) => {
    const skip = donePieces(byPart.get(keyOf(part.file, part.stretch ?? 0)) ?? [], where);
    return skip === null ? [] : [{ ...part, skip }];
  });
}

/** How many pieces of a part were counted; null for all. */
function donePieces(covered: readonly CoveredPieces[], where: string): number | null {
  let done: number | null = 0;
  for (const [file, stretch, from, to] of covered.toSorted((a, b) => a[2] - b[2])) {
    const expected = done;
    check(
      from === expected,
      where,
      () =>
        `the counts go on at piece ${from} of part ${stretch} of file ${file}, but those before it end at ${expected ?? "its end"}: remove the folder to start anew`,
    );
    done = to;
  }
  return done;
}

function keyOf(file: number, stretch: number): string {
  return `${file}/${stretch}`;
}
