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

answerOrders<TaskOrder>(async ({ phase, task }) => runTask(job, sources[task.source]!, { phase, task }));
