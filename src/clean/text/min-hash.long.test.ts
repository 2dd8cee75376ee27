import { test } from "vitest";
import { DatatroveMinHash } from "./datatrove-min-hash.ts";
import { MinHash } from "./min-hash.ts";
import { expectRecall, sizes } from "./min-hash-recall.test.helper.ts";

test("6,000 planted near-copies of each of 14 similarities are found as often as the theory says", () => {
  expectRecall(new MinHash(sizes), 6000);
});

test("600 are by datatrove's hash", () => {
  const hash = new DatatroveMinHash(sizes, "xxhash64");
  expectRecall({ addKeys: (text, keys) => hash.addKeys(text, "no text is short", keys) }, 600);
});
