// The fastest executor that works on this machine.
import { chooseTarget } from "./choose-target.ts";
import type { Executor } from "./executor.ts";
import { nativeExecutor } from "./native-executor.ts";
import { wasmExecutor } from "./wasm-executor.ts";

export interface ExecutorOptions {
  /** Worker threads, 1 to 64; CRIA_THREADS or the number of cores by default. */
  readonly threads?: number;
  /** "avx512", "avx2" or "wasm"; CRIA_TARGET or the fastest that works by default. */
  readonly target?: string;
}

/** @throws UsageError when a target cannot be had, CriaError when a thread count is out of range or the machine gives no memory. */
export async function openExecutor({ target, ...options }: ExecutorOptions = {}): Promise<Executor> {
  const choice = await chooseTarget(target);
  if (choice.machine) return nativeExecutor(choice.machine, options);
  const executor = await wasmExecutor(options);
  // Whoever shows the name says with it, in one line, why it is not faster.
  return choice.isFallback ? { ...executor, name: `${executor.name}; ${choice.reason}` } : executor;
}
