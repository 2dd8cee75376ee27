// Pairs of documents whose keys are near, found by blocks, against all pairs, which PyPI's simhash finds (test/goldens/make_simhash.py) or a plain loop.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { joinPairs } from "./clusters.ts";
import { readKeys, writeKeys } from "./keys.ts";
import { nearPairsOf } from "./near-pairs.ts";

interface Golden {
  readonly distance: number;
  readonly fingerprints: readonly string[];
  readonly pairs: readonly (readonly [number, number])[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("../../test/goldens/simhash.golden.json", import.meta.url), "utf8"));

/** The documents that clusters leave out, by keys turned to each of distance + 1 blocks, in two parts. */
function copiesOf(fingerprints: readonly bigint[], distance: number): number[] {
  const width = Math.floor(64 / (distance + 1));
  const lists = Array.from({ length: distance + 1 }, (_, band) => {
    const shift = BigInt(band * width);
    const keys = fingerprints.map((one) => BigInt.asUintN(64, (one << shift) | (one >> (64n - shift))));
    const part = (start: number, end: number) => ({
      keys: Uint32Array.from(keys.slice(start, end).flatMap((key, i) => [Number(key & 0xffffffffn), Number(key >> 32n), i])),
      first: start,
    });
    const half = keys.length >> 1;
    return nearPairsOf([part(0, half), part(half, keys.length)], { sameBits: Math.min(32, width), distance });
  });
  return [...joinPairs(lists, 1e6).copies];
}

test("pairs are those of simhash's index", () => {
  const fingerprints = golden.fingerprints.map((hex) => BigInt(`0x${hex}`));
  const expected = joinPairs([Uint32Array.from(golden.pairs.flat())], 1e6).copies;
  expect(expected.length).toBeGreaterThan(5);
  expect(copiesOf(fingerprints, golden.distance)).toEqual([...expected]);
});

test.each([0, 1, 3, 5, 9])("clusters are those of all pairs that differ in at most %i bits", (distance) => {
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
  const expected = [...joinPairs([Uint32Array.from(all)], 1e6).copies];
  expect(expected.length).toBeGreaterThan(5);
  expect(copiesOf(fingerprints, distance)).toEqual(expected);
});

test("keys that begin with the same bits lie in one partition", async () => {
  await withFolder(async (folder) => {
    const rng = new Rng(9);
    const halves = Uint32Array.from({ length: 2 * 3 * 200 }, () => rng.uint32());
    const path = join(folder, "x.keys");
    await writeKeys(path, { halves, documents: 200, partitions: 3 * 7, bands: 3, partitionBits: 4 });
    const placeOf = new Map<string, number>();
    let read = 0;
    for (let partition = 0; partition < 21; partition++) {
      const keys = await readKeys(path, partition, 21, 3);
      for (let i = 0; i < keys.length; i += 3, read++) {
        const block = `${Math.floor(partition / 7)} ${keys[i + 1]! >>> 28}`;
        expect(placeOf.get(block) ?? partition).toBe(partition);
        placeOf.set(block, partition);
      }
    }
    expect(read).toBe(600);
    expect(new Set(placeOf.values()).size).toBe(21);
  });
});
