// Which process wrote a file, and whether it still runs: a number alone may belong to another one by then.
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** A process by its number and the time when it started. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the system's own count; absent where the system does not say. */
  readonly started?: string | undefined;
}

/** This process. */
export const thisProcess: ProcessIdentity = { pid: process.pid, started: startOf(process.pid) };

/**
 * Tells this machine, between two of its starts, from others, and a container from its neighbours: processes of one number may be looked up among them.
 * 16 hexadecimal digits.
 */
export const thisMachine = createHash("sha256")
  .update(JSON.stringify([hostname(), bootId(), processSpace()]))
  .digest("hex")
  .slice(0, 16);

/**
 * Tells machines apart, and on one machine containers, whose processes have numbers of their own, also where they share its name; the same after another
 * start of the machine. 8 hexadecimal digits.
 */
export const thisHost = createHash("sha256")
  .update(JSON.stringify([hostname(), processSpace()]))
  .digest("hex")
  .slice(0, 8);

/** Whether a process of this machine still runs. Where the system does not say when it started, another one that has its number by now counts as it. */
export function isRunning({ pid, started }: ProcessIdentity): boolean {
  if (!exists(pid)) return false;
  const found = startOf(pid);
  return started === undefined || found === undefined || started === found;
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // it runs, as somebody else
  }
}

/** Clock ticks from the machine's start to the process's (proc(5), /proc/PID/stat, field 22); the name in field 2 may hold spaces and brackets. */
function startOf(pid: number): string | undefined {
  const stat = orUndefined(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[22 - 3];
}

/** Differs after every start of the machine (random(4)). */
function bootId(): string | undefined {
  return orUndefined(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim());
}

/** Which numbers of processes are ours (pid_namespaces(7)). */
function processSpace(): string | undefined {
  return orUndefined(() => readlinkSync("/proc/self/ns/pid"));
}

/** Systems other than Linux have no such files. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
