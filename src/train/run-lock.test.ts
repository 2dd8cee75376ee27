import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockNewRun, lockRun } from "./run-lock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-lock-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("a second program is refused while the first one trains, and nothing stays behind", async () => {
  {
    await using _lock = await lockRun(folder);
    await expect(lockRun(folder)).rejects.toThrow(new RegExp(`^\\[run\\] .*process ${process.pid} trains in it: wait for its end`));
  }
  expect(await readdir(folder)).toEqual([]);
});

test("what a killed program, another machine or a full disk left is taken over", async () => {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "close");
  const left = [
    { pid: child.pid, host: hostname() },
    { pid: process.pid, host: "elsewhere" },
    { pid: process.pid, host: hostname() },
    { pid: -1, host: hostname() },
    null,
  ];
  for (const text of [...left.map((value) => JSON.stringify(value)), ""]) {
    await writeFile(join(folder, "training.lock"), text);
    await using lock = await lockRun(folder);
    expect(await readdir(folder), lock.path).toEqual(["training.lock"]);
  }
});

test("of many that begin at once one gets it", async () => {
  const tried = await Promise.allSettled(Array.from({ length: 20 }, () => lockNewRun(join(folder, "new"))));
  const locks = tried.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  expect(locks.length).toBe(1);
  expect(await readdir(join(folder, "new"))).toEqual(["training.lock"]);
  await locks[0]![Symbol.asyncDispose]();
  expect(await readdir(folder)).toEqual([]);
});

test("a folder that is not there is said", async () => {
  await expect(lockRun(join(folder, "none"))).rejects.toThrow(/^\[run\] .*no such file or folder/);
});
