// An executor on an engine's worker threads, whatever they run.
import type { Kernel, Target } from "../../kernel/index.ts";
import type { Engine, Memory, Step } from "../../threads/index.ts";
import type { Call, Executor } from "./executor.ts";

/** How many shares of a step a thread takes at least: with more, a slow thread delays the others less. */
const sharesPerThread = 8;

/** @param assemble kernels → what the engine loads. */
export function engineExecutor<Source>(
  engine: Engine<Source, Memory>,
  target: Target,
  assemble: (kernels: readonly Kernel[]) => Source,
): Executor {
  return {
    name: `${target.name}, ${engine.threads} ${engine.threads === 1 ? "thread" : "threads"}`,
    target,
    threads: engine.threads,
    allocate: (bytes) => engine.allocate(bytes),
    free: (address) => engine.free(address),
    room: () => ({ ...engine.room(), bound: engine.memory.bound }),
    read: (address, into) => engine.memory.read(address, into),
    write: (address, from) => engine.memory.write(address, from),
    load: (kernels, phases) => {
      engine.reserveScratch(Math.max(64, ...kernels.map((kernel) => kernel.scratchBytes)));
      const steps = phases.map((phase) => phase.map((call) => stepOf(call, kernels[call.kernel]!, engine.threads)));
      return engine.load(assemble(kernels), steps);
    },
    run: (program) => engine.run(program),
    unload: (program) => engine.unload(program),
    dispose: () => engine.dispose(),
  };
}

function stepOf({ kernel, args }: Call, { units, liveUnits }: Kernel, threads: number): Step {
  const grain = units / (threads * sharesPerThread);
  const count = args.at(-1);
  const step = { kernel, args, units, grain: Math.max(1, Math.floor(grain)) };
  return liveUnits === undefined || count === undefined ? step : { ...step, live: { count, ...liveUnits } };
}
