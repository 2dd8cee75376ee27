// What a worker thread of the engine does, whatever has started it: idle in its event loop, where it uses no CPU, until a message comes.
import type { Linker } from "./code-loader.ts";
import type { Answer, LoadMessage, ToWorker, UnloadMessage, WorkerSetup } from "./protocol.ts";
import { type BoundProgram, bind, replay } from "./replay.ts";
import { Watch } from "./watch.ts";

/** @returns what answers the engine's messages: undefined for those that have no answer. */
export function openWorker({ tickets }: WorkerSetup, link: Linker): (message: ToWorker) => Answer | undefined {
  const programs = new LinkedPrograms(link);
  return (message) => {
    if (message.type === "load") return programs.load(message);
    if (message.type === "unload") return programs.unload(message);
    const program = programs.get(message.program);
    const watch = message.isTimed ? new Watch(program.kernels) : undefined;
    const end = replay(program, message.counts, tickets[message.tickets]!, message.scratch, watch);
    return { ...(end && { end }), ...(watch && { times: watch.times }) };
  };
}

/** The programs that one thread can replay. */
export class LinkedPrograms {
  readonly #link: Linker;
  readonly #programs = new Map<number, BoundProgram>();

  constructor(link: Linker) {
    this.#link = link;
  }

  load({ program, code, phases }: LoadMessage): Answer {
    try {
      this.#programs.set(program, bind(phases, this.#link(code)));
      return {};
    } catch (error) {
      return { problem: error instanceof Error ? error.message : String(error) };
    }
  }

  unload({ program }: UnloadMessage): undefined {
    this.#programs.delete(program);
  }

  /** @throws TypeError when the program was never loaded, which the engine rules out. */
  get(program: number): BoundProgram {
    const found = this.#programs.get(program);
    if (found === undefined) throw new TypeError(`program ${program} was never loaded in this thread`);
    return found;
  }
}
