import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { entrances, fuzzEntrance, fuzzWords } from "./fuzz.test.helper.ts";

test("files and words that are wrong in one place are taken or refused in the house's form", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cria-fuzz-"));
  try {
    for (const [i, entrance] of (await entrances(folder)).entries())
      expect(await fuzzEntrance(entrance, 100 + i, 25), entrance.name).toBeGreaterThan(5);
    await fuzzWords(folder, 1, 75);
    expect(({} as Record<string, unknown>).a).toBeUndefined();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
