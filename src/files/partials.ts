// What is being written stands under another name until it is whole: NAME.PID-STARTED-HOST-COUNT.partial, beside the place it is for. The name says
// who writes it, so that what a killed process left can be told from what a living one is at.
import { readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isRunning, thisHost, thisProcess } from "./process-identity.ts";

/** The fields behind the name; those before the start of this scheme had the process's number alone. */
const partial = /^(.+)\.(\d+)(?:-(\d*)-([0-9a-f]{8})-\d+)?\.partial$/;
let count = 0;

/** A name beside `path` that no other writer has. */
export function partialPath(path: string): string {
  return `${path}.${process.pid}-${thisProcess.started ?? ""}-${thisHost}-${count++}.partial`;
}

/** Whether a name is of something that is being written, or was when its writer was killed. */
export function isPartial(name: string): boolean {
  return partial.test(name);
}

/** Which of the files that ended programs left are looked for. */
export interface LeftWhere {
  /** Only what was to become the file or folder of this name. */
  readonly of?: string;
  /** Nobody on another machine writes here, a lock says: what one left goes, too. */
  readonly isLocked?: boolean;
}

/**
 * Removes what processes of this machine that have ended left in a folder; nothing where there is no such folder. What another machine writes stays,
 * unless it cannot be writing.
 */
export async function removePartials(folder: string, where: LeftWhere = {}): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  await Promise.all(names.filter((name) => isLeft(name, where)).map((name) => rm(join(folder, name), { recursive: true, force: true })));
}

/** The same for one file or folder that is to be written. */
export async function removePartialsOf(path: string): Promise<void> {
  await removePartials(dirname(path), { of: basename(path) });
}

/** What is being written, or was, for one file. Neither of a process of this machine that runs nor of one that ended is what another machine writes. */
export interface FoundPartial {
  readonly path: string;
  readonly isRunning: boolean;
  readonly isEnded: boolean;
}

/** The partials for one file, this process's own among them. */
export async function findPartials(path: string): Promise<FoundPartial[]> {
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => []);
  const ours = names.filter((name) => partial.exec(name)?.[1] === basename(path));
  return ours.map((name) => {
    const [isEnded, isEndedIfHere] = [isLeft(name, {}), isLeft(name, { isLocked: true })];
    return { path: join(folder, name), isEnded, isRunning: !isEndedIfHere };
  });
}

function isLeft(name: string, { of, isLocked = false }: LeftWhere): boolean {
  const [, target, pid, started, writer] = partial.exec(name) ?? [];
  if (target === undefined || (of !== undefined && target !== of)) return false;
  return writer !== undefined && writer !== thisHost ? isLocked : !isRunning({ pid: Number(pid), started: started || undefined });
}
