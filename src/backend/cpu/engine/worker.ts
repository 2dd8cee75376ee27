// A worker thread of the engine: idle in its event loop, where it uses no CPU, until a message comes.
import { parentPort, workerData } from "node:worker_threads";
import type { Linker } from "./machine.ts";
import type { Answer, ToWorker, WorkerSetup } from "./protocol.ts";
import { type BoundProgram, bind, replay } from "./replay.ts";

const { tickets, linker } = workerData as WorkerSetup;
const { link } = (await import(linker)) as { link: Linker };
const programs = new Map<number, BoundProgram>();
const port = parentPort!;

port.on("message", (message: ToWorker) => {
  if (message.type === "unload") programs.delete(message.program);
  else port.postMessage(message.type === "load" ? load(message) : run(message));
});
port.postMessage({} satisfies Answer);

function load({ program, code, phases }: ToWorker & { type: "load" }): Answer {
  try {
    programs.set(program, bind(phases, link(code)));
    return {};
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function run({ program, tickets: run, scratch, counts }: ToWorker & { type: "run" }): Answer {
  const end = replay(programs.get(program)!, counts, tickets[run]!, scratch);
  return end === undefined ? {} : { end };
}
