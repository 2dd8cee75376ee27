// Threads of Node (and of Deno and Bun, which have its module for them).
import { Worker } from "node:worker_threads";
import { CriaError } from "../base/index.ts";
import { isWorkerMissing, leaveOut } from "../files/index.ts";
import type { Answer, ThreadHost, WorkerSetup } from "../threads/index.ts";
import { defaultThreads } from "./default-threads.ts";

/** The host of threads in Node. */
export const nodeThreads: ThreadHost = {
  defaultThreads,
  start(setup, thread, { answer, lost }) {
    const worker = startWorker(setup, `cria-${thread}`);
    worker.on("message", (message: Answer) => answer(message));
    worker.on("error", (error) => lost(isWorkerMissing(error) ? missing : String(error), error));
    worker.on("messageerror", (error) => lost(String(error), error));
    worker.on("exit", (code) => lost(`exit code ${code}`));
    return {
      post: (message) => worker.postMessage(message),
      keepAlive: (wish) => (wish ? worker.ref() : worker.unref()),
      terminate: async () => void (await worker.terminate()),
    };
  },
};

/** What the system refuses is an event of the worker; what throws at once is how a bundle has rewritten the call. */
function startWorker(setup: WorkerSetup, name: string): Worker {
  try {
    // Bundlers find the worker's file by this very form. No execArgv: what the main thread was started with, --input-type say, need not fit a worker.
    return new Worker(new URL("./worker.js", import.meta.url), { workerData: setup, name, execArgv: [] });
  } catch (cause) {
    throw new CriaError("cpu", `a worker thread cannot be started (${String(cause)}): ${wayOut}`, { cause });
  }
}

const wayOut = `${leaveOut}, or bundle cria/worker too, as an entry named worker.js`;
const missing = `its file, worker.js, is not beside the module that starts it, as happens in a bundle: ${wayOut}`;
