// The folders below one that is watched, with hidden ones and packages left out.
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { explainIo } from "../files/index.ts";

const where = "watch";

/**
 * Visits a folder and those below it, each before its own.
 * @param depth levels below the first one
 * @param visit says whether folders inside are visited, too
 * @throws CriaError when the first folder cannot be read; others are passed by
 */
export async function walk(
  root: string,
  depth: number,
  visit: (folder: string, entries: readonly Dirent[]) => Promise<boolean>,
): Promise<void> {
  const look = async (folder: string, left: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch((error) => {
      if (folder === root) throw explainIo(where, folder, error);
      return [];
    });
    if (!(await visit(folder, entries)) || left === 0) return;
    for (const entry of entries)
      if (entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules")
        await look(join(folder, entry.name), left - 1);
  };
  await look(root, depth);
}
