// Clusters of documents: pairs that share a key, joined by union-find over the documents that are in one. The least number of a cluster stays.
import { type PartKeys, sliceOf, slicesOf } from "./compare.ts";
import { bytesOfBits, type Marks } from "./marks.ts";
import type { PairWriter } from "./pairs.ts";

/** Keys of the documents of a part in one partition. */
export interface NumberedKeys {
  readonly keys: PartKeys;
  /** The number of the part's first document among all. */
  readonly first: number;
}

/** Gives the pair of each document that shares a key with an earlier one, and the first that has the key. @param tableBytes memory that the hash table may take */
export async function findPairs(
  parts: readonly NumberedKeys[],
  pairs: Pick<PairWriter, "add" | "settle">,
  tableBytes: number,
): Promise<void> {
  const count = parts.reduce((sum, { keys }) => sum + keys.count, 0);
  const { slices, places } = slicesOf(count, placeBytes, tableBytes);
  const table = new FirstTable(places);
  for (let slice = 0; slice < slices; slice++) {
    table.clear();
    for (const { keys, first } of parts)
      for await (const some of keys.read()) {
        for (let i = 0; i < some.length; i += 3) {
          if (slices > 1 && sliceOf(some[i + 1]!, slices) !== slice) continue;
          const document = first + some[i + 2]!;
          const earlier = table.firstOf(some[i]!, some[i + 1]!, document);
          if (earlier !== document) pairs.add(earlier, document);
        }
        await pairs.settle();
      }
  }
}

/** Bytes of a place of {@link FirstTable}. */
const placeBytes = 12;

/** Keys with the first document that had each. */
class FirstTable {
  /** Lower half, upper half and document plus one of each place, 0 where it is free. */
  readonly #places: Uint32Array;
  readonly #mask: number;

  constructor(places: number) {
    this.#places = new Uint32Array(3 * places);
    this.#mask = places - 1;
  }

  clear(): void {
    this.#places.fill(0);
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
  readonly copies: number;
  /** A bit per document, 1 for those. */
  readonly bits: Uint8Array;
  /** How many clusters have so many documents, by size. */
  readonly sizes: ReadonlyMap<number, number>;
  /** The size of the largest clusters, and their first few documents. */
  readonly largest: readonly { readonly documents: number; readonly members: readonly number[] }[];
  /** Pairs that would have made a cluster too large. */
  readonly leftApart: number;
}

/** A cluster by its first document, and that one's place among those in a pair. */
interface LargeCluster {
  readonly first: number;
  readonly place: number;
  readonly documents: number;
}

/** So many of the largest clusters are listed, each with so many documents. */
const [mostListed, mostMembers] = [20, 5];

/** What is joined. */
export interface Joining {
  /** Documents there are. */
  readonly documents: number;
  /** Documents of a cluster; a pair that would make a larger one is left out. */
  readonly most: number;
  /** Hears how much memory joining takes, when it is known how many documents are in a pair. May throw. */
  readonly onNeed?: ((need: { readonly linked: number; readonly bytes: number }) => void) | undefined;
}

type Pairs = AsyncIterable<BigUint64Array>;

/**
 * Joins pairs to clusters, in the order in which they come.
 * @param pairs the earlier document of each in the upper half, the later one in the lower half; read twice: first to see which documents are in one, in any order
 */
export async function joinPairs(
  pairs: { readonly any: () => Pairs; readonly ordered: () => Pairs },
  { documents, most, onNeed }: Joining,
): Promise<Clusters> {
  const linked = new Linked(documents);
  for await (const some of pairs.any()) for (const pair of some) linked.add(pair);
  linked.close();
  onNeed?.({ linked: linked.count, bytes: linked.bytes + 8 * linked.count });
  const sets = new Sets(linked.count);
  let leftApart = 0;
  for await (const some of pairs.ordered())
    for (const pair of some) if (!sets.join(linked.place(earlierOf(pair)), linked.place(laterOf(pair)), most)) leftApart++;
  const bits = new Uint8Array(bytesOfBits(documents));
  const sizes = new Map<number, number>();
  let largest: LargeCluster[] = [];
  let [copies, place] = [0, 0];
  for (const document of linked.all()) {
    const root = sets.rootOf(place);
    if (root !== place) {
      bits[document >>> 3]! |= 1 << (document & 7);
      copies++;
    } else {
      const size = sets.sizeOf(place);
      sizes.set(size, (sizes.get(size) ?? 0) + 1);
      largest.push({ first: document, place, documents: size });
      if (largest.length > 100 * mostListed) largest = largestOf(largest);
    }
    place++;
  }
  largest = largestOf(largest);
  const members = membersOf(largest, linked, sets);
  return {
    ...{ copies, bits, sizes, leftApart },
    largest: largest.map(({ place, documents }) => ({ documents, members: members.get(place) ?? [] })),
  };
}

/** The first few documents of each cluster, by the place of its first one. */
function membersOf(clusters: readonly LargeCluster[], linked: Linked, sets: Sets): ReadonlyMap<number, readonly number[]> {
  const members = new Map<number, number[]>(clusters.map(({ place }) => [place, []]));
  let place = 0;
  for (const document of linked.all()) {
    const listed = members.get(sets.rootOf(place++));
    if (listed !== undefined && listed.length < mostMembers) listed.push(document);
  }
  return members;
}

function earlierOf(pair: bigint): number {
  return Number(pair >> 32n);
}

function laterOf(pair: bigint): number {
  return Number(pair & 0xffffffffn);
}

function largestOf(clusters: LargeCluster[]): LargeCluster[] {
  return clusters.sort((a, b) => b.documents - a.documents || a.first - b.first).slice(0, mostListed);
}

/** Documents per count of {@link Linked}. */
const rankEvery = 512;

/** The documents that are in a pair: a bit per document, and how many there are in front of every 512th. */
class Linked {
  readonly #documents: number;
  readonly #bits: Uint8Array;
  readonly #ranks: Uint32Array;
  count = 0;

