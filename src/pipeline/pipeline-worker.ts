// A thread that does the tasks of a pipeline, one after another.
import { workerData } from "node:worker_threads";
import { answerOrders } from "../files/index.ts";
import type { PipelineJob } from "./job.ts";
import { openSources, type Phase, type Task } from "./phases.ts";
import { runTask } from "./run-task.ts";

/** What a thread is told. */
export interface TaskOrder {
  readonly phase: Pick<Phase, "kind" | "stage">;
  readonly task: Task;
}

const job = workerData as PipelineJob;
const sources = await openSources(job);

/** The share of a task that is done is told so often at most, in milliseconds. */
const leastPause = 250;
let toldAt = 0;

answerOrders<TaskOrder>(async ({ phase, task }, report) => {
  const onShare = (share: number) => {
    const now = performance.now();
    if (now - toldAt < leastPause) return;
    toldAt = now;
    report(share);
  };
  return runTask(job, sources[task.source]!, { phase, task, onShare });
});
