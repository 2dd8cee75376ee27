import { rmSync } from "node:fs";
import { appendFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { partialPath } from "../files/index.ts";
import { bytesLeft, claimPartial, releasePartial, whileOthersDownload } from "./partial-blob.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-partial-"));
  path = join(folder, "blob");
});
afterEach(() => rm(folder, { recursive: true }));

test("of many at most one writes at a time, and each has what the one before left", async () => {
  await writeFile(`${path}.partial`, "left");
  let writing = 0;
  const sizes: number[] = [];
  const download = async () => {
    for (;;) {
      const claimed = await claimPartial(path);
      if (claimed !== undefined) {
        expect(++writing).toBe(1);
        sizes.push(claimed.bytes);
        await appendFile(claimed.path, "+");
        writing--;
        return releasePartial(path, claimed.path);
      }
      await whileOthersDownload(path, undefined, () => undefined);
    }
  };
  await Promise.all(Array.from({ length: 6 }, download));
  expect(sizes).toEqual([4, 5, 6, 7, 8, 9]);
  expect(await readdir(folder)).toEqual(["blob.partial"]);
});

test("the largest of what ended processes left is taken, and the others go", async () => {
  const host = partialPath("x").split("-").at(-2);
  await writeFile(`${path}.999999998-1-${host}-0.partial`, "123456");
  await writeFile(`${path}.999999999-1-${host}-0.partial`, "123");
  await writeFile(`${path}.partial`, "1");
  await writeFile(`${path}.1-1-00000000-0.partial`, "of another machine");
  expect(await bytesLeft(path)).toBe(6); // so much less room is needed
  const claimed = await claimPartial(path);
  expect(claimed).toMatchObject({ bytes: 6 });
  expect(await bytesLeft(path)).toBe(0);
  expect((await readdir(folder)).sort()).toEqual(["blob.1-1-00000000-0.partial", claimed!.path.slice(folder.length + 1)].sort());
});

test("whoever waits hears how far the other one is, and goes on when it is done", async () => {
  const other = await claimPartial(path);
  await writeFile(other!.path, "12345");
  const heard: number[] = [];
  const waiting = whileOthersDownload(path, undefined, (bytes) => {
    if (heard.push(bytes) === 2) rmSync(other!.path);
  });
  expect(await waiting).toEqual([]);
  expect(heard).toEqual([5, 5]);
  expect(await claimPartial(path)).toMatchObject({ bytes: 0 });
});

test("a partial that stalls does not stand in the way", async () => {
  const other = await claimPartial(path);
  expect(await claimPartial(path, [other!.path])).toMatchObject({ bytes: 0 });
});

test("a signal ends the waiting", async () => {
  await claimPartial(path);
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("enough")), 20);
  await expect(whileOthersDownload(path, stop.signal, () => undefined)).rejects.toThrow("enough");
});
