// SHA-256 of files while this thread does something else.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { CriaError } from "../base/index.ts";
import type { HashReport } from "./hash-worker.ts";
import { explainWorker } from "./missing-worker.ts";

/** The hashes in the order of the paths. @throws CriaError when a file cannot be read */
export async function hashAside(paths: readonly string[], where = "files"): Promise<string[]> {
  // No execArgv: what the main thread was started with, --input-type say, need not fit a worker.
  const worker = new Worker(new URL("./hash-worker.js", import.meta.url), { workerData: { paths, where }, execArgv: [] });
  try {
    const [report] = (await hearing(worker, where)) as [HashReport];
    if ("hashes" in report) return [...report.hashes];
    const cause = Object.assign(new Error(report.problem), { code: report.code });
    throw new CriaError(where, report.problem, { cause });
  } finally {
    await worker.terminate();
  }
}

/** The next message. @throws what ends the worker */
async function hearing(worker: Worker, where: string): Promise<unknown[]> {
  return once(worker, "message").catch((error: unknown) => {
    throw explainWorker(where, error);
  });
}
