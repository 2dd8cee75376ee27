// Files for the time of some work.
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bury } from "./crash.test.helper.ts";
import { ScratchFolder, ScratchPath } from "./scratch-folder.ts";
import { withFolder } from "./with-folder.test.helper.ts";

test("files are written and read, one becomes what the work is for, and the others go", () =>
  withFolder(async (folder) => {
    const out = join(folder, "deep", "model");
    const scratch = await ScratchFolder.open(out, "test");
    const [kept, other] = [scratch.create(), scratch.create()];
    kept.write(Buffer.from("abc"));
    kept.write(Buffer.from("defg"));
    other.write(Buffer.from("x"));
    expect(kept.size).toBe(7);
    const into = Buffer.alloc(4);
    expect([kept.read(2, into), into.toString()]).toEqual([4, "cdef"]);
    expect([kept.read(5, into), into.toString()]).toEqual([2, "fgef"]);
    await scratch.keep(kept, out);
    await scratch[Symbol.asyncDispose]();
    expect(await readdir(join(folder, "deep"))).toEqual(["model"]);
    expect(await readFile(out, "utf8")).toBe("abcdefg");
  }));

test("what a killed program left goes with the next one for the same file, and what was there stays until it is replaced", () =>
  withFolder(async (folder) => {
    const out = join(folder, "model");
    await writeFile(out, "before");
    (await ScratchFolder.open(out, "test")).create().write(Buffer.from("half"));
    await bury(folder);
    expect(await readdir(folder)).toHaveLength(2);
    const scratch = await ScratchFolder.open(out, "test");
    expect(await readdir(folder)).toHaveLength(2);
    await scratch[Symbol.asyncDispose]();
    expect(await readdir(folder)).toEqual(["model"]);
    expect(await readFile(out, "utf8")).toBe("before");
  }));

test("a folder in the place of the file is refused, and so is a disk that is full", () =>
  withFolder(async (folder) => {
    await expect(ScratchFolder.open(folder, "test")).rejects.toThrow(`[test] ${folder}: `);
    if (!existsSync("/dev/full")) return;
    const full = new ScratchPath("/dev/full", "test");
    expect(() => full.write(Buffer.from("x"))).toThrow("[test] /dev/full: the disk is full: free some space and run again");
  }));
