// One program at a time trains in a run folder: two would cut each other's metrics and checkpoints.
//
// A program announces itself by a file RUN/training.lock.N, which says who it is, and holds the folder when no other living program's file stands
// there then; else it takes its file away. Of two that both held it, the one whose file came later would have seen the other's. N is one more than the
// highest there, and is made by the one call that fails when somebody else made it first, so that of many that begin at once, or find what a killed
// one left, one gets through in most cases; where two take theirs away for each other, both try again after a random time. Files of the dead are
// removed by who holds the folder.
import { randomUUID } from "node:crypto";
import { constants, copyFile, link, readdir, rm, rmdir, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fail } from "../base/index.ts";
import { explainIo, isRunning, makeFolder, partialPath, readWhole, thisMachine, thisProcess } from "../files/index.ts";

const where = "run";
const name = "training.lock";
const numbered = /^training\.lock\.(\d+)$/;
/** How often a holder touches its file, so that other machines see it live, and how long they watch one before they take it for dead. */
const [beatMs, watchMs] = [2000, 15_000] as const;
/** A file without a readable owner is being written by a living program for so long, where the file system has no hard links. */
const writingMs = 10_000;
const tries = 20;
/** What file systems without hard links say, such as exFAT. */
const noLinks: readonly unknown[] = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"];

/** What systems say of a file that was removed: ESTALE on a network, EPERM and EBUSY on Windows while its removal is under way. */
const gone: readonly unknown[] = ["ENOENT", "ESTALE", ...(process.platform === "win32" ? ["EPERM", "EBUSY"] : [])];

interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly started?: string | undefined;
  /** Absent in files of earlier versions, whose `host` alone says which machine. */
  readonly machine?: string;
  /** Tells a lock of this process from one of an earlier process that had its number. */
  readonly token: string;
}

/** The tokens of the locks that this thread holds or is about to. */
const own = new Set<string>();

/** The lock of a run folder, held until it is disposed of. */
export interface RunLock extends AsyncDisposable {
  readonly path: string;
  /**
   * Checks that the lock is still held; to be called before anything is written: a program that stood still for a while, as one of a suspended
   * machine does, has lost its lock to one on another machine that saw no life in it.
   * @throws CriaError when this program holds the lock no longer
   */
  check(): Promise<void>;
}

/** How long a lock is waited for, and who is told. */
export interface LockOptions {
  /** Ends the wait for another machine's lock. */
  readonly signal?: AbortSignal | undefined;
  /** Is told what was found and what is done about it. */
  readonly onNotice?: ((text: string) => void) | undefined;
  /** Milliseconds without a sign of life after which another machine's lock is dead. */
  readonly watch?: number;
}

/**
 * Locks a run folder; disposal gives it free. What a killed program left is taken over: at once where this machine can see that it has ended, and when
 * its lock shows no life for a while where it ran on another one.
 * @throws CriaError while another program holds it; the signal's reason when it aborts
 */
export async function lockRun(folder: string, options: LockOptions = {}): Promise<RunLock> {
  for (let left = tries; left > 0; left--) {
    const lock = await tryLock(folder, options);
    if (lock !== undefined) return lock;
    await sleep(5 + 40 * Math.random());
  }
  return fail(where, `${folder}: another program just began to train in it: wait for its end`);
}

/** The same for a run that begins: makes its folder, which goes again with the lock when nothing else came into it. */
export async function lockNewRun(folder: string, options?: LockOptions): Promise<RunLock> {
  const removeEmpty = () => rmdir(folder).catch(() => undefined);
  await makeFolder(folder, where);
  try {
    const lock = await lockRun(folder, options);
    return { ...lock, [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose]().then(removeEmpty) };
  } catch (error) {
    await removeEmpty();
    throw error;
  }
}

/** Milliseconds without a sign of life after which nobody is said to train on another machine. */
const shownMs = 60_000;

/** Whether a program trains in a run folder now, as far as one can see without waiting. @throws CriaError when the folder cannot be read */
export async function isTraining(folder: string): Promise<boolean> {
  const dead = new Dead(folder, {});
  for (const file of await list(folder)) {
    const sign = await lastSign(join(folder, file));
    if (sign !== undefined && sign.age < shownMs && !(await dead.has(file, "glance"))) return true;
  }
  return false;
}

/** Whether a file of a run folder is its lock, or will be. */
export function isLock(file: string): boolean {
  return file.startsWith(name);
}

