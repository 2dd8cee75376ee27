// In a worker thread: instantiates a program's module over the shared memory.
import type { LinkedKernel, Linker } from "./machine.ts";

export interface WasmCode {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
}

export const link: Linker = (code) => {
  const { module, memory } = code as WasmCode;
  const { exports } = new WebAssembly.Instance(module, { e: { m: memory } });
  return Object.keys(exports).map((_, i): LinkedKernel => {
    const call = exports[i] as LinkedKernel["call"];
    return { call, params: call.length };
  });
};
