// A worker thread of the engine in a page. Its first message is its set-up.
import { type Answer, linkWasm, openWorker, type ToWorker, type WorkerSetup } from "../threads/index.ts";

let answer: ((message: ToWorker) => Answer | undefined) | undefined;

self.onmessage = ({ data }: MessageEvent<WorkerSetup | ToWorker>) => {
  if (answer === undefined) {
    answer = openWorker(data as WorkerSetup, linkWasm);
    self.postMessage({} satisfies Answer);
    return;
  }
  const said = answer(data as ToWorker);
  if (said !== undefined) self.postMessage(said);
};
