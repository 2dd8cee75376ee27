// The n-grams of one order with their counts, adjusted as Kneser and Ney (1995) have it: an n-gram that is not of the longest counts once for each word
// that it stands behind, except at the beginning of a sentence, where nothing does.
import { bosId, type SuffixOrder } from "./suffix-order.ts";

/** The n-grams of one order. */
export interface Level {
  readonly order: number;
  /** Where the last word of each stands, the first time in suffix order. */
  readonly positions: Uint32Array;
  /** Adjusted counts. */
  readonly counts: Float64Array;
  /** 1 where the n-gram stays, 0 where it is pruned. */
  readonly kept: Uint8Array;
  /** The n-gram that ends at each place of the text, where there is one. */
  readonly indices: Uint32Array;
}

/** What a level is counted from. */
export interface LevelOptions {
  readonly words: Uint32Array;
  readonly suffixes: SuffixOrder;
  /** Words of this level's n-grams, and of the longest. */
  readonly order: number;
  readonly longest: number;
  /** N-grams that occur so often or less are pruned. */
  readonly threshold: number;
}

/** The n-grams of two or more words. */
export function levelOf({ words, suffixes, order, longest, threshold }: LevelOptions): Level {
  const { positions: places, shared, lengths } = suffixes;
  const size = places.reduce((sum, _, i) => sum + (lengths[i]! >= order && shared[i]! < order ? 1 : 0), 0);
  const [positions, counts, kept] = [new Uint32Array(size), new Float64Array(size), new Uint8Array(size)];
  const indices = new Uint32Array(words.length);
  const occurrences = new Uint32Array(size);
  let index = -1;
  for (let i = 0; i < places.length; i++) {
    if (lengths[i]! < order) continue;
    const place = places[i]!;
    const isFirst = shared[i]! < order;
    if (isFirst) positions[++index] = place;
    const isCounted = order === longest || words[place - order + 1] === bosId || isFirst || shared[i] === order;
    if (isCounted) counts[index]!++;
    occurrences[index]!++;
    indices[place] = index;
  }
  for (let i = 0; i < size; i++) kept[i] = occurrences[i]! > threshold ? 1 : 0;
  return { order, positions, counts, kept, indices };
}

/** The n-grams of one word, which are all words by their numbers; the counts of `<unk>` and `<s>` are 0. None is pruned. */
export function wordLevel({ words, suffixes, longest }: Omit<LevelOptions, "threshold" | "order">, vocabulary: number): Level {
  const { positions: places, shared } = suffixes;
  const counts = new Float64Array(vocabulary);
  for (let i = 0; i < places.length; i++) if (longest === 1 || shared[i]! <= 1) counts[words[places[i]!]!]!++;
  return { order: 1, positions: new Uint32Array(vocabulary), counts, kept: new Uint8Array(vocabulary).fill(1), indices: words };
}
