// Kernels as machine code on worker threads.
import { assembleX64, type Kernel, printMachineCode, type Target } from "../../kernel/index.ts";
import { engineExecutor } from "./engine-executor.ts";
import type { Executor } from "./executor.ts";
import type { Native } from "./native.ts";
import { type NativeSource, openNativeEngine } from "./native-machine.ts";

/** @throws CriaError when `threads` is out of range or the process gets no address space. */
export async function nativeExecutor(
  { native, target }: { readonly native: Native; readonly target: Target },
  options: { readonly threads?: number } = {},
): Promise<Executor> {
  const executor = engineExecutor(await openNativeEngine(native, options), target, (kernels) => kernels.map(sourceOf));
  return { ...executor, listing: (kernel) => printMachineCode(kernel) };
}

function sourceOf(kernel: Kernel): NativeSource {
  return { key: kernel, assemble: () => ({ code: assembleX64(kernel).code, params: kernel.params.length }) };
}
