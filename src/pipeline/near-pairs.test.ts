// Pairs of documents whose keys are near, found by blocks, against all pairs, which PyPI's simhash finds (test/goldens/make_simhash.py) or a plain loop.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { joinLists, KeptPairs, numberedKeys } from "./clusters.test.helper.ts";
import { findKeys, KeyWriter, readKeys } from "./keys.ts";
import { findNearPairs } from "./near-pairs.ts";

interface Golden {
  readonly distance: number;
  readonly fingerprints: readonly string[];
  readonly pairs: readonly (readonly [number, number])[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("../../test/goldens/simhash.golden.json", import.meta.url), "utf8"));

/** The documents that clusters leave out, by keys turned to each of distance + 1 blocks, in two parts. @param bytes of memory */
async function copiesOf(fingerprints: readonly bigint[], distance: number, bytes: number): Promise<readonly number[]> {
  const width = Math.floor(64 / (distance + 1));
  const pairs = new KeptPairs();
  for (let band = 0; band <= distance; band++) {
    const shift = BigInt(band * width);
    const keys = fingerprints.map((one) => BigInt.asUintN(64, (one << shift) | (one >> (64n - shift))));
    const part = (start: number, end: number) =>
      numberedKeys(Uint32Array.from(keys.slice(start, end).flatMap((key, i) => [Number(key & 0xffffffffn), Number(key >> 32n), i])), start);
    const half = keys.length >> 1;
    await findNearPairs([part(0, half), part(half, keys.length)], { sameBits: Math.min(32, width), distance }, pairs, bytes);
  }
  return (await joinLists(pairs.pairs, 1e6)).list;
}

test("pairs are those of simhash's index", async () => {
  const fingerprints = golden.fingerprints.map((hex) => BigInt(`0x${hex}`));
  const expected = (await joinLists(golden.pairs.flat(), 1e6)).list;
  expect(expected.length).toBeGreaterThan(5);
  expect(await copiesOf(fingerprints, golden.distance, 1 << 20)).toEqual(expected);
});

test.each([0, 1, 3, 5, 9])("clusters are those of all pairs that differ in at most %i bits, in any memory", async (distance) => {
  const rng = new Rng(distance);
  const fingerprints: bigint[] = [];
  for (let i = 0; i < 300; i++) {
    let one = (BigInt(rng.uint32()) << 32n) | BigInt(rng.uint32());
    if (i > 0 && rng.below(2) === 0) {
      one = fingerprints[rng.below(i)]!;
      for (let bits = rng.below(2 * distance + 2); bits > 0; bits--) one ^= 1n << BigInt(rng.below(64));
    }
    fingerprints.push(one);
  }
  const differing = (a: bigint, b: bigint) => (a ^ b).toString(2).replaceAll("0", "").length;
  const all = fingerprints.flatMap((a, i) => fingerprints.slice(0, i).flatMap((b, j) => (differing(a, b) <= distance ? [j, i] : [])));
  const expected = (await joinLists(all, 1e6)).list;
  expect(expected.length).toBeGreaterThan(5);
  for (const bytes of [1 << 20, 4000]) expect(await copiesOf(fingerprints, distance, bytes)).toEqual(expected);
});

test("keys that begin with the same bits lie in one partition", async () => {
  await withFolder(async (folder) => {
    const rng = new Rng(9);
    const halves = Uint32Array.from({ length: 2 * 3 * 200 }, () => rng.uint32());
    const path = join(folder, "x.keys");
    const layout = { partitions: 3 * 7, bands: 3, partitionBits: 4 };
    await using writer = await KeyWriter.open(path, layout);
    for (const [start, end] of [
      [0, 150],
      [150, 600],
    ] as const)
      await writer.writeRun({ halves: halves.subarray(2 * start, 2 * end), count: end - start });
    await writer.finish(200);
    const placeOf = new Map<string, number>();
    const found: string[] = [];
    for (let partition = 0; partition < 21; partition++) {
      const documents: number[] = [];
      for await (const keys of readKeys(await findKeys(path, partition, layout)))
        for (let i = 0; i < keys.length; i += 3) {
          const block = `${Math.floor(partition / 7)} ${keys[i + 1]! >>> 28}`;
          expect(placeOf.get(block) ?? partition).toBe(partition);
          placeOf.set(block, partition);
          found.push(`${keys[i]} ${keys[i + 1]} ${keys[i + 2]}`);
          documents.push(keys[i + 2]!);
        }
      expect(documents).toEqual([...documents].sort((a, b) => a - b));
    }
    const written = Array.from({ length: 600 }, (_, key) => `${halves[2 * key]} ${halves[2 * key + 1]} ${Math.floor(key / 3)}`);
    expect(found.sort()).toEqual(written.sort());
    expect(new Set(placeOf.values()).size).toBe(21);
    await expect(findKeys(path, 0, { ...layout, partitions: 7 })).rejects.toThrow(
      /x\.keys: it does not hold what its task writes: remove \S+x\.jsonl/,
    );
  });
});
