import { expect, test } from "vitest";
import { CriaError, Rng } from "../base/index.ts";
import { joinDocuments, memoryTokens } from "./memory-tokens.ts";

test.each([Int32Array, Uint32Array, Uint16Array])("%p: any range is copied, and documents begin where they were joined", async (array) => {
  const rng = new Rng(4);
  const documents = Array.from({ length: 40 }, () => array.from(Array.from({ length: rng.below(6) }, () => rng.below(300))));
  const all = documents.flatMap((document) => [...document]);
  const starts = documents.map((_, i) => documents.slice(0, i).reduce((sum, { length }) => sum + length, 0));
  for (const tokens of [joinDocuments(documents), memoryTokens(array.from(all), starts)]) {
    expect(tokens.length).toBe(all.length);
    for (let round = 0; round < 100; round++) {
      const first = rng.below(all.length + 1);
      const count = rng.below(all.length + 1 - first);
      expect(Array.from(await tokens.read(first, count))).toEqual(all.slice(first, first + count));
      expect(await tokens.startsWithin?.(first, count)).toEqual(starts.filter((start) => start >= first && start < first + count));
    }
  }
});

test("ranges outside and starts that do not rise are refused; without starts none are known", async () => {
  const tokens = memoryTokens(Int32Array.of(1, 2, 3));
  expect(tokens.startsWithin).toBeUndefined();
  await expect(tokens.read(2, 2)).rejects.toThrow("[data] tokens 2 to 4 asked for, but there are 3");
  await expect(tokens.read(-1, 1)).rejects.toThrow(CriaError);
  const bytes = await tokens.read(0, 3);
  bytes[0] = 9;
  expect((await tokens.read(0, 1))[0]).toBe(1);
  expect(() => memoryTokens(Int32Array.of(1, 2), [1, 0])).toThrow("[data] starts[1] is 0 but must be an index from 1 to 2");
  expect(() => memoryTokens(Int32Array.of(1, 2), [0, 3])).toThrow("[data] starts[1] is 3 but must be an index from 0 to 2");
});
