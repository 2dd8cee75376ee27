// Kernels as one WebAssembly module per program, over one memory.
import { CriaError } from "../base/index.ts";
import type { CodeLoader, PlacedCode } from "./code-loader.ts";
import { type Engine, type EngineOptions, openEngine } from "./engine.ts";
import { linkWasm, type WasmCode } from "./wasm-linker.ts";
import { checkMaximum, WasmMemory } from "./wasm-memory.ts";

/** Programs come as a module's bytes, which import the memory as `(import "e" "m" (memory 1 65536 shared))`, not shared without threads, and export kernels as "0", "1", … */
export type WasmEngine = Engine<Uint8Array, WasmMemory>;

/** The threads and memory of a WebAssembly engine. */
export interface WasmEngineOptions extends EngineOptions {
  /** How far the memory may grow, 65536 to 2^32 (the default); less where the machine lacks the address space. */
  readonly maximumBytes?: number;
}

/** @throws CriaError when options are out of range or the machine gives no memory. */
export async function openWasmEngine({ maximumBytes, ...options }: WasmEngineOptions = {}): Promise<WasmEngine> {
  checkMaximum(maximumBytes);
  const open = (isShared: boolean) => new WasmLoader(new WasmMemory(maximumBytes, isShared));
  return openEngine({ linker: "wasm", link: linkWasm, open }, options);
}

class WasmLoader implements CodeLoader<Uint8Array, WasmMemory> {
  readonly memory: WasmMemory;

  constructor(memory: WasmMemory) {
    this.memory = memory;
  }

  async place(source: Uint8Array): Promise<PlacedCode> {
    const module = await compile(source);
    const kernels = WebAssembly.Module.exports(module).filter(({ kind }) => kind === "function").length;
    return { kernels, code: { module, memory: this.memory.memory } satisfies WasmCode };
  }

  /** The collector takes a WebAssembly memory. */
  dispose(): void {}
}

async function compile(module: Uint8Array): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(module as Uint8Array<ArrayBuffer>);
  } catch (cause) {
    throw new CriaError("cpu", `a program's module is not valid WebAssembly here (${String(cause)}): please report it`, { cause });
  }
}
