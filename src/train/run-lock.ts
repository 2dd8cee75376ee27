// One program at a time trains in a run folder: two would cut each other's metrics and checkpoints.
import { randomUUID } from "node:crypto";
import { constants, copyFile, link, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { fail } from "../base/index.ts";
import { explainIo, makeFolder } from "../files/index.ts";

const where = "run";
/** The token tells this process from an earlier one that had its number. */
const self = { pid: process.pid, host: hostname(), token: randomUUID() };
type Owner = typeof self;
const lockName = "training.lock";
/** Of file systems without hard links, such as exFAT. */
const noLinks: readonly unknown[] = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"];

export interface RunLock extends AsyncDisposable {
  readonly path: string;
}

/**
 * Takes RUN/training.lock, which says who trains there; disposal removes it. What a killed program left is taken over.
 * @throws CriaError while another program of this machine, still running, holds it
 */
export async function lockRun(folder: string): Promise<RunLock> {
  const path = join(folder, lockName);
  if (!(await create(path))) {
    const owner = await readOwner(path);
    if (owner !== undefined && isRunning(owner))
      fail(where, `${folder}: process ${owner.pid} trains in it: wait for its end or stop it; if it is another program, remove ${path}`);
    await rm(path, { force: true });
    if (!(await create(path))) fail(where, `${folder}: another program just began to train in it: wait for its end`);
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

/** The same for a run that begins: makes its folder, which goes again with the lock when nothing else came into it. */
export async function lockNewRun(folder: string): Promise<AsyncDisposable> {
  const removeEmpty = () => rmdir(folder).catch(() => undefined);
  await makeFolder(folder, where);
  try {
    const lock = await lockRun(folder);
    return { [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose]().then(removeEmpty) };
  } catch (error) {
    await removeEmpty();
    throw error;
  }
}

/** Whether a file of a run folder is its lock, or will be. */
export function isLock(name: string): boolean {
  return name.startsWith(lockName);
}

/** The lock appears with its owner in it: an empty one, seen by another program, would be taken for one cut short, and removed. */
async function create(path: string): Promise<boolean> {
  const beside = `${path}.${randomUUID()}.partial`;
  try {
    await writeFile(beside, JSON.stringify(self), { flag: "wx" });
    await linkOrCopy(beside, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw explainIo(where, path, error);
  } finally {
    await rm(beside, { force: true }).catch(() => undefined);
  }
}

/** Fails where `to` is there already. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!noLinks.includes((error as NodeJS.ErrnoException).code)) throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL);
  }
}

/** Who holds the lock; undefined when it was cut short, or is of another machine, where nobody can look. */
async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    const owner = JSON.parse(await readFile(path, "utf8")) as Owner;
    return Number.isSafeInteger(owner.pid) && owner.pid > 0 && owner.host === self.host ? owner : undefined;
  } catch {
    return undefined;
  }
}

function isRunning({ pid, token }: Owner): boolean {
  if (pid === self.pid) return token === self.token;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // it runs, as somebody else
  }
}
