// Signatures and clusters against datatrove's own (test/goldens/make_min_hash.py), by each of its hashes.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { hexOf, Sha256 } from "../../base/index.ts";
import { CleanDocument, corpusStepRows, isClusterStep, KeyList } from "../index.ts";
import { type DatatroveHash, DatatroveMinHash } from "./datatrove-min-hash.ts";

interface Golden {
  readonly texts: readonly string[];
  readonly found: readonly {
    readonly hash: DatatroveHash;
    readonly signatures: readonly (string | null)[];
    readonly clusters: readonly (readonly number[])[];
  }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("../../../test/goldens/min-hash.golden.json", import.meta.url), "utf8"));
const sizes = { words: 5, bands: 14, rows: 8 };

/** The first half of SHA-256 over all values as numbers of 64 bits, little-endian. */
function hashOf(values: Uint32Array | undefined): string | null {
  if (values === undefined) return null;
  const bytes = new DataView(new ArrayBuffer(4 * values.length));
  for (let i = 0; i < values.length; i += 2) {
    bytes.setUint32(4 * i, values[i + 1]!, true);
    bytes.setUint32(4 * i + 4, values[i]!, true);
  }
  return hexOf(new Sha256().update(new Uint8Array(bytes.buffer)).digest()).slice(0, 16);
}

test.each(golden.found)("signatures by $hash are datatrove's", ({ hash, signatures }) => {
  const minHash = new DatatroveMinHash(sizes, hash);
  for (const [i, text] of golden.texts.entries()) expect(hashOf(minHash.signature(text)), JSON.stringify(text)).toBe(signatures[i]);
  expect(signatures).toContain(null);
});

test.each(golden.found)("documents that share a key by $hash are datatrove's clusters", ({ hash, clusters }) => {
  const row = corpusStepRows.find(({ name }) => name === "dedupNear")!;
  const step = row.openCorpus(row.parameters.parse({ hash }));
  if (!("addKeys" in step)) throw new Error("near-duplicates have keys");
  const keys = new KeyList();
  for (const [i, text] of golden.texts.entries()) step.addKeys(new CleanDocument(text, { id: `a#${i}` }), keys);
  expect(keys.count).toBe((isClusterStep(step) ? step.bands : 0) * golden.texts.length);
  expect(clustersOf(keys, golden.texts.length)).toEqual(clusters);
  expect(clusters.length).toBeGreaterThan(4);
});

/** Documents joined by keys that they have in common, those alone left out: a slow judge of the pipeline's clusters, too. */
function clustersOf({ halves }: KeyList, documents: number): number[][] {
  const [first, cluster] = [new Map<string, number>(), Array.from({ length: documents }, (_, i) => i)];
  for (let key = 0; 2 * key < halves.length; key++) {
    const document = Math.floor(key / sizes.bands);
    const name = `${key % sizes.bands} ${halves[2 * key]} ${halves[2 * key + 1]}`;
    const [one, other] = [cluster[document]!, cluster[first.get(name) ?? document]!];
    first.set(name, document);
    for (const [i, now] of cluster.entries()) if (now === Math.max(one, other)) cluster[i] = Math.min(one, other);
  }
  const members = new Map<number, number[]>();
  for (const [document, lowest] of cluster.entries()) members.set(lowest, [...(members.get(lowest) ?? []), document]);
  return [...members.values()].filter(({ length }) => length > 1);
}
