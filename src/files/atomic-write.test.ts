import fs from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { watchFiles } from "./crash.test.helper.ts";
import { atomicFolder, atomicWrite, makeFolder } from "./index.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "cria-write-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Windows has no such step. */
const folderSync = process.platform === "win32" ? [] : ["sync of a folder"];

test("a file is synced before it takes its name, and its folder after", async () => {
  const { done } = await watchFiles(() => atomicWrite(join(root, "a"), "text"));
  expect(done).toEqual(["open", "write", "sync of a file", "rename", ...folderSync]);
});

test("a folder takes its name when its files are synced, and the one above is synced after", async () => {
  const { done } = await watchFiles(() => atomicFolder(join(root, "a"), (partial) => atomicWrite(join(partial, "x"), "text")));
  const file = ["open", "write", "sync of a file", "rename", ...folderSync];
  expect(done).toEqual(["mkdir", "mkdir", ...file, "rename", ...folderSync]);
});

test("folders that are made on the way are synced into those above them", async () => {
  const { done } = await watchFiles(() => makeFolder(join(root, "a", "b", "c")));
  const made = ["mkdir", ...folderSync];
  expect(done).toEqual(["mkdir", "mkdir", ...made, ...made, ...made]);
  expect((await watchFiles(() => makeFolder(join(root, "a", "b")))).done).toEqual(["mkdir"]);
});

test("a folder that cannot be made is refused with the reason, also where Node's recursive mkdir never ends", async () => {
  await writeFile(join(root, "file"), "text");
  await expect(makeFolder(join(root, "file", "a", "b"), "here")).rejects.toThrow(/^\[here\] .*file.a.b: /);
  await expect(makeFolder(join(root, "file"), "here")).rejects.toThrow(/^\[here\] .*file: /);
  if (process.platform === "linux") await expect(makeFolder("/proc/nothing/a", "here")).rejects.toThrow(/^\[here\] \/proc\/nothing\/a: /);
});

test("many make the same folder at the same time", async () => {
  for (let round = 0; round < 8; round++) {
    const path = join(root, `many ${round}`, "a", "b", "c");
    await Promise.all(Array.from({ length: 8 }, (_, i) => makeFolder(join(path, `${i % 2}`))));
    expect(await readdir(path)).toEqual(["0", "1"]);
  }
});

test("wherever a write is cut off, the old file is there or the new one, and the next write leaves nothing else", async () => {
  const path = join(root, "a");
  for (let crashAt = 0; crashAt < 6; crashAt++) {
    await writeFile(path, "old");
    const { result } = await watchFiles(() => atomicWrite(path, "new"), crashAt);
    expect(result.status).toBe(crashAt < 4 + folderSync.length ? "rejected" : "fulfilled");
    expect(await readFile(path, "utf8")).toBe(crashAt < 4 ? "old" : "new");
  }
  await rm(path);
  expect((await readdir(root)).length).toBe(3); // The third is this process's, which lives.
});

/** Runs an action while renaming is something else. */
async function withRename<T>(other: (from: string, to: string) => Promise<void>, action: () => Promise<T>): Promise<T> {
  const { rename } = fs.promises;
  fs.promises.rename = other as typeof rename;
  syncBuiltinESMExports();
  try {
    return await action();
  } finally {
    fs.promises.rename = rename;
    syncBuiltinESMExports();
  }
}

function failing(code: string): never {
  throw Object.assign(new Error(`${code}: rename`), { code });
}

test("a rename that was done counts, though the server says that the old name is gone, and one that was not does not", async () => {
  const path = join(root, "a");
  await writeFile(path, "old");
  const { rename } = fs.promises;
  const twice = async (from: string, to: string) => {
    await rename(from, to);
    failing("ENOENT");
  };
  await withRename(twice, () => atomicWrite(path, "new"));
  expect(await readFile(path, "utf8")).toBe("new");
  const never = async () => failing("ENOENT");
  await withRename(never, () => expect(atomicWrite(path, "NEW", "here")).rejects.toThrow(/^\[here\] .*a: no such file/));
  expect(await readFile(path, "utf8")).toBe("new");
});

test("a file system that cannot rename files is refused by what it cannot do, and nothing is left there", async () => {
  for (const code of ["ENOSYS", "EOPNOTSUPP"])
    await withRename(
      async () => failing(code),
      () =>
        expect(atomicWrite(join(root, "a"), "new", "here")).rejects.toThrow(
          /^\[here\] .*a: its file system cannot rename files, .*choose a folder on one/,
        ),
    );
  expect(await readdir(root)).toEqual([]);
});

test("a folder that cannot be synced is no failure where its file system has no such step", async () => {
  const { open } = fs.promises;
  const refusing = (code: string) => async (path: string, flags: string) => {
    const handle = await open(path, flags);
    if (flags === "r") handle.sync = async () => failing(code);
    return handle;
  };
  const withSync = async (code: string) => {
    fs.promises.open = refusing(code) as typeof open;
    syncBuiltinESMExports();
    try {
      await atomicWrite(join(root, "a"), code);
    } finally {
      fs.promises.open = open;
      syncBuiltinESMExports();
    }
  };
  await withSync("EINVAL");
  expect(await readFile(join(root, "a"), "utf8")).toBe("EINVAL");
  await expect(withSync("EIO")).rejects.toThrow(/the disk or the network fails/);
});
