import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { atomicFolder, atomicWrite, removeFolder, removePartials } from "./index.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "cria-files-"));
});

afterEach(() => rm(root, { recursive: true, force: true }));

test("a folder appears when all of its files are there", async () => {
  await atomicFolder(join(root, "deep", "a"), async (partial) => {
    await atomicWrite(join(partial, "x"), "1");
    expect(await readdir(join(root, "deep"))).toEqual([expect.stringMatching(/^a\.\d+\.partial$/)]);
    await atomicWrite(join(partial, "y"), "2");
  });
  expect(await readdir(join(root, "deep"))).toEqual(["a"]);
  expect((await readdir(join(root, "deep", "a"))).sort()).toEqual(["x", "y"]);
});

test("nothing is left of one that failed, and the error is the house's", async () => {
  const fill = async (partial: string) => {
    await writeFile(join(partial, "x"), "1");
    throw Object.assign(new Error("write"), { code: "ENOSPC" });
  };
  await expect(atomicFolder(join(root, "a"), fill, "test")).rejects.toThrow(/^\[test\] .*a: the disk is full: free some space/);
  expect(await readdir(root)).toEqual([]);
});

test("what is there already is not written over", async () => {
  await mkdir(join(root, "a"));
  await writeFile(join(root, "a", "x"), "old");
  await expect(atomicFolder(join(root, "a"), (partial) => writeFile(join(partial, "x"), "new"))).rejects.toThrow(/^\[files\]/);
  expect(await readFile(join(root, "a", "x"), "utf8")).toBe("old");
  expect(await readdir(root)).toEqual(["a"]);
});

test("what a killed writer left goes, and nothing else", async () => {
  for (const name of ["a", "b.77.partial"]) await mkdir(join(root, name, "inner"), { recursive: true });
  await removePartials(root);
  expect(await readdir(root)).toEqual(["a"]);
  await removeFolder(join(root, "a"));
  expect(await readdir(root)).toEqual([]);
  await expect(removeFolder(join(root, "a"))).rejects.toThrow(/no such file or folder/);
  await removePartials(join(root, "absent"));
});
