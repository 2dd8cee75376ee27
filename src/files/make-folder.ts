// A folder with all the folders above it, and what is wrong where that fails.
import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { explainIo } from "./explain-io.ts";
import { syncFolder } from "./sync-folder.ts";

/** Makes a folder that need not be absent; what was made outlives a power cut. @throws CriaError when it cannot be made. */
export async function makeFolder(path: string, where = "files"): Promise<void> {
  try {
    await makeAll(resolve(path));
  } catch (error) {
    throw explainIo(where, path, error);
  }
}

/**
 * Makes a folder below one that is there, or below those that it makes first. Node's recursive `mkdir` never ends where a system says of a folder
 * that is there that it is not, as Linux does in /proc.
 */
async function makeAll(path: string): Promise<void> {
  const above = dirname(path);
  let error = await tryMake(path);
  if (error?.code === "ENOENT" && above !== path) {
    if (!(await isFolder(above))) await makeAll(above);
    error = await tryMake(path); // also where another process has made the folder above meanwhile
  }
  if (error === undefined) await syncFolder(above);
  else if (!(await isFolder(path))) throw error;
}

function tryMake(path: string): Promise<NodeJS.ErrnoException | undefined> {
  return mkdir(path).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error,
  );
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
