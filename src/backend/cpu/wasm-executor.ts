// Kernels as WebAssembly on worker threads.
import { assembleModule, type Kernel, wasm128, wasmRelaxed } from "../../kernel/index.ts";
import { openEngine, relaxedSimd } from "./engine/index.ts";
import type { Executor } from "./executor.ts";

/** How many shares of a step a thread takes at least: with more, a slow thread delays the others less. */
const sharesPerThread = 8;

/** @throws CriaError when `threads` is out of range or the machine gives no shared memory. */
export async function wasmExecutor(options: { readonly threads?: number } = {}): Promise<Executor> {
  const target = relaxedSimd() ? wasmRelaxed : wasm128;
  const engine = await openEngine(options);
  return {
    name: `${target.name}, ${engine.threads} ${engine.threads === 1 ? "thread" : "threads"}`,
    target,
    threads: engine.threads,
    get memory() {
      return engine.memory.buffer;
    },
    allocate: (bytes) => engine.allocate(bytes),
    free: (address) => engine.free(address),
    load: (kernels, phases) => {
      engine.reserveScratch(Math.max(64, ...kernels.map((kernel) => kernel.scratchBytes)));
      const steps = phases.map((phase) => phase.map(({ kernel, args }) => ({ kernel, args, ...share(kernels[kernel]!, engine.threads) })));
      return engine.load(assembleModule(kernels), steps);
    },
    run: (program) => engine.run(program),
    unload: (program) => engine.unload(program),
    dispose: () => engine.dispose(),
  };
}

function share({ units }: Kernel, threads: number): { units: number; grain: number } {
  return { units, grain: Math.max(1, Math.floor(units / (threads * sharesPerThread))) };
}
