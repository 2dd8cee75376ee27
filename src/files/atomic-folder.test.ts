import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { atomicFolder, atomicWrite, partialPath, removeFolder, removePartials } from "./index.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "cria-files-"));
});

afterEach(() => rm(root, { recursive: true, force: true }));

test("a folder appears when all of its files are there", async () => {
  await atomicFolder(join(root, "deep", "a"), async (partial) => {
    await atomicWrite(join(partial, "x"), "1");
    expect(await readdir(join(root, "deep"))).toEqual([expect.stringMatching(/^a\.\d+-.*\.partial$/)]);
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

test("what killed writers left goes, and nothing else: not what living ones or other machines are at", async () => {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  const living = partialPath("c");
  const left = [`b.${pid}.partial`, partialPath("b").replace(`.${process.pid}-`, `.${pid}-`), living.replace(/-\d+-/, "-1-")];
  const kept = ["a", living, `c.${pid}-1-00000000-0.partial`, "d.partial"];
  for (const name of [...left, ...kept]) await mkdir(join(root, name, "inner"), { recursive: true });
  await removePartials(root);
  const named = process.platform === "linux" ? kept : [...kept, left[2]];
  expect((await readdir(root)).sort()).toEqual(named.sort());
  await removePartials(root, { isLocked: true });
  expect((await readdir(root)).sort()).toEqual(named.filter((name) => !name!.includes("00000000")).sort());
  await removeFolder(join(root, "a"));
  expect(await readdir(root)).not.toContain("a");
  await expect(removeFolder(join(root, "a"))).rejects.toThrow(/no such file or folder/);
  await removePartials(join(root, "absent"));
});

test("a writer removes what a killed writer of the same file or folder left, and no other's", async () => {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  for (const name of ["x", "y", "z"]) await writeFile(join(root, `${name}.${pid}.partial`), "half");
  await atomicWrite(join(root, "x"), "1");
  await atomicFolder(join(root, "y"), async () => undefined);
  expect((await readdir(root)).sort()).toEqual(["x", "y", `z.${pid}.partial`]);
});