/** @returns undefined when others were about to take it at the same time */
async function tryLock(folder: string, options: LockOptions): Promise<RunLock | undefined> {
  const dead = new Dead(folder, options);
  const before = await list(folder);
  for (const file of before) if (!(await dead.has(file, "watch"))) refuse(folder, file, (await lastSign(join(folder, file)))?.owner);
  const mine = `${name}.${1 + Math.max(0, ...before.map((file) => Number(numbered.exec(file)?.[1] ?? 0)))}`;
  const lock = await announce(join(folder, mine));
  if (lock === undefined) return undefined;
  try {
    const others = (await list(folder)).filter((file) => file !== mine);
    const areDead = await Promise.all(others.map((file) => dead.has(file, "glance")));
    if (areDead.every((isDead) => isDead)) {
      await Promise.all(others.map((file) => rm(join(folder, file), { force: true })));
      return lock;
    }
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
  await lock[Symbol.asyncDispose]();
  return undefined;
}

function refuse(folder: string, file: string, owner: Owner | undefined): never {
  const who = owner === undefined ? "another program" : `process ${owner.pid}${owner.host === hostname() ? "" : ` of ${owner.host}`}`;
  return fail(where, `${folder}: ${who} trains in it: wait for its end or stop it; if it is another program, remove ${join(folder, file)}`);
}

async function list(folder: string): Promise<string[]> {
  const files = await readdir(folder).catch((error) => {
    throw explainIo(where, folder, error);
  });
  return files.filter((file) => file === name || numbered.test(file));
}

/** Makes the file, with its owner in it from the first moment, and touches it now and then. @returns undefined when there is one already */
async function announce(path: string): Promise<RunLock | undefined> {
  const owner: Owner = { ...thisProcess, host: hostname(), machine: thisMachine, token: randomUUID() };
  const beside = partialPath(path);
  own.add(owner.token);
  try {
    await writeFile(beside, JSON.stringify(owner), { flag: "wx" });
    await linkOrCopy(beside, path);
  } catch (error) {
    own.delete(owner.token);
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return undefined;
    throw explainIo(where, path, error);
  } finally {
    await rm(beside, { force: true }).catch(() => undefined);
  }
  const beat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), beatMs).unref();
  const isHeld = async () => (await lastSign(path))?.owner?.token === owner.token;
  const check = async () => {
    if (!(await isHeld()))
      fail(
        where,
        `${path}: this lock is gone, because another program saw no life in it and took it over, or it was moved or removed: stopped, go on with the run when no other program trains there`,
        { ways: ["resume"] },
      );
  };
  const release = async () => {
    clearInterval(beat);
    if (await isHeld().catch(() => false)) await rm(path, { force: true });
    own.delete(owner.token);
  };
  return { path, check, [Symbol.asyncDispose]: release };
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

/** Which lock files are of programs that have ended. */
class Dead {
  readonly #folder: string;
  readonly #options: LockOptions;
  /** Files of other machines that showed no life, each as its owner and the time of the last sign. */
  readonly #silent = new Set<string>();

  constructor(folder: string, options: LockOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /** @param how whether another machine's file is watched, or counts as living unless it was */
  async has(file: string, how: "watch" | "glance"): Promise<boolean> {
    const path = join(this.#folder, file);
    const sign = await lastSign(path);
    if (sign === undefined || this.#silent.has(sign.stamp)) return true;
    const { owner, age } = sign;
    if (owner === undefined) return age > writingMs;
    if (owner.machine === thisMachine || (owner.machine === undefined && owner.host === hostname())) return !lives(owner);
    if (owner.machine !== undefined && (how === "glance" || !(await this.#isSilent(path, sign.stamp, owner)))) return false;
    this.#silent.add(sign.stamp);
    if (how === "watch") this.#options.onNotice?.(`${path}: process ${owner.pid} of ${owner.host} shows no life: its lock is taken over`);
    return true;
  }

  async #isSilent(path: string, stamp: string, { pid, host }: Owner): Promise<boolean> {
    const { signal, watch = watchMs, onNotice } = this.#options;
    onNotice?.(`${path}: process ${pid} of ${host} trains here, or was killed: watching it for ${watch / 1000} s`);
    for (let round = 0; round < 10; round++) {
      await sleep(watch / 10, undefined, { signal }).catch(() => signal?.throwIfAborted());
      if ((await lastSign(path))?.stamp !== stamp) return false;
    }
    return true;
  }
}

interface Sign {
  /** Undefined when the file was cut short, or is being written. */
  readonly owner: Owner | undefined;
  /** Changes with every sign of life. */
  readonly stamp: string;
  /** Milliseconds since the last one; the clocks of two machines may differ. */
  readonly age: number;
}

/** Undefined where there is no such file. @throws CriaError where there is one that cannot be read, so that nobody takes it for absent */
async function lastSign(path: string): Promise<Sign | undefined> {
  try {
    const { mtimeMs } = await stat(path);
    const owner = await readOwner(path);
    return { owner, stamp: `${owner?.token} ${mtimeMs}`, age: Math.abs(Date.now() - mtimeMs) };
  } catch (error) {
    const explained = explainIo(where, path, error);
    if (gone.includes((explained.cause as NodeJS.ErrnoException | undefined)?.code)) return undefined;
    throw explained;
  }
}

/** @throws what reading throws; undefined for what is no owner */
async function readOwner(path: string): Promise<Owner | undefined> {
  const text = new TextDecoder().decode(await readWhole(path, where));
  try {
    const owner = JSON.parse(text) as Owner | null;
    return Number.isSafeInteger(owner?.pid) && owner!.pid > 0 && typeof owner!.host === "string" ? owner! : undefined;
  } catch {
    return undefined;
  }
}

/** A lock of this process that it knows nothing of is of an earlier one with its number, or of another thread: the time of the start tells. */
function lives(owner: Owner): boolean {
  if (owner.pid !== process.pid) return isRunning(owner);
  return own.has(owner.token) || (owner.started !== undefined && owner.started === thisProcess.started);
}
