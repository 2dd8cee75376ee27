// Kernels as machine code on worker threads.
import { assembleX64, type Convention, type Kernel, printMachineCode, systemV, type Target, windows } from "../../kernel/index.ts";
import { engineExecutor } from "./engine-executor.ts";
import type { Executor } from "./executor.ts";
import type { Native } from "./native.ts";
import { type NativeSource, openNativeEngine } from "./native-machine.ts";

/** @throws CriaError when `threads` is out of range or the process gets no address space. */
export async function nativeExecutor(
  { native, target }: { readonly native: Native; readonly target: Target },
  options: { readonly threads?: number } = {},
): Promise<Executor> {
  const convention = conventions[native.convention];
  const assemble = (kernels: readonly Kernel[]) => kernels.map((kernel) => sourceOf(kernel, convention));
  const executor = engineExecutor(await openNativeEngine(native, options), target, assemble);
  return { ...executor, listing: (kernel) => printMachineCode(kernel, convention) };
}

const conventions = { systemV, windows };

function sourceOf(kernel: Kernel, convention: Convention): NativeSource {
  return { key: kernel, assemble: () => ({ code: assembleX64(kernel, convention).code, params: kernel.params.length }) };
}
