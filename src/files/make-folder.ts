// A folder with all the folders above it, and what is wrong where that fails.
import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { explainIo } from "./explain-io.ts";
import { syncFolder } from "./sync-folder.ts";

/** Makes a folder that need not be absent; what was made outlives a power cut. @throws CriaError when it cannot be made. */
export async function makeFolder(path: string, where = "files"): Promise<void> {
  try {
    const first = await mkdir(path, { recursive: true });
    if (first !== undefined) await syncAbove(resolve(path), dirname(first));
  } catch (error) {
    throw explainIo(where, path, await realReason(path, error));
  }
}

/** Syncs every folder that got a new one in it: those above `path` up to `top`. */
async function syncAbove(path: string, top: string): Promise<void> {
  const above = dirname(path);
  await syncFolder(above);
  if (above !== top && above !== dirname(above)) await syncAbove(above, top);
}

/** The plain mkdir says what is the matter on a read-only file system, where Node's recursive one says ENOENT. */
async function realReason(path: string, error: unknown): Promise<unknown> {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") return error;
  return mkdir(path).then(
    () => error,
    (reason: NodeJS.ErrnoException) => reason,
  );
}
