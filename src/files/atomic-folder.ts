// Several files that belong together appear, and go, at once: a folder is filled under another name and then renamed.
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { explainIo } from "./explain-io.ts";
import { makeFolder } from "./make-folder.ts";
import { partialPath, removePartialsOf } from "./partials.ts";
import { syncFolder } from "./sync-folder.ts";

/**
 * Makes the folder `path`, which must not be there yet, of what `fill` writes into the folder it is given; `fill` has to sync its files
 * ({@link atomicWrite} does). On any error nothing of it is left; what killed writers of the same folder left goes first.
 */
export async function atomicFolder(path: string, fill: (folder: string) => Promise<void>, where = "files"): Promise<void> {
  const beside = partialPath(path);
  try {
    await removePartialsOf(path);
    await makeFolder(dirname(path), where);
    await mkdir(beside);
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
  const beside = partialPath(path);
  try {
    await rename(path, beside);
    await rm(beside, { recursive: true, force: true });
  } catch (error) {
    throw explainIo(where, path, error);
  }
}
