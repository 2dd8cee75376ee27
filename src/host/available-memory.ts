// How many bytes this process may still fill without swapping or being killed: what the system has available, and what control groups allow.
import { readFileSync } from "node:fs";
import { freemem, totalmem } from "node:os";
import { dirname, join } from "node:path";

/** Where the numbers come from; tests give their own. */
export interface MemorySystem {
  readonly platform: NodeJS.Platform;
  /** The content of a file of /proc or /sys, undefined where it cannot be read. */
  read(path: string): string | undefined;
  readonly free: number;
  readonly total: number;
}

/** Bytes that programs can have on this machine now; on Linux no more than the process's control groups leave. */
export function availableMemory(system: MemorySystem = thisSystem()): number {
  switch (system.platform) {
    case "linux":
      return Math.min(memAvailable(system), ...groupFolders(system).map((folder) => roomInGroup(folder, system)));
    case "win32":
      return system.free; // GlobalMemoryStatusEx's ullAvailPhys, which counts the cache that can be given up
    default:
      return system.total; // macOS counts pages that it would give on demand as used, so that what it calls free is far too little
  }
}

function thisSystem(): MemorySystem {
  return { platform: process.platform, read: readOrNothing, free: freemem(), total: totalmem() };
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** proc(5): an estimate of what new programs can have without swapping. */
function memAvailable({ read, free }: MemorySystem): number {
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(read("/proc/meminfo") ?? "")?.[1];
  return kibibytes === undefined ? free : Number(kibibytes) * 1024;
}

interface GroupFolder {
  readonly path: string;
  readonly version: 1 | 2;
}

/** The folders of the process's memory control group and of all groups around it: each of them may have a limit. */
function groupFolders({ read }: MemorySystem): GroupFolder[] {
  return (read("/proc/self/cgroup") ?? "").split("\n").flatMap((line) => {
    const [, controllers = "", path = ""] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === "") return [];
    if (controllers === "") return upwards("/sys/fs/cgroup", path, 2);
    return controllers.split(",").includes("memory") ? upwards("/sys/fs/cgroup/memory", path, 1) : [];
  });
}

function upwards(root: string, path: string, version: 1 | 2): GroupFolder[] {
  const folder = { path: join(root, path), version };
  return path === "/" ? [folder] : [folder, ...upwards(root, dirname(path), version)];
}

const files = {
  1: { limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes", cache: /^total_(?:in)?active_file (\d+)$/gm },
  2: { limit: "memory.max", used: "memory.current", cache: /^(?:in)?active_file (\d+)$/gm },
} as const;

/** The limit less what is used, where the cache of files does not count, because the system gives it up on demand. */
function roomInGroup({ path, version }: GroupFolder, { read }: MemorySystem): number {
  const { limit, used, cache } = files[version];
  const [most, now] = [limit, used].map((name) => Number.parseInt(read(join(path, name)) ?? "", 10)) as [number, number];
  if (Number.isNaN(most) || Number.isNaN(now)) return Number.POSITIVE_INFINITY; // no such group, or "max"
  const stat = read(join(path, "memory.stat")) ?? "";
  const cached = [...stat.matchAll(cache)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  return Math.max(0, most - now + cached);
}
