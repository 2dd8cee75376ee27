// The fastest executor that works on this machine.
import { type Executor, wasmExecutor } from "../backend/cpu/index.ts";
import { availableMemory } from "./available-memory.ts";
import { chooseTarget } from "./choose-target.ts";
import { nativeExecutor } from "./native-executor.ts";
import { nodeThreads } from "./node-threads.ts";
import { relaxedSimd } from "./relaxed-simd.ts";

/** The threads and target of an executor. */
export interface ExecutorOptions {
  /** Worker threads, 1 to 64; CRIA_THREADS or the number of cores by default. */
  readonly threads?: number;
  /** "avx512", "avx2" or "wasm"; CRIA_TARGET or the fastest that works by default. */
  readonly target?: string;
}

/** @throws UsageError when a target cannot be had, CriaError when a thread count is out of range or the machine gives no memory. */
export async function openExecutor({ target, threads }: ExecutorOptions = {}): Promise<Executor> {
  const choice = await chooseTarget(target);
  const executor = choice.machine
    ? await nativeExecutor(choice.machine, { threads })
    : await wasmExecutor({ host: nodeThreads, threads, relaxedSimd: relaxedSimd() });
  // Whoever shows the name says with it, in one line, why it is not faster.
  const name = choice.isFallback ? `${executor.name}; ${choice.reason}` : executor.name;
  return { ...executor, name, availableBytes: availableMemory };
}
