// Instantiates a program's module over the engine's memory, in the thread that will call it.
import type { LinkedKernel, Linker } from "./code-loader.ts";

/** A module, and the memory that it computes on. */
export interface WasmCode {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
}

/** Makes functions of a module's exports. */
export const linkWasm: Linker = (code) => {
  const { module, memory } = code as WasmCode;
  const { exports } = new WebAssembly.Instance(module, { e: { m: memory } });
  return Object.keys(exports).map((_, i): LinkedKernel => {
    const call = exports[i] as LinkedKernel["call"];
    return { call, params: call.length };
  });
};
