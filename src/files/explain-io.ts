// System errors in the house's form: what failed, on which path, and the way out.
import { CriaError } from "../base/index.ts";

const waysOut: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder: check the path",
  EACCES: "not permitted: check who owns it",
  EPERM: "not permitted: check who owns it",
  EISDIR: "it is a folder: name a file",
  ENOTDIR: "part of the path is a file: check the path",
  ENOSPC: "the disk is full: free some space and run again; what was there before is intact",
  EDQUOT: "the disk quota is used up: free some space and run again; what was there before is intact",
  EROFS: "the file system is read-only: choose another place",
  EIO: "the disk or the network fails to read or write it: check them",
  ESTALE: "another machine replaced it while it was read: run again",
  EMFILE: "too many open files: raise the limit (ulimit -n)",
};

/** Wraps an error of node:fs as `[where] path: what, the way out`; passes a {@link CriaError} through. */
export function explainIo(where: string, path: string, error: unknown): CriaError {
  if (error instanceof CriaError) return error;
  const code = (error as NodeJS.ErrnoException)?.code ?? "";
  return new CriaError(where, `${path}: ${waysOut[code] ?? String((error as Error)?.message ?? error)}`, { cause: error });
}
