import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { entrances, fuzzEntrance, fuzzWords } from "./fuzz.test.helper.ts";

test("the same as in the short test, for many seeds", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cria-fuzz-"));
  try {
    for (const [i, entrance] of (await entrances(folder)).entries())
      expect(await fuzzEntrance(entrance, 1000 + i, 2000), entrance.name).toBeGreaterThan(500);
    await fuzzWords(folder, 2, 5000);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
