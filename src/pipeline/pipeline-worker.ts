// A thread that does the tasks of a pipeline, one after another.
import { workerData } from "node:worker_threads";
import { answerOrders } from "../files/index.ts";
import { CurrentPlace } from "./current-place.ts";
import type { PipelineJob } from "./job.ts";
import { openSources, type Phase, type Task } from "./phases.ts";
import { runTask } from "./run-task.ts";
import { type SharedContents, SharedStepFiles } from "./step-files.ts";

/** What a thread is told when it starts. */
export interface ThreadData {
  readonly job: PipelineJob;
  readonly contents: SharedContents;
  /** Where it says what it is at. */
  readonly place: SharedArrayBuffer;
}

/** What a thread is asked to do. */
export interface TaskOrder {
  readonly phase: Pick<Phase, "kind" | "stage">;
  readonly task: Task;
  /** See `TaskRun.joinBytes`. */
  readonly joinBytes: number | undefined;
  /** See `TaskRun.tableBytes`. */
  readonly tableBytes: number;
}

const { job, contents, place } = workerData as ThreadData;
const current = new CurrentPlace(place);
current.write("");
const sources = await openSources(job, new SharedStepFiles(job.base, contents));

/** The share of a task that is done is told so often at most, in milliseconds. */
const leastPause = 250;
let toldAt = 0;

answerOrders<TaskOrder>(async ({ phase, task, joinBytes, tableBytes }, report) => {
  const onShare = (share: number) => {
    const now = performance.now();
    if (now - toldAt < leastPause) return;
    toldAt = now;
    report(share);
  };
  const onPlace = (place: string) => current.write(place);
  return runTask(job, sources[task.source]!, { phase, task, joinBytes, tableBytes, onShare, onPlace });
});
