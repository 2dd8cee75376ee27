import { test } from "vitest";
import { MinHash } from "./min-hash.ts";
import { expectRecall, sizes } from "./min-hash-recall.test.helper.ts";

test("planted near-copies are found as often as the theory says", () => {
  expectRecall(new MinHash(sizes), 60);
});
