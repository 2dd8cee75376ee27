import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
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

test("one of many has what is left; the others wait until it is released, and the next one has it", async () => {
  await writeFile(`${path}.partial`, "left");
  const claims = await Promise.all(Array.from({ length: 8 }, () => claimPartial(path)));
  const [claimed, ...others] = claims.filter((claim) => claim !== undefined);
  expect(claimed).toMatchObject({ bytes: 4 });
  expect(others).toEqual([]);
  expect(await claimPartial(path)).toBeUndefined();
  await releasePartial(path, claimed!.path);
  expect(await readdir(folder)).toEqual(["blob.partial"]);
  expect(await claimPartial(path)).toMatchObject({ bytes: 4 });
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
  const waiting = whileOthersDownload(path, undefined, (bytes) => heard.push(bytes));
  setTimeout(() => void rm(other!.path), 150);
  expect(await waiting).toEqual([]);
  expect(heard[0]).toBe(5);
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
