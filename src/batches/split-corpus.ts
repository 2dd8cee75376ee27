// Which part of a corpus is held out: whole documents where there are many, stretches of text where there are few, and always something on each side.
import { check, cutText } from "../base/index.ts";
import { portableHash, sideOf, type TextHash } from "./split-side.ts";

/** How one source is split. */
export interface SourceSplit {
  /** Characters per stretch, about; undefined where documents stay whole. */
  readonly stretch: number | undefined;
}

/** How a corpus is split: by documents or stretches, and on which side each lies. */
export interface Split {
  readonly sources: readonly SourceSplit[];
  /** Values of `sideOf` that lie on the other side than the share says, so that each side has something. */
  readonly moved: { readonly heldOut: readonly number[]; readonly kept: readonly number[] };
  /** The side of a document or stretch; it follows from the text alone. */
  isHeldOut(text: string): boolean;
}

/** A source of documents that is to be split. */
export interface SplitSource {
  readonly name: string;
  /** The documents in the same order every time. */
  documents(): AsyncIterable<string>;
}

/** So many documents of a source are expected on its smaller side, or chance would decide how large that is. */
const leastExpected = 5;
/** A tiny share would ask for more documents than it is worth to count. */
const mostCounted = 100_000;
/** So many stretches are expected on the smaller side, where the text is long enough. */
const stretchesExpected = 20;
/** UTF-16 units: shorter stretches say little, longer ones take memory. Of a text that is too short for ten of the former, a tenth, but a word or two. */
const [leastStretch, shortestStretch, longestStretch] = [16, 400, 1 << 20];

/**
 * Decides how to split sources, reading as much of them as that takes: of a source with many documents the first few thousand at most, others once or twice.
 * A text is held out when its {@link sideOf} is below the share. A source whose documents are few, or all on one side, is cut into stretches, and where
 * these still are all on one side, the nearest one changes it.
 * @param share of the text to hold out, from 0 to below 1
 * @param hash the platform's own SHA-256, where it has a faster one
 * @throws CriaError when there is so little text that one side would have none
 */
export async function splitCorpus(
  sources: readonly SplitSource[],
  share: number,
  where: string,
  hash: TextHash = portableHash,
): Promise<Split> {
  if (share === 0)
    return { sources: sources.map(() => ({ stretch: undefined })), moved: { heldOut: [], kept: [] }, isHeldOut: () => false };
  const splits: SourceSplit[] = [];
  const [heldOut, kept] = [new Set<number>(), new Set<number>()];
  let hasHeldOut = false;
  for (const source of sources) {
    const counted = await countDocuments(source, share, hash);
    const stretch = counted.isMany ? undefined : stretchFor(counted.characters, share);
    splits.push({ stretch });
    if (stretch === undefined) hasHeldOut = true;
    else {
      const spread = await spreadOf(source, stretch, share, hash);
      if (spread.isSingle) kept.add(spread.least);
      else if (spread.least >= share) heldOut.add(spread.least);
      else if (spread.most < share) kept.add(spread.most);
      hasHeldOut ||= !spread.isSingle;
    }
  }
  check(
    hasHeldOut,
    where,
    () =>
      `the text is too short, or too much the same, to hold a part of it out (heldOut is ${share}): give more text, or set heldOut to 0`,
  );
  return {
    sources: splits,
    moved: { heldOut: [...heldOut].sort(), kept: [...kept].sort() },
    isHeldOut: (text) => {
      const side = sideOf(text, hash);
      return !kept.has(side) && (side < share || heldOut.has(side));
    },
  };
}

/** Whether a source has documents enough, on both sides, that they can stay whole; and how long all of it is, where not. */
async function countDocuments(source: SplitSource, share: number, hash: TextHash): Promise<{ isMany: boolean; characters: number }> {
  const enough = Math.min(mostCounted, Math.ceil(leastExpected / Math.min(share, 1 - share)));
  const different = new Set<number>();
  let [hasHeldOut, hasTraining, characters] = [false, false, 0];
  for await (const text of source.documents()) {
    const side = sideOf(text, hash);
    characters += text.length;
    if (different.size < enough) different.add(side);
    if (side < share) hasHeldOut = true;
    else hasTraining = true;
    if (different.size >= enough && hasHeldOut && hasTraining) return { isMany: true, characters };
  }
  return { isMany: false, characters };
}

/** UTF-16 units per stretch: few enough for {@link stretchesExpected} on the smaller side, within the limits above. */
function stretchFor(characters: number, share: number): number {
  const wanted = (characters * Math.min(share, 1 - share)) / stretchesExpected;
  const least = Math.max(leastStretch, Math.min(shortestStretch, Math.ceil(characters / 10)));
  return Math.max(least, Math.min(longestStretch, Math.round(wanted)));
}

/** The least and the greatest {@link sideOf} of a source's stretches; it reads no further than to one on either side. */
async function spreadOf(source: SplitSource, stretch: number, share: number, hash: TextHash) {
  let [least, most] = [1, 0];
  for await (const text of source.documents())
    for (const part of cutText(text, stretch)) {
      if (part.trim() === "") continue;
      const side = sideOf(part, hash);
      [least, most] = [Math.min(least, side), Math.max(most, side)];
      if (least < share && most >= share) return { least, most, isSingle: false };
    }
  return { least, most, isSingle: least >= most };
}

/** A part of a document. */
export interface DocumentPart {
  readonly text: string;
  /** Where it begins in the document, in UTF-16 units. */
  readonly at: number;
  readonly isHeldOut: boolean;
}

/** The parts of a document in their order; stretches of one side beside each other stay together. */
export function* partsOf(text: string, { stretch }: SourceSplit, split: Split): Generator<DocumentPart> {
  if (stretch === undefined) return yield { text, at: 0, isHeldOut: split.isHeldOut(text) };
  let [begin, end, isHeldOut] = [0, 0, false];
  for (const part of cutText(text, stretch)) {
    const isNext = split.isHeldOut(part);
    if (isNext !== isHeldOut && end > begin) yield { text: text.slice(begin, end), at: begin, isHeldOut };
    if (isNext !== isHeldOut) begin = end;
    isHeldOut = isNext;
    end += part.length;
  }
  if (end > begin) yield { text: text.slice(begin), at: begin, isHeldOut };
}
