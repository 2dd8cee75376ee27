// A folder of this run's own: made by the one call that fails when somebody else made it first, and removed when nothing came of it.
import { mkdir, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fail } from "../base/index.ts";
import { explainIo, makeFolder } from "../files/index.ts";
import { checkUnused } from "../runs/index.ts";

/** Which folder a run asks for. */
export interface FolderWish {
  /** What a person named. */
  readonly out: string | undefined;
  /** Where it goes otherwise, such as runs/demo; behind it come runs/demo-2, runs/demo-3, … */
  readonly usual: string;
  /** Who asks, for messages. */
  readonly where: string;
}

/** `out`, which must be absent or empty; without it the first of the usual ones that is free. */
export async function claimFolder({ out, usual, where }: FolderWish): Promise<string> {
  await makeFolder(dirname(out ?? usual), where);
  if (out !== undefined) {
    await checkUnused(out);
    await rmdir(out).catch(() => undefined); // an empty one may be there
    return (await claims(out, where))
      ? out
      : fail(where, `${out}: another run has just begun there: choose another folder`, { ways: ["out"] });
  }
  for (let n = 1; ; n++) {
    const folder = n === 1 ? usual : `${usual}-${n}`;
    if (await claims(folder, where)) return folder;
  }
}

/** Whether a run without --out goes somewhere else than people expect. */
export function isSecondChoice(folder: string, { out, usual }: FolderWish): boolean {
  return out === undefined && folder !== usual;
}

/** Removes the folder of texts if nothing was kept in it: once a recipe stands beside it, the claimed folder is not empty anyway. */
export async function dropEmptyText(folder: string): Promise<void> {
  await rmdir(join(folder, "text")).catch(() => undefined);
}

/** Removes a claimed folder, and the usual one around it if that is empty then. */
export async function giveUpFolder(folder: string, { usual }: FolderWish): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  if (dirname(folder) === dirname(usual)) await rmdir(dirname(folder)).catch(() => undefined);
}

/** The text's folder is made at once, so that a claimed folder is never empty and nobody takes it for free. */
async function claims(folder: string, where: string): Promise<boolean> {
  try {
    await mkdir(folder);
    await mkdir(join(folder, "text"));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw explainIo(where, folder, error);
  }
}
