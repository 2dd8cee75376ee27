// A folder's files as those of a model.
import { readdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { openFile, readWhole } from "../files/index.ts";
import type { FilePlace, ModelFiles } from "../open/index.ts";

const where = "model";

/** The files of a folder, opened when they are asked for. */
export function folderFiles(folder: string): ModelFiles {
  const pathOf = (file: string) => join(folder, file);
  return {
    name: folder,
    identity: resolve(folder),
    pathOf,
    list: (inside) => (inside === undefined ? readdir(folder) : readdir(join(folder, inside)).catch(() => [])),
    open: (file) => openFile(pathOf(file), where),
    read: (file, limit) => readWhole(pathOf(file), where, limit).catch(unlessMissing),
  };
}

/** A file by its path, which messages say as it was given. */
export function placeOf(path: string): FilePlace {
  const files = folderFiles(dirname(path));
  const file = basename(path);
  return { files: { ...files, pathOf: (other) => (other === file ? path : files.pathOf(other)) }, file };
}

function unlessMissing(error: Error): undefined {
  if ((error.cause as NodeJS.ErrnoException | undefined)?.code !== "ENOENT") throw error;
}
