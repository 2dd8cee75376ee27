// What stands at a path that a command was given.
import { realpath, stat } from "node:fs/promises";

/** Whether a folder is at the path; false where nothing can be looked at. */
export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Whether a regular file is at the path; false where nothing can be looked at. */
export async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** Whether both paths are there and lead to one file or folder, by links too. */
export async function isSameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([realpath(a), realpath(b)].map((path) => path.catch(() => undefined)));
  return first !== undefined && first === second;
}
