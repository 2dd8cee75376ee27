// Memory of a run: what its tasks may take, and how many of them run at the same time. What a task takes decides how keys are cut, so that it stands in the
// plan; the number of threads decides nothing.
import { byteSize, check, fail } from "../base/index.ts";

const where = "data";

/** Less makes so many small files that reading them takes longer than comparing. */
const leastTaskBytes = 2 ** 20;
/** A task takes this share of a run's memory. */
const taskShare = 1 / 16;
/** Bytes that a task takes for keys, tables and marks, where there is memory enough: from a gigabyte on all runs cut keys in the same way. */
const usualTaskBytes = 1e9 * taskShare;
/** What the program takes beside its tasks, and each thread beside the task that it does; measured: docs/log/2026-11-28-scale.md. */
const [programBytes, threadBytes] = [200e6, 180e6];

/** Bytes that a task takes for keys, tables and marks. @param memory of the run; as much as is usual when undefined */
export function taskBytesOf(memory = Number.POSITIVE_INFINITY): number {
  return Math.max(leastTaskBytes, Math.floor(Math.min(usualTaskBytes, memory * taskShare)));
}

/** What a run needs. */
export interface RunNeed {
  /** Bytes that it may take. */
  readonly memory: number;
  readonly taskBytes: number;
  /** Bytes of what steps have read, which threads share. */
  readonly models: number;
}

/** Threads for which there is memory. @param wanted more are of no use @throws CriaError where there is none for one */
export function threadsWithin(wanted: number, { memory, taskBytes, models }: RunNeed): number {
  const fixed = programBytes + models;
  const threads = Math.floor((memory - fixed) / (threadBytes + taskBytes));
  if (threads < 1)
    return fail(
      where,
      `the run may take ${byteSize(memory)} of memory, but needs ${byteSize(fixed + threadBytes + taskBytes)}: ${byteSize(programBytes)} for the program, ${byteSize(models)} for the models of its steps, ${byteSize(threadBytes + taskBytes)} for a thread: allow that much, or leave out a step with a large model`,
      { ways: ["memory"] },
    );
  return Math.min(wanted, threads);
}

/** Holds the memory of a run against what reading the models took, before threads start. @param most bytes at the same time @throws CriaError where it is more */
export function checkLoad(memory: number, most: number): void {
  check(
    programBytes + most <= memory,
    where,
    () =>
      `the run may take ${byteSize(memory)} of memory, but reading the models of its steps takes ${byteSize(programBytes + most)}: allow that much, or leave out a step with a large model`,
    { ways: ["memory"] },
  );
}

/**
 * Bytes that joining near-duplicates may take, which is done by one thread at a time: what the program, the models and the threads leave, which keep their
 * memory while they wait. @param threads that were started
 */
export function joinBytesOf(threads: number, { memory, taskBytes, models }: RunNeed): number {
  return Math.max(0, memory - programBytes - models - Math.max(1, threads) * threadBytes - taskBytes);
}

/**
 * Bytes that the hash tables of a task may take: its usual share, or more where the run has memory left, so that keys of a whole dump, whose partitions are as
 * many as files allow, need not be read several times. What is found does not depend on it.
 */
export function tableBytesOf(threads: number, { memory, taskBytes, models }: RunNeed): number {
  const left = (memory - programBytes - models) / threads - threadBytes;
  return Math.floor(Math.max(taskBytes, left) / 2);
}
