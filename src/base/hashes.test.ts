// Hashes against Node's SHA-1 and the sums of xxHash's own reference (PyPI's xxhash 3), of bytes that come whole and in parts cut anywhere.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { Rng } from "./rng.ts";
import { sha1 } from "./sha1.ts";
import { hexOf } from "./sha256.ts";
import { Xxh32, xxh32 } from "./xxh32.ts";
import { Xxh64 } from "./xxh64.ts";

test("SHA-1 of every length up to three blocks is what Node's gives", () => {
  const rng = new Rng(4);
  for (let length = 0; length <= 192; length++) {
    const bytes = Uint8Array.from({ length }, () => rng.below(256));
    expect(hexOf(sha1(bytes)), `${length} bytes`).toBe(createHash("sha1").update(bytes).digest("hex"));
  }
});

test.each([
  ["", 46947589, 17241709254077376921n],
  ["a", 1426945110, 15154266338359012955n],
  ["abc", 852579327, 4952883123889572249n],
  ["Nobody inspects the spammish repetition", 3794352943, 18144624926692707313n],
  ["llamas walk to the water and drink", 3016742964, 16774672722179783439n],
  ["é日本🦙é日本🦙é日本🦙é日本🦙é日本🦙é日本🦙é日本🦙é日本🦙é日本🦙", 2334510353, 3946729489164883370n],
])("xxHash of %j", (text, hash32, hash64) => {
  const rng = new Rng(5);
  const bytes = new TextEncoder().encode(text);
  expect(xxh32(bytes)).toBe(hash32);
  for (const most of [1, 7, 50, 1000]) {
    const [short, long] = [new Xxh32(), new Xxh64()];
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + 1 + rng.below(most));
      short.update(part);
      long.update(part);
      at += part.length;
    }
    expect(short.digest()).toBe(hash32);
    const { low, high } = long.digest();
    expect((BigInt(high) << 32n) | BigInt(low)).toBe(hash64);
    expect(long.low32()).toBe(low);
  }
});
