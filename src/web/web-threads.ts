// Threads of a page: web workers. They share memory only where the page is cross-origin isolated.
import { type Answer, maximumThreads, type ThreadHost } from "../threads/index.ts";

/** The host of threads in a page. */
export const webThreads: ThreadHost = {
  defaultThreads: () => Math.max(1, Math.min(navigator.hardwareConcurrency, maximumThreads)),
  start(setup, _thread, { answer, lost }) {
    // Bundlers find the worker's file by this very form.
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Answer>) => answer(data);
    worker.onerror = (event) => lost(event.message || notLoaded);
    worker.onmessageerror = () => lost("a message could not be read");
    worker.postMessage(setup);
    return {
      post: (message) => worker.postMessage(message),
      keepAlive: () => undefined,
      terminate: async () => worker.terminate(),
    };
  },
};

/** Said where a worker fails without a message: the browser gives no reason when it cannot fetch a worker's file or may not run it. */
const notLoaded =
  "the browser could not load its file, worker.js beside the module of cria/web: a bundle needs cria/web/worker as an entry of its own, named worker.js, and the page's policy must allow worker-src";
