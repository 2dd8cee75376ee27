// A worker thread of the engine: idle in its event loop, where it uses no CPU, until a message comes.
import { parentPort, workerData } from "node:worker_threads";
import type { Answer, ToWorker, WorkerSetup } from "./protocol.ts";
import { type BoundProgram, bind, replay } from "./replay.ts";

const { control, threads } = workerData as WorkerSetup;
const programs = new Map<number, BoundProgram>();
const port = parentPort!;

port.on("message", (message: ToWorker) => {
  if (message.type === "unload") programs.delete(message.program);
  else port.postMessage(message.type === "load" ? load(message) : run(message));
});
port.postMessage({} satisfies Answer);

function load({ program, module, memory, phases, counters }: ToWorker & { type: "load" }): Answer {
  try {
    const { exports } = new WebAssembly.Instance(module, { e: { m: memory } });
    programs.set(program, bind(phases, exports, counters));
    return {};
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function run({ program, scratch }: ToWorker & { type: "run" }): Answer {
  const trap = replay(programs.get(program)!, control, threads, scratch);
  return trap === undefined ? {} : { trap };
}
