// Clusters of documents: pairs that share a key, joined by union-find over the documents that are in one.
import type { Marks } from "./keys.ts";
import { bytesOfBits } from "./keys.ts";

/** Keys of the documents of a part in one partition: lower half, upper half and document, in turns. */
export interface PartKeys {
  readonly keys: Uint32Array;
  /** The number of the part's first document among all. */
  readonly first: number;
}

/** The pairs of each document that shares a key with an earlier one, and the first that has the key. @returns both numbers of each pair, in turns */
export function pairsOf(parts: readonly PartKeys[]): Uint32Array {
  const table = new FirstTable(parts.reduce((sum, { keys }) => sum + keys.length / 3, 0));
  const pairs: number[] = [];
  for (const { keys, first } of parts)
    for (let i = 0; i < keys.length; i += 3) {
      const document = first + keys[i + 2]!;
      const earlier = table.firstOf(keys[i]!, keys[i + 1]!, document);
      if (earlier !== document) pairs.push(earlier, document);
    }
  return Uint32Array.from(pairs);
}

/** Keys with the first document that had each. */
class FirstTable {
  /** Lower half, upper half and document plus one of each place, 0 where it is free. */
  readonly #places: Uint32Array;
  readonly #mask: number;

  constructor(keys: number) {
    const places = 2 ** Math.ceil(Math.log2(Math.max(16, 1.5 * keys)));
    this.#places = new Uint32Array(3 * places);
    this.#mask = places - 1;
  }

  firstOf(low: number, high: number, document: number): number {
    const places = this.#places;
    for (let place = low & this.#mask; ; place = (place + 1) & this.#mask) {
      const at = 3 * place;
      if (places[at + 2] === 0) {
        [places[at], places[at + 1], places[at + 2]] = [low, high, document + 1];
        return document;
      }
      if (places[at] === low && places[at + 1] === high) return places[at + 2]! - 1;
    }
  }
}

/** What pairs were joined to. */
export interface Clusters {
  /** Documents that are in a cluster and not its first. */
  readonly copies: Uint32Array;
  /** How many clusters have so many documents, by size. */
  readonly sizes: ReadonlyMap<number, number>;
  /** The size of the largest clusters, and their first few documents. */
  readonly largest: readonly { readonly documents: number; readonly members: readonly number[] }[];
  /** Pairs that would have made a cluster too large. */
  readonly leftApart: number;
}

/** So many of the largest clusters are listed, each with so many documents. */
const [mostListed, mostMembers] = [20, 5];

/** Joins pairs to clusters. @param most documents of a cluster; a pair that would make a larger one is left out */
export function joinPairs(lists: readonly Uint32Array[], most: number): Clusters {
  const documents = different(lists);
  const sets = new Sets(documents.length);
  let leftApart = 0;
  for (const pairs of lists)
    for (let i = 0; i < pairs.length; i += 2)
      if (!sets.join(placeOf(documents, pairs[i]!), placeOf(documents, pairs[i + 1]!), most)) leftApart++;
  const sizes = new Map<number, number>();
  const roots: { first: number; documents: number }[] = [];
  const copies: number[] = [];
  for (const [place, document] of documents.entries()) {
    if (sets.rootOf(place) !== place) copies.push(document);
    else {
      const size = sets.sizeOf(place);
      sizes.set(size, (sizes.get(size) ?? 0) + 1);
      roots.push({ first: document, documents: size });
    }
  }
  const largest = roots.sort((a, b) => b.documents - a.documents || a.first - b.first).slice(0, mostListed);
  const members = membersOf(largest, documents, sets);
  return {
    ...{ copies: Uint32Array.from(copies), sizes, leftApart },
    largest: largest.map(({ first, documents }) => ({ documents, members: members.get(first) ?? [] })),
  };
}

/** The first few documents of each cluster, by its first one. */
function membersOf(clusters: readonly { readonly first: number }[], documents: Uint32Array, sets: Sets): ReadonlyMap<number, number[]> {
  const members = new Map<number, number[]>(clusters.map(({ first }) => [first, []]));
  for (const [place, document] of documents.entries()) {
    const listed = members.get(documents[sets.rootOf(place)]!);
    if (listed !== undefined && listed.length < mostMembers) listed.push(document);
  }
  return members;
}

/** The numbers of all lists, rising, each once. */
function different(lists: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(lists.reduce((sum, list) => sum + list.length, 0));
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  return all.sort().filter((value, i, sorted) => i === 0 || value !== sorted[i - 1]);
}

/** Where a number stands among rising ones that hold it. */
function placeOf(sorted: Uint32Array, value: number): number {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Disjoint sets whose root is their least member. */
class Sets {
  readonly #parents: Uint32Array;
  readonly #sizes: Uint32Array;

  constructor(count: number) {
    this.#parents = Uint32Array.from({ length: count }, (_, i) => i);
    this.#sizes = new Uint32Array(count).fill(1);
  }

  rootOf(member: number): number {
    const parents = this.#parents;
    let root = member;
    while (parents[root] !== root) root = parents[root]!;
    for (let at = member; at !== root; ) {
      const next = parents[at]!;
      parents[at] = root;
      at = next;
    }
    return root;
  }

  sizeOf(root: number): number {
    return this.#sizes[root]!;
  }

  /** @returns false where the set would have more than `most` members */
  join(a: number, b: number, most: number): boolean {
    const [first, second] = [this.rootOf(a), this.rootOf(b)];
    if (first === second) return true;
    const size = this.#sizes[first]! + this.#sizes[second]!;
    if (size > most) return false;
    const [root, other] = first < second ? [first, second] : [second, first];
    this.#parents[other] = root;
    this.#sizes[root] = size;
    return true;
  }
}

/** A bit per document, 1 for copies. @param counts documents of each part */
export function marksOf({ copies }: Clusters, counts: Uint32Array): Marks {
  const bits = new Uint8Array(counts.reduce((sum, count) => sum + bytesOfBits(count), 0));
  let [part, before, start] = [0, 0, 0];
  for (const document of copies) {
    while (document >= before + counts[part]!) {
      before += counts[part]!;
      start += bytesOfBits(counts[part]!);
      part++;
    }
    const bit = document - before;
    bits[start + (bit >> 3)]! |= 1 << (bit & 7);
  }
  return { counts, bits };
}