  constructor(documents: number) {
    this.#documents = documents;
    this.#bits = new Uint8Array(bytesOfBits(documents));
    this.#ranks = new Uint32Array(Math.ceil(documents / rankEvery));
  }

  /** Bytes of memory that it takes, with as many bits for the copies, and for their marks part by part. */
  get bytes(): number {
    return 3 * this.#bits.length + this.#ranks.byteLength;
  }

  add(pair: bigint): void {
    for (const document of [earlierOf(pair), laterOf(pair)]) this.#bits[document >>> 3]! |= 1 << (document & 7);
  }

  close(): void {
    for (const [byte, bits] of this.#bits.entries()) {
      if (byte % (rankEvery / 8) === 0) this.#ranks[byte / (rankEvery / 8)] = this.count;
      this.count += ones(bits);
    }
  }

  /** Where a document stands among those in a pair. */
  place(document: number): number {
    const [rank, byte] = [Math.floor(document / rankEvery), document >>> 3];
    let place = this.#ranks[rank]!;
    for (let i = rank * (rankEvery / 8); i < byte; i++) place += ones(this.#bits[i]!);
    return place + ones(this.#bits[byte]! & ((1 << (document & 7)) - 1));
  }

  /** The documents, rising. */
  *all(): Generator<number> {
    for (let document = 0; document < this.#documents; document++) {
      const bits = this.#bits[document >>> 3]!;
      if (bits === 0) document += 7 - (document & 7);
      else if (((bits >> (document & 7)) & 1) === 1) yield document;
    }
  }
}

const onesOf = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll("0", "").length);

function ones(byte: number): number {
  return onesOf[byte]!;
}

/** Disjoint sets whose root is their least member. */
class Sets {
  readonly #parents: Uint32Array;
  readonly #sizes: Uint32Array;

  constructor(count: number) {
    this.#parents = new Uint32Array(count);
    for (let i = 0; i < count; i++) this.#parents[i] = i;
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
export function marksOf({ bits: copies }: Pick<Clusters, "bits">, counts: Uint32Array): Marks {
  const bits = new Uint8Array(counts.reduce((sum, count) => sum + bytesOfBits(count), 0));
  let [document, start] = [0, 0];
  for (const count of counts) {
    for (let bit = 0; bit < count; bit++, document++)
      if (((copies[document >>> 3]! >> (document & 7)) & 1) === 1) bits[start + (bit >> 3)]! |= 1 << (bit & 7);
    start += bytesOfBits(count);
  }
  return { counts, bits };
}
