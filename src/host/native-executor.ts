// Kernels as machine code on worker threads.
import { codeOf, type Executor, engineExecutor } from "../backend/cpu/index.ts";
import type { FileRegion } from "../base/index.ts";
import { type Convention, compileX64, type Kernel, printMachineCode, systemV, type Target, windows } from "../kernel/index.ts";
import type { Native } from "./native.ts";
import { type NativeEngineOptions, type NativeSource, openNativeEngine } from "./native-engine.ts";

/** @throws CriaError when `threads` is out of range or the process gets no address space. */
export async function nativeExecutor(
  { native, target }: { readonly native: Native; readonly target: Target },
  options: NativeEngineOptions = {},
): Promise<Executor> {
  const convention = conventions[native.convention];
  const assemble = (kernels: readonly Kernel[]) => kernels.map((kernel) => sourceOf(kernel, convention));
  const engine = await openNativeEngine(native, options);
  const { memory } = engine;
  const files = {
    map: (region: FileRegion) => memory.map(region),
    unmap: (address: number) => memory.unmap(address),
    drop: (address: number) => memory.drop(address),
  };
  const codeForm = `x64 ${convention.name}`;
  return { ...engineExecutor(engine, target, assemble), codeForm, files, listing: (kernel) => printMachineCode(kernel, convention) };
}

const conventions = { systemV, windows };

function sourceOf(kernel: Kernel, convention: Convention): NativeSource {
  const compile = (ir: Kernel) => compileX64(ir, convention);
  return { key: kernel, assemble: () => ({ code: codeOf(kernel, compile), params: kernel.params.length }) };
}
