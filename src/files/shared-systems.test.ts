// File systems that machines share, as far as this machine can be made to look like one.
import fs from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { linkOrCopy, listAge } from "./index.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "cria-shared-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Runs an action while one of the system's functions is something else. */
async function withSystem<T>(name: "link" | "statfs", other: () => Promise<unknown>, action: () => Promise<T>): Promise<T> {
  const original = fs.promises[name];
  Object.assign(fs.promises, { [name]: other });
  syncBuiltinESMExports();
  try {
    return await action();
  } finally {
    Object.assign(fs.promises, { [name]: original });
    syncBuiltinESMExports();
  }
}

test("a file is linked where that can be, copied where it cannot, and replaces nothing", async () => {
  const [from, linked, copied] = ["a", "b", "c"].map((name) => join(root, name)) as [string, string, string];
  await writeFile(from, "text");
  await linkOrCopy(from, linked);
  expect((await stat(linked)).ino).toBe((await stat(from)).ino);
  const elsewhere = async () => Promise.reject(Object.assign(new Error("EXDEV: link"), { code: "EXDEV" }));
  await withSystem("link", elsewhere, () => linkOrCopy(from, copied));
  expect(await readFile(copied, "utf8")).toBe("text");
  expect((await stat(copied)).ino).not.toBe((await stat(from)).ino);
  await writeFile(join(root, "d"), "other");
  await expect(linkOrCopy(from, join(root, "d"), "here")).rejects.toThrow(/^\[here\] .*d: /);
  expect(await readFile(join(root, "d"), "utf8")).toBe("other");
  await expect(linkOrCopy(join(root, "absent"), join(root, "e"))).rejects.toThrow(/no such file/);
  expect((await readdir(root)).sort()).toEqual(["a", "b", "c", "d"]);
});

test("a listing may be old on network file systems, and is not elsewhere", async () => {
  const age = (type: number) =>
    withSystem(
      "statfs",
      async () => ({ type }),
      () => listAge(root),
    );
  expect(await age(0x6969)).toBe(60);
  expect(await age(0xff534d42 | 0)).toBe(60); // Some systems give the number with a sign.
  expect(await age(0xef53)).toBe(0);
  const absent = async () => Promise.reject(new Error("ENOSYS"));
  expect(await withSystem("statfs", absent, () => listAge(root))).toBe(0);
});
