// Counts what this process does to the file system, and lets all of it fail from some point on, as if the process had been killed there.

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { mkdtemp, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

type Callable = (...args: unknown[]) => Promise<unknown>;
const functions = ["open", "writeFile", "appendFile", "copyFile", "rename", "mkdir", "rm", "rmdir", "link", "truncate", "utimes"] as const;
const methods = ["write", "writeFile", "appendFile", "sync", "truncate"] as const;

export interface Watched<T> {
  /** What was done, in order: "rename", "write", …; "sync of a file" and "sync of a folder". */
  readonly done: readonly string[];
  /** What the action gave, or how it failed. */
  readonly result: PromiseSettledResult<T>;
}

/** Runs an action of this process; from operation `crashAt` on (from 0) every one fails and does nothing. */
export async function watchFiles<T>(action: () => Promise<T>, crashAt = Number.POSITIVE_INFINITY): Promise<Watched<T>> {
  const done: string[] = [];
  const prototype = await handlePrototype();
  const guard = (name: string, original: Callable): Callable =>
    async function (this: { stat?: () => Promise<fs.Stats> } | undefined, ...args) {
      const isRead = name === "open" && !isWriting(args[1] as string | number | undefined);
      if (isRead) return original.apply(this, args);
      const what = name === "sync" ? `sync of a ${(await this!.stat!()).isDirectory() ? "folder" : "file"}` : name;
      if (done.length >= crashAt) throw Object.assign(new Error("crashed here"), { code: "ECRASH" });
      done.push(what);
      return original.apply(this, args);
    };
  const undo = [
    ...functions.map((name) => replace(fs.promises as unknown as Record<string, Callable>, name, guard)),
    ...methods.map((name) => replace(prototype, name, guard)),
  ];
  syncBuiltinESMExports();
  try {
    const [result] = await Promise.allSettled([action()]);
    return { done, result: result as PromiseSettledResult<T> };
  } finally {
    for (const back of undo) back();
    syncBuiltinESMExports();
  }
}

/** Makes what a crash left in a folder look as if its writer had ended, for this process has not. */
export async function bury(folder: string): Promise<void> {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.name.includes(`.${process.pid}-`)) await rename(path, path.replace(`.${process.pid}-`, `.${pid}-`));
    else if (/^training\.lock\.\d+$/.test(entry.name))
      await writeFile(path, (await readFile(path, "utf8")).replace(`"pid":${process.pid},`, `"pid":${pid},`));
  }
}

function isWriting(flags: string | number = "r"): boolean {
  return typeof flags === "number" ? (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0 : flags !== "r";
}

function replace(object: Record<string, Callable>, name: string, guard: (name: string, original: Callable) => Callable): () => void {
  const original = object[name]!;
  object[name] = guard(name, original);
  return () => {
    object[name] = original;
  };
}

async function handlePrototype(): Promise<Record<string, Callable>> {
  const folder = await mkdtemp(join(tmpdir(), "cria-handle-"));
  const handle = await open(folder, "r");
  await handle.close();
  await rm(folder, { recursive: true });
  return Object.getPrototypeOf(handle) as Record<string, Callable>;
}
