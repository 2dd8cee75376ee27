// One program at a time trains in a run folder: two would cut each other's metrics and checkpoints.
import { randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { fail } from "../base/index.ts";
import { explainIo } from "../files/index.ts";

const where = "run";
/** The token tells this process from an earlier one that had its number. */
const self = { pid: process.pid, host: hostname(), token: randomUUID() };
type Owner = typeof self;

export interface RunLock extends AsyncDisposable {
  readonly path: string;
}

/**
 * Takes RUN/training.lock, which says who trains there; disposal removes it. What a killed program left is taken over.
 * @throws CriaError while another program of this machine, still running, holds it
 */
export async function lockRun(folder: string): Promise<RunLock> {
  const path = join(folder, "training.lock");
  if (!(await create(path))) {
    const owner = await readOwner(path);
    if (owner !== undefined && isRunning(owner))
      fail(where, `${folder}: process ${owner.pid} trains in it: wait for its end or stop it; if it is another program, remove ${path}`);
    await rm(path, { force: true });
    if (!(await create(path))) fail(where, `${folder}: another program just began to train in it: wait for its end`);
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

async function create(path: string): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify(self), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw explainIo(where, path, error);
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
