// Fingerprints against PyPI's simhash (test/goldens/make_simhash.py), with its hash of features, and what ours says of changed texts.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Rng } from "../../base/index.ts";
import { type FeatureHash, SimHash } from "./sim-hash.ts";

interface Golden {
  readonly texts: readonly string[];
  readonly fingerprints: readonly string[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("../../../test/goldens/simhash.golden.json", import.meta.url), "utf8"));

/** The last eight bytes of MD5, as simhash has them. */
const md5: FeatureHash = (characters, start, end, into) => {
  const digest = createHash("md5")
    .update(String.fromCodePoint(...characters.subarray(start, end)))
    .digest();
  [into.high, into.low] = [digest.readUInt32BE(8), digest.readUInt32BE(12)];
};

test("fingerprints are simhash's", () => {
  const hash = new SimHash(6, md5);
  const hex = (number: number) => number.toString(16).padStart(8, "0");
  for (const [i, text] of golden.texts.entries()) {
    const { low, high } = hash.fingerprint(text);
    expect(hex(high) + hex(low), text.slice(0, 80)).toBe(golden.fingerprints[i]);
  }
});

test("fingerprints of our own hash differ in few bits where few words differ, and in about half elsewhere", () => {
  const [rng, hash] = [new Rng(15), new SimHash(6)];
  const word = () => Array.from({ length: 2 + rng.below(8) }, () => String.fromCharCode(0x61 + rng.below(26))).join("");
  const bits = (a: string, b: string) => {
    const [first, second] = [{ ...hash.fingerprint(a) }, hash.fingerprint(b)];
    const ones = (number: number) => (number >>> 0).toString(2).replaceAll("0", "").length;
    return ones(first.low ^ second.low) + ones(first.high ^ second.high);
  };
  for (let round = 0; round < 20; round++) {
    const words = Array.from({ length: 4000 }, word);
    const changed = words.map((one, i) => (i % 1000 === 0 ? word() : one)); // 0.1 % of the words
    expect(bits(words.join(" "), changed.join("\n").toUpperCase())).toBeLessThanOrEqual(5);
    expect(bits(words.join(" "), Array.from({ length: 4000 }, word).join(" "))).toBeGreaterThan(15);
  }
});
