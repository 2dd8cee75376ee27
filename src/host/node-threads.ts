// Threads of Node (and of Deno and Bun, which have its module for them).
import { Worker } from "node:worker_threads";
import type { Answer, ThreadHost } from "../threads/index.ts";
import { defaultThreads } from "./default-threads.ts";

export const nodeThreads: ThreadHost = {
  defaultThreads,
  start(setup, thread, { answer, lost }) {
    // Bundlers find the worker's file by this very form. No execArgv: what the main thread was started with, --input-type say, need not fit a worker.
    const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: setup, name: `cria-${thread}`, execArgv: [] });
    worker.on("message", (message: Answer) => answer(message));
    worker.on("error", (error) => lost(isMissing(error) ? missing : String(error), error));
    worker.on("messageerror", (error) => lost(String(error), error));
    worker.on("exit", (code) => lost(`exit code ${code}`));
    return {
      post: (message) => worker.postMessage(message),
      keepAlive: (wish) => (wish ? worker.ref() : worker.unref()),
      terminate: async () => void (await worker.terminate()),
    };
  },
};

/** Whether it is the thread's own file that is not there, and nothing that the file imports. */
function isMissing({ message }: Error): boolean {
  return /^Cannot find module '[^']*worker\.js'/.test(message) && !message.includes("imported from");
}

const missing =
  "its file, worker.js, is not beside the module that starts it, as happens in a bundle: leave cria out of the bundle (external in esbuild and webpack, ssr.external in vite, serverExternalPackages in Next), or bundle cria/worker too, as an entry named worker.js";
