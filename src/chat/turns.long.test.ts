// Many more random chats than turns.test.ts has.
import { expect, test } from "vitest";
import { compareRandom } from "./turns.test.helper.ts";

test.each([1, 2, 3, 4])("turns are those that rendering every one of them gives: seed %i", (seed) => {
  expect(compareRandom(seed, 2000)["same turns"]).toBeGreaterThan(1000);
});
