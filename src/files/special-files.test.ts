import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CriaError, sizeLimits } from "../base/index.ts";
import { atomicWrite, hashAside, openFile, readStream, readTextFile, readWhole } from "./index.ts";

const noSpecialFiles = process.platform === "win32";
let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-special-"));
  await writeFile(at("text"), "\ufeffäöü");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a regular file is read whole, and a link to one", async () => {
  expect(await readTextFile(at("text"))).toBe("äöü");
  if (noSpecialFiles) return;
  await symlink(at("text"), at("link"));
  expect(Buffer.from(await readWhole(at("link"))).toString()).toBe("\ufeffäöü");
  if (process.platform === "linux") expect(await readTextFile("/proc/self/comm")).not.toBe(""); // its size is 0
});

test.skipIf(noSpecialFiles)("a FIFO, a device, a socket and a folder are refused at once, whoever opens them", async () => {
  execFileSync("mkfifo", [at("fifo")]);
  await symlink("/dev/zero", at("zero"));
  const server = createServer();
  await new Promise<void>((listening) => server.listen(at("socket"), listening));
  try {
    for (const [name, kind] of [
      ["fifo", "a FIFO"],
      ["zero", "a device"],
      ["socket", "a socket"],
      [".", "a folder"],
    ] as const)
      for (const open of [openFile, readWhole, readTextFile])
        await expect(open(at(name), "here")).rejects.toThrow(`[here] ${at(name)}: it is ${kind}, not a file: name a file`);
  } finally {
    server.close();
  }
});

test.skipIf(noSpecialFiles)("what is written takes the place of no FIFO, device or folder", async () => {
  const place = await mkdtemp(at("place-"));
  execFileSync("mkfifo", [join(place, "fifo")]);
  await symlink("/dev/null", join(place, "null"));
  for (const [path, kind] of [
    [join(place, "fifo"), "a FIFO"],
    [join(place, "null"), "a device"],
    [place, "a folder"],
  ] as const)
    await expect(atomicWrite(path, "text", "here")).rejects.toThrow(`[here] ${path}: it is ${kind}, not a file: name a file`);
  expect((await readdir(place)).sort()).toEqual(["fifo", "null"]);
  expect((await stat(join(place, "fifo"))).isFIFO()).toBe(true);
});

test("what goes wrong in the thread that hashes is said as in this one, and its cause is known", async () => {
  const error = await hashAside([at("absent")], "here").catch((problem: unknown) => problem);
  expect(error).toBeInstanceOf(CriaError);
  expect(error).toMatchObject({ message: expect.stringMatching(/^\[here\] .*absent: no such file/), cause: { code: "ENOENT" } });
});

test("a file larger than its kind is refused before it is read", async () => {
  const handle = await import("node:fs/promises").then(({ open }) => open(at("large"), "w"));
  await handle.truncate(sizeLimits.config + 1); // sparse: it takes no room
  await handle.close();
  await expect(readWhole(at("large"), "here")).rejects.toThrow(
    /^\[here\] .*large: it has 16,777,217 bytes or more, but files of its kind at most 16,777,216: it is another file/,
  );
  expect((await readWhole(at("large"), "here", "tokenizer")).length).toBe(sizeLimits.config + 1);
});

async function collect(path: string, signal?: AbortSignal): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of readStream(path, { where: "here", signal, chunkBytes: 2 })) parts.push(Uint8Array.from(part));
  return Buffer.concat(parts).toString();
}

test("a text comes from a file in chunks", async () => {
  expect(await collect(at("text"))).toBe("\ufeffäöü");
  await expect(collect(at("absent"))).rejects.toThrow(/^\[here\] .*absent: no such file or folder/);
});

test.skipIf(noSpecialFiles)("a text comes from a FIFO whose writer comes late, and a device is refused", async () => {
  execFileSync("mkfifo", [at("late")]);
  const read = collect(at("late"));
  const writer = spawn("sh", ["-c", `sleep 0.2; printf 'one '; sleep 0.1; printf two`], { stdio: ["ignore", "pipe", "ignore"] });
  const target = spawn("sh", ["-c", 'cat > "$0"', at("late")], { stdio: ["pipe", "ignore", "ignore"] });
  writer.stdout.pipe(target.stdin);
  expect(await read).toBe("one two");
  await expect(collect("/dev/zero")).rejects.toThrow("[here] /dev/zero: it is a device, not a file: name a file");
});

test.skipIf(noSpecialFiles)("an abort ends the wait for a FIFO that nobody writes to, and the process can end", async () => {
  execFileSync("mkfifo", [at("silent")]);
  const stop = new AbortController();
  const read = collect(at("silent"), stop.signal);
  setTimeout(() => stop.abort(new Error("enough")), 50);
  await expect(read).rejects.toThrow("enough");
  await expect(collect(at("silent"), stop.signal)).rejects.toThrow("enough"); // one that was aborted before
});
