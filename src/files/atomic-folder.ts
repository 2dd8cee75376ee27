// Several files that belong together appear, and go, at once: a folder is filled under another name and then renamed.
import { readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { explainIo } from "./explain-io.ts";
import { makeFolder } from "./make-folder.ts";
import { syncFolder } from "./sync-folder.ts";

const ending = ".partial";

/**
 * Makes the folder `path`, which must not be there yet, of what `fill` writes into the folder it is given; `fill` has to sync its files
 * ({@link atomicWrite} does). On any error nothing of it is left.
 */
export async function atomicFolder(path: string, fill: (folder: string) => Promise<void>, where = "files"): Promise<void> {
  const beside = `${path}.${process.pid}${ending}`;
  try {
    await makeFolder(beside, where);
    await fill(beside);
    await rename(beside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(beside, { recursive: true, force: true }).catch(() => undefined);
    throw explainIo(where, path, error);
  }
}

/** Takes a folder away so that it never stands there with only some of its files. */
export async function removeFolder(path: string, where = "files"): Promise<void> {
  const beside = `${path}.${process.pid}${ending}`;
  try {
    await rename(path, beside);
    await rm(beside, { recursive: true, force: true });
  } catch (error) {
    throw explainIo(where, path, error);
  }
}

/** Removes what killed writers left in a folder that nobody else writes to; nothing where there is no such folder. */
export async function removePartials(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const left = names.filter((name) => name.endsWith(ending));
  await Promise.all(left.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}
