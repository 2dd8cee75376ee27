// Kernels as WebAssembly, on the threads of any host or on the calling thread.
import { assembleModule, compileWasm, type Kernel, wasm128, wasmRelaxed } from "../../kernel/index.ts";
import { type EngineOptions, hasRelaxedSimd, openWasmEngine } from "../../threads/index.ts";
import { engineExecutor } from "./engine-executor.ts";
import type { Executor } from "./executor.ts";
import { codeOf } from "./kernels.ts";

/** Which threads run the kernels, and which instructions these may use. */
export interface WasmExecutorOptions extends EngineOptions {
  /** Whether kernels may use relaxed SIMD; by default where this machine's WebAssembly has it. */
  readonly relaxedSimd?: boolean;
}

/** @throws CriaError when `threads` is out of range or the machine gives no memory. */
export async function wasmExecutor({ relaxedSimd = hasRelaxedSimd(), ...options }: WasmExecutorOptions = {}): Promise<Executor> {
  const target = relaxedSimd ? wasmRelaxed : wasm128;
  const isShared = options.host !== undefined;
  const assemble = (kernels: readonly Kernel[]) => assembleModule(kernels, { bodyOf: (kernel) => codeOf(kernel, compileWasm), isShared });
  const executor = engineExecutor(await openWasmEngine(options), target, assemble);
  return { ...executor, codeForm: "wasm", ...(!isShared && { name: `${target.name}, without worker threads` }) };
}
