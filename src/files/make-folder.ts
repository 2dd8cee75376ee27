// A folder with all the folders above it, and what is wrong where that fails.
import { mkdir } from "node:fs/promises";
import { explainIo } from "./explain-io.ts";

/** Makes a folder that need not be absent. @throws CriaError when it cannot be made. */
export async function makeFolder(path: string, where = "files"): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw explainIo(where, path, await realReason(path, error));
  }
}

/** On a read-only file system Node's recursive mkdir says ENOENT; the plain one says what is the matter. */
async function realReason(path: string, error: unknown): Promise<unknown> {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") return error;
  return mkdir(path).then(
    () => error,
    (reason: NodeJS.ErrnoException) => reason,
  );
}
