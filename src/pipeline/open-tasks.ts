// Which tasks are open, by listings of the folders that their files stand in: a file system is asked once per folder and not once per task, because a
// thousand machines ask at the same time when a phase begins.
import { readdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { check } from "../base/index.ts";
import { explainIo, listAge } from "../files/index.ts";
import type { PipelineJob } from "./job.ts";
import { fileOf, type OpenedSource, type Phase, type Task } from "./phases.ts";
import type { Shard } from "./run-phases.ts";

const where = "data";

interface Opened {
  readonly job: PipelineJob;
  readonly sources: readonly OpenedSource[];
  /** Ends the waiting for what other machines have done. */
  readonly signal?: AbortSignal | undefined;
  /** Where the file system is not asked: seconds that listings may be old, and how they are waited for. */
  readonly patience?: { readonly listAge: number; readonly wait: (milliseconds: number) => Promise<unknown> };
}

/** Seconds between two listings of what other machines should have done. */
const listEvery = 5;

/** The tasks of a phase, or of a machine's part of it, whose files are not there. */
export async function openTasks({ job, sources }: Opened, phase: Phase, shard?: Shard): Promise<readonly Task[]> {
  const mine = partOf(phase.tasks, shard);
  const isDone = await areThere(mine.map((task) => fileOf(job, phase, sources[task.source]!.source, task.index)));
  return mine.filter((_, i) => !isDone[i]);
}

/** The tasks of an earlier phase that are open still when listings cannot be older than the asking. */
async function openAtLast(opened: Opened, phase: Phase): Promise<readonly Task[]> {
  const usual = async (milliseconds: number) => sleep(milliseconds, undefined, { signal: opened.signal });
  const { listAge: age, wait } = opened.patience ?? { listAge: await listAge(opened.job.folder), wait: usual };
  for (let waited = 0; ; waited += listEvery) {
    const open = await openTasks(opened, phase);
    if (open.length === 0 || waited >= age) return open;
    await wait(1000 * Math.min(listEvery, age - waited));
  }
}

/** What a machine does of a phase: every so many tasks, because neighbours are of about the same size. */
export function partOf<T>(tasks: readonly T[], shard: Shard | undefined): readonly T[] {
  return shard === undefined ? tasks : tasks.filter((_, i) => i % shard.count === shard.index);
}

/** Which files are there. */
export async function areThere(paths: readonly string[]): Promise<readonly boolean[]> {
  const folders = [...new Set(paths.map((path) => dirname(path)))];
  const names = new Map(await Promise.all(folders.map(async (folder) => [folder, await namesIn(folder)] as const)));
  return paths.map((path) => names.get(dirname(path))!.has(basename(path)));
}

/**
 * A phase needs of each of its sources the phase before, which needed those before itself, so that their files are not looked at.
 * @param wanted the indices of its sources
 * @throws CriaError where it is not done
 */
export async function checkDoneBefore(opened: Opened, phases: readonly Phase[], number: number, wanted: Iterable<number>): Promise<void> {
  const missing = new Set(wanted);
  for (let before = number - 1; before >= 0 && missing.size > 0; before--) {
    const phase = phases[before]!;
    const tasks = phase.tasks.filter(({ source }) => missing.has(source));
    const open = await openAtLast(opened, { ...phase, tasks });
    check(
      open.length === 0,
      where,
      () => `phase ${number} needs phase ${before}, of which ${open.length} of ${tasks.length} tasks are not done: run that first`,
    );
    for (const { source } of tasks) missing.delete(source);
  }
}

async function namesIn(folder: string): Promise<ReadonlySet<string>> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw explainIo(where, folder, error);
  });
  return new Set(names);
}
