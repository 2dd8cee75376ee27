// SHA-256 of files while this thread does something else.
import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** The hashes in the order of the paths. @throws CriaError when a file cannot be read */
export async function hashAside(paths: readonly string[], where = "files"): Promise<string[]> {
  // No execArgv: what the main thread was started with, --input-type say, need not fit a worker.
  const worker = new Worker(new URL("./hash-worker.js", import.meta.url), { workerData: { paths, where }, execArgv: [] });
  try {
    const [hashes] = (await once(worker, "message")) as [string[]]; // rejects on "error"
    return hashes;
  } finally {
    await worker.terminate();
  }
}
