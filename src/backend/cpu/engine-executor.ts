// An executor on an engine's worker threads, whatever they run.
import type { Kernel, Target } from "../../kernel/index.ts";
import type { Engine, KernelCall, Memory } from "../../threads/index.ts";
import type { Call, Executor } from "./executor.ts";

/** A call's smallest chunks are this share of a thread's part: the smaller they are, the less a slow thread delays the others. */
const chunksPerThread = 8;

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
      const calls = phases.map((phase) => phase.map((call) => kernelCallOf(call, kernels[call.kernel]!, engine.threads)));
      return engine.load(assemble(kernels), calls);
    },
    run: (program, onTimes) => engine.run(program, onTimes),
    unload: (program) => engine.unload(program),
    dispose: () => engine.dispose(),
  };
}

function kernelCallOf({ kernel, args }: Call, { units, liveUnits }: Kernel, threads: number): KernelCall {
  const grain = units / (threads * chunksPerThread);
  const count = args.at(-1);
  // A thread alone has nobody to wait for, and where it is a page's own, its slices end between two chunks.
  const whole = { kernel, args, units, grain: Math.max(1, Math.floor(grain)), ...(threads > 1 && { sharers: threads }) };
  return liveUnits === undefined || count === undefined ? whole : { ...whole, live: { count, ...liveUnits } };
}
