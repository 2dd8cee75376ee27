import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTakers } from "./lock-takers.test.helper.ts";
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

test.each(["training.lock", "training.lock.7"])("what a killed program or a full disk left as %s is taken over", async (name) => {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "close");
  const left = [
    { pid: child.pid, host: hostname() },
    { pid: process.pid, host: hostname() },
    { pid: process.ppid, host: hostname(), started: "1" },
    { pid: -1, host: hostname() },
    null,
  ];
  for (const text of [...left.map((value) => JSON.stringify(value)), ""]) {
    await writeFile(join(folder, name), text);
    await utimes(join(folder, name), 1e9, 1e9);
    await using lock = await lockRun(folder);
    expect(await readdir(folder), text).toEqual([lock.path.slice(folder.length + 1)]);
  }
  expect(await readdir(folder)).toEqual([]);
});

test("a program of an earlier version is respected while it runs", async () => {
  await writeFile(join(folder, "training.lock"), JSON.stringify({ pid: process.ppid, host: hostname(), token: "x" }));
  await expect(lockRun(folder)).rejects.toThrow(`process ${process.ppid} trains in it`);
  await writeFile(join(folder, "training.lock"), JSON.stringify({ pid: process.ppid, host: "elsewhere", token: "x" }));
  const notices: string[] = [];
  await using _lock = await lockRun(folder, { onNotice: (text) => notices.push(text) });
  expect(notices).toEqual([expect.stringMatching(/process \d+ of elsewhere shows no life: its lock is taken over/)]);
});

test("a lock that is being written, on a file system without hard links, is respected", async () => {
  await writeFile(join(folder, "training.lock.1"), '{"pid":');
  await expect(lockRun(folder)).rejects.toThrow("another program trains in it");
});

test("another machine's lock is respected as long as it shows life, and taken over when it does not", async () => {
  const path = join(folder, "training.lock.3");
  await writeFile(path, JSON.stringify({ pid: 1, host: "elsewhere", machine: "0", token: "x" }));
  const notices: string[] = [];
  const options = { watch: 200, onNotice: (text: string) => notices.push(text) };
  let isLiving = true;
  const beating = (async () => {
    for (; isLiving; await sleep(10)) await utimes(path, new Date(), new Date());
  })();
  await expect(lockRun(folder, options)).rejects.toThrow("process 1 of elsewhere trains in it: wait for its end or stop it");
  const controller = new AbortController();
  const waiting = lockRun(folder, { watch: 1e6, signal: controller.signal });
  controller.abort(new Error("interrupted"));
  await expect(waiting).rejects.toThrow("interrupted");
  isLiving = false;
  await beating;
  await using lock = await lockRun(folder, options);
  expect(lock.path).toBe(join(folder, "training.lock.4"));
  expect(await readdir(folder)).toEqual(["training.lock.4"]);
  expect(notices.at(-2)).toMatch(/training\.lock\.3: process 1 of elsewhere trains here, or was killed: watching it for 0\.2 s/);
  expect(notices.at(-1)).toMatch(/process 1 of elsewhere shows no life: its lock is taken over/);
});

test("a program whose lock is gone or another's by now says so, and leaves the other one alone", async () => {
  const lock = await lockRun(folder);
  await lock.check();
  await rm(lock.path);
  await expect(lock.check()).rejects.toThrow(/training\.lock\.1: this lock is gone, because another program saw no life in it/);
  await using other = await lockRun(folder);
  expect(other.path).toBe(lock.path);
  await expect(lock.check()).rejects.toThrow("this lock is gone");
  await lock[Symbol.asyncDispose]();
  await other.check();
});

test.skipIf(process.platform === "win32")("what is no file is refused by name where a lock belongs, and not waited for", async () => {
  execFileSync("mkfifo", [join(folder, "training.lock.1")]);
  await expect(lockRun(folder)).rejects.toThrow(/^\[run\] .*training\.lock\.1: it is a FIFO, not a file/);
  expect(await readdir(folder)).toEqual(["training.lock.1"]);
});

test("of many that begin at once one gets it", async () => {
  const tried = await Promise.allSettled(Array.from({ length: 20 }, () => lockNewRun(join(folder, "new"))));
  const locks = tried.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  expect(locks.length).toBe(1);
  expect((await readdir(join(folder, "new"))).length).toBe(1);
  await locks[0]![Symbol.asyncDispose]();
  expect(await readdir(folder)).toEqual([]);
});

test("of many programs exactly one takes a free lock, or one that a killed program left", async () => {
  await using takers = await openTakers(3);
  for (let round = 0; round < 9; round++) await takers.round((["training.lock.1", "training.lock", "none"] as const)[round % 3]!);
  expect(await takers.churn(15)).toBeGreaterThan(3);
});

test("without hard links, as on exFAT, one of many gets it too", async () => {
  const { link } = fs.promises;
  fs.promises.link = () => Promise.reject(Object.assign(new Error("link"), { code: "EPERM" }));
  syncBuiltinESMExports();
  try {
    const tried = await Promise.allSettled(Array.from({ length: 10 }, () => lockRun(folder)));
    const locks = tried.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    expect(locks.length).toBe(1);
    await locks[0]![Symbol.asyncDispose]();
    expect(await readdir(folder)).toEqual([]);
  } finally {
    fs.promises.link = link;
    syncBuiltinESMExports();
  }
});

test("a folder that is not there is said", async () => {
  await expect(lockRun(join(folder, "none"))).rejects.toThrow(/^\[run\] .*no such file or folder/);
});
