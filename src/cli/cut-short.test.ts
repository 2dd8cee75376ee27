import { expect, test } from "vitest";
import { cutEverywhere } from "./cut-short.test.helper.ts";

test("where a run is cut short while its folder is made, the same command goes on, and so does --resume", async () => {
  expect(await cutEverywhere(8)).toBeGreaterThan(3);
});
