// What CCNet's normalisers make of every character of Unicode 14, alone and among letters and accents (test/goldens/make_cc_net.py).
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { hexOf, Sha256 } from "../../base/index.ts";
import { normaliseLine } from "./line-keys.ts";
import { plainText } from "./plain-text.ts";

interface Golden {
  readonly blockSize: number;
  /** Ranges of code points in hexadecimal. */
  readonly assigned: string;
  readonly normalised: readonly (readonly [block: number, hash: string])[];
  readonly normalisedForDedup: readonly (readonly [block: number, hash: string])[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("../../../test/goldens/cc-net.golden.json", import.meta.url), "utf8"));
const ways = [(c: string) => c, (c: string) => `é${c}\u0308b`];

test.each([
  { name: "language models", hashes: golden.normalised, normalise: plainText },
  { name: "deduplication of lines", hashes: golden.normalisedForDedup, normalise: normaliseLine },
])("characters are normalised for $name as by CCNet", ({ hashes, normalise }) => {
  const blocks = new Map<number, string[]>();
  for (const range of golden.assigned.split(",")) {
    const [first = 0, last = 0] = range.split("-").map((hex) => Number.parseInt(hex, 16));
    for (let point = first; point <= last; point++) {
      const block = Math.floor(point / golden.blockSize);
      if (!blocks.has(block)) blocks.set(block, []);
      for (const way of ways) blocks.get(block)?.push(normalise(way(String.fromCodePoint(point))));
    }
  }
  const found = [...blocks].map(([block, lines]) => [block, sha(lines.join("\n"))]);
  expect(found).toEqual(hashes);
});

function sha(text: string): string {
  const hash = new Sha256();
  hash.update(new TextEncoder().encode(text));
  return hexOf(hash.digest()).slice(0, 12);
}
