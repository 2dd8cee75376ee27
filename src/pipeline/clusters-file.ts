// What a joining found, as a file: sizes of clusters, and where documents of the largest ones stand, so that the pass behind it can keep their beginnings.
import { z } from "zod";
import { writeCheckedJson } from "../files/index.ts";
import { parseWith } from "../schema/index.ts";
import type { Clusters } from "./clusters.ts";
import { readTaskJson } from "./numbers.ts";

const where = "data";

const form = z.object({
  copies: z.int(),
  /** How many clusters have so many documents, by size. */
  sizes: z.record(z.string(), z.int()),
  leftApart: z.int(),
  /** The largest clusters: how many documents each has, and its first few as their parts and their numbers there. */
  largest: z.array(z.object({ documents: z.int(), members: z.array(z.tuple([z.int(), z.int()])) })),
});

/** What a joining found. */
export type FoundClusters = z.output<typeof form>;

/** Writes what was found. @param counts documents of each part */
export async function writeClusters(path: string, { copies, sizes, largest, leftApart }: Clusters, counts: Uint32Array): Promise<void> {
  const found: FoundClusters = {
    copies,
    sizes: Object.fromEntries([...sizes].sort(([a], [b]) => a - b)),
    leftApart,
    largest: largest.map(({ documents, members }) => ({ documents, members: members.map((member) => placeOf(member, counts)) })),
  };
  await writeCheckedJson(path, found, where);
}

/** Reads what was found. @throws CriaError where the file cannot be read, was changed or is of another form */
export async function readClusters(path: string): Promise<FoundClusters> {
  return parseWith(form, await readTaskJson(path), where, path);
}

/** Where a document of a part is listed. */
export interface ListedMember {
  /** The cluster, by its size among all. */
  readonly cluster: number;
  /** Its place in the cluster's list. */
  readonly member: number;
}

/** The documents of a part that are listed, by their numbers in it. */
export function listedIn({ largest }: FoundClusters, wanted: number): ReadonlyMap<number, ListedMember> {
  const listed = new Map<number, ListedMember>();
  for (const [cluster, { members }] of largest.entries())
    for (const [member, [part, document]] of members.entries()) if (part === wanted) listed.set(document, { cluster, member });
  return listed;
}

/** The part of a document, by its number among all, and its number there. */
function placeOf(document: number, counts: Uint32Array): [number, number] {
  let [part, first] = [0, 0];
  while (document >= first + counts[part]!) first += counts[part++]!;
  return [part, document - first];
}
