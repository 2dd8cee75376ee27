// Threads of Node (and of Deno and Bun, which have its module for them).
import { Worker } from "node:worker_threads";
import type { Answer, ThreadHost } from "../threads/index.ts";
import { defaultThreads } from "./default-threads.ts";

export const nodeThreads: ThreadHost = {
  defaultThreads,
  start(setup, thread, { answer, lost }) {
    // No execArgv: what the main thread was started with, --input-type say, need not fit a worker.
    const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: setup, name: `cria-${thread}`, execArgv: [] });
    worker.on("message", (message: Answer) => answer(message));
    worker.on("error", (error) => lost(String(error), error));
    worker.on("messageerror", (error) => lost(String(error), error));
    worker.on("exit", (code) => lost(`exit code ${code}`));
    return {
      post: (message) => worker.postMessage(message),
      keepAlive: (wish) => (wish ? worker.ref() : worker.unref()),
      terminate: async () => void (await worker.terminate()),
    };
  },
};
