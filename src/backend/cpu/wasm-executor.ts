// Kernels as WebAssembly on worker threads.
import { assembleModule, type Kernel, lowerToWasm, wasm128, wasmRelaxed } from "../../kernel/index.ts";
import { openWasmEngine, relaxedSimd } from "./engine/index.ts";
import { engineExecutor } from "./engine-executor.ts";
import type { Executor } from "./executor.ts";
import { codeOf } from "./kernels.ts";

/** @throws CriaError when `threads` is out of range or the machine gives no shared memory. */
export async function wasmExecutor(options: { readonly threads?: number } = {}): Promise<Executor> {
  const target = relaxedSimd() ? wasmRelaxed : wasm128;
  const assemble = (kernels: readonly Kernel[]) => assembleModule(kernels, (kernel) => codeOf(kernel, lowerToWasm));
  return { ...engineExecutor(await openWasmEngine(options), target, assemble), codeForm: "wasm" };
}
