// A worker thread of the engine in Node.
import { parentPort, workerData } from "node:worker_threads";
import { type Answer, type Linker, type LinkerName, linkWasm, openWorker, type ToWorker, type WorkerSetup } from "../threads/index.ts";

const linkers: Readonly<Record<LinkerName, () => Promise<Linker>>> = {
  wasm: async () => linkWasm,
  native: async () => (await import("./native-linker.ts")).linkNative,
};

const setup = workerData as WorkerSetup;
const answer = openWorker(setup, await linkers[setup.linker]());
const port = parentPort!;
port.on("message", (message: ToWorker) => {
  const said = answer(message);
  if (said !== undefined) port.postMessage(said);
});
port.postMessage({} satisfies Answer);
