// All phases of a pipeline, or one: tasks that are done are passed over, the others go to threads. Killed anywhere, it goes on where it was.

import { availableParallelism } from "node:os";
import { check, type OnProgress } from "../base/index.ts";
import type { PipelineJob } from "./job.ts";
import { PlanWatch } from "./job-plan.ts";
import { joinBytesOf, tableBytesOf, threadsWithin } from "./memory.ts";
import { checkDoneBefore, openTasks } from "./open-tasks.ts";
import { PhaseProgress } from "./phase-progress.ts";
import { type OpenedSource, openSources, type Phase, phasesOf, type Task } from "./phases.ts";
import type { TaskOrder } from "./pipeline-worker.ts";
import { runTask } from "./run-task.ts";
import { TaskThreads } from "./task-threads.ts";

const where = "data";

/** How a pipeline runs, which changes no byte of what it makes. */
export interface RunOptions {
  /** Threads that do tasks. @default as many as the machine runs at once; small jobs are done by the calling thread */
  readonly threads?: number | undefined;
  /** Bytes of memory that the run may take, which limits the number of threads. @default no limit */
  readonly memory?: number | undefined;
  /** One of the machines that share the work: tasks whose number leaves this remainder. Only with `phase`, because phases wait for each other. */
  readonly shard?: Shard | undefined;
  /** The number of the only phase to do, from 0; all others must be done before it. */
  readonly phase?: number | undefined;
  readonly progress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The part of a machine in a phase: `index` of `count`, from 0. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** Less text is done by the calling thread, because threads take tenths of a second to start. */
const aloneBytes = 8 << 20;

/** Does what is not done of a job. @param ready the sources, where they are opened already @throws CriaError where a task fails, or phases before the one that is asked for are not done; the signal's reason */
export async function runPhases(job: PipelineJob, options: RunOptions = {}, ready?: readonly OpenedSource[]): Promise<void> {
  const sources = ready ?? (await openSources(job));
  const phases = phasesOf(sources);
  const { phase: only, shard, signal } = options;
  check(only === undefined || only < phases.length, where, () => `phase ${only} is asked for, but the recipe has ${phases.length}, from 0`);
  check(shard === undefined || only !== undefined, where, () => "a shard is one machine's part of a phase: name the phase, too");
  const files = sources[0]?.files;
  await using threads = new TaskThreads(job, files?.contents ?? new Map());
  const models = files?.bytes ?? 0;
  const plan = new PlanWatch(job);
  await plan.check();
  const running = { job, plan, sources, options, phases: phases.length, threads, models, mostThreads: mostThreads(job, options, models) };
  const end = () => threads[Symbol.asyncDispose]();
  signal?.addEventListener("abort", end);
  try {
    if (only === undefined)
      for (const [number, phase] of phases.entries()) await runPhase(running, phase, number, await openTasks(running, phase));
    else {
      const phase = phases[only]!;
      const wanted = phase.tasks.map(({ source }) => source);
      await checkDoneBefore({ job, sources, signal }, phases, only, wanted);
      await runPhase(running, phase, only, await openTasks(running, phase, shard));
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", end);
  }
}

/** Threads that may run at the same time. */
function mostThreads({ taskBytes }: PipelineJob, { threads = availableParallelism(), memory }: RunOptions, models: number): number {
  return memory === undefined ? threads : threadsWithin(threads, { memory, taskBytes, models });
}

interface Running {
  readonly job: PipelineJob;
  readonly plan: PlanWatch;
  readonly sources: readonly OpenedSource[];
  readonly options: RunOptions;
  readonly phases: number;
  readonly threads: TaskThreads;
  readonly mostThreads: number;
  /** Bytes of what steps have read, which threads share. */
  readonly models: number;
}

async function runPhase(running: Running, phase: Phase, number: number, open: readonly Task[]): Promise<void> {
  const { job, sources, phases, models } = running;
  const { progress, signal, memory, threads } = running.options;
  // The largest first, so that no thread has one in front of it when the others are done.
  const tasks = [...open].sort((a, b) => b.bytes - a.bytes);
  const isSmall = threads === undefined && tasks.reduce((sum, task) => sum + task.bytes, 0) < aloneBytes;
  // Where memory is limited, one source is joined after another, because each takes what there is.
  const isAlone = isSmall || (phase.kind === "join" && memory !== undefined);
  const count = isAlone ? 1 : Math.min(running.mostThreads, tasks.length);
  const { taskBytes } = job;
  const need = memory === undefined ? undefined : { memory, taskBytes, models };
  const tableBytes = need === undefined ? taskBytes / 2 : tableBytesOf(Math.max(1, count), need);
  const joinBytes = need && joinBytesOf(running.threads.count, need);
  const told = new PhaseProgress({ phase, number, phases, tasks, sources }, progress);
  const queue = tasks[Symbol.iterator]();
  const work = async (run: (task: Task, onShare: (share: number) => void) => Promise<unknown>) => {
    for (const task of queue) {
      signal?.throwIfAborted();
      await running.plan.check();
      await run(task, (share) => told.task(task, share));
      told.task(task, 1);
    }
  };
  if (count <= 1)
    return work((task, onShare) => runTask(job, sources[task.source]!, { phase, task, signal, joinBytes, tableBytes, onShare }));
  const order = (task: Task): TaskOrder => ({ phase: { kind: phase.kind, stage: phase.stage }, task, joinBytes, tableBytes });
  await Promise.all(running.threads.take(count).map((thread) => work((task, onShare) => thread.run(order(task), onShare))));
}
