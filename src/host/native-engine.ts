// Kernels as machine code. That of a kernel is placed once, however many programs share it, and stays until the engine is disposed of.
import { check, eventsHandled } from "../base/index.ts";
import { type CodeLoader, type Engine, openEngine, type PlacedCode } from "../threads/index.ts";
import type { Native, Pages } from "./native.ts";
import type { NativeKernel } from "./native-linker.ts";
import { NativeMemory } from "./native-memory.ts";
import { nodeThreads } from "./node-threads.ts";

/** Code for the calling convention of the system, at any address: all parameters are 64-bit integers, three more than a call's arguments. */
export interface NativeCode {
  readonly code: Uint8Array;
  readonly params: number;
}

/** What makes the code of a kernel; equal keys share it. */
export interface NativeSource {
  readonly key: object;
  assemble(): NativeCode;
}

/** An engine whose kernels are machine code. */
export type NativeEngine = Engine<readonly NativeSource[], NativeMemory>;

/** The threads and memory of a native engine. */
export interface NativeEngineOptions {
  /** 1 to 64; CRIA_THREADS or the number of cores by default. */
  readonly threads?: number | undefined;
  /** How much all buffers may take; by default as much as this machine has. */
  readonly maximumBytes?: number;
}

/** @throws CriaError when the process gets no address space. */
export function openNativeEngine(native: Native, { maximumBytes, threads }: NativeEngineOptions = {}): Promise<NativeEngine> {
  return openEngine(
    { linker: "native", open: () => new NativeLoader(native, new NativeMemory(native, maximumBytes)) },
    { host: nodeThreads, threads },
  );
}

class NativeLoader implements CodeLoader<readonly NativeSource[], NativeMemory> {
  readonly memory: NativeMemory;
  readonly #native: Native;
  readonly #placed = new Map<object, NativeKernel>();
  readonly #pages: Pages[] = [];
  #disposed = false;

  constructor(native: Native, memory: NativeMemory) {
    this.#native = native;
    this.memory = memory;
  }

  async place(sources: readonly NativeSource[]): Promise<PlacedCode> {
    const made: (NativeCode & { readonly key: object })[] = [];
    for (const { key, assemble } of sources) {
      if (this.#placed.has(key)) continue;
      made.push({ key, ...assemble() });
      await eventsHandled(); // a kernel that is compiled takes some milliseconds
    }
    check(!this.#disposed, "cpu", () => "the engine was disposed of while kernels were compiled: open another");
    this.#place(made);
    const code = sources.map(({ key }) => this.#placed.get(key)!);
    return { kernels: code.length, code };
  }

  dispose(): void {
    this.#disposed = true;
    for (const pages of this.#pages.splice(0)) this.#native.unmap(pages);
    this.#placed.clear();
    this.memory.dispose();
  }

  /** All new kernels share one run of pages. */
  #place(made: readonly (NativeCode & { readonly key: object })[]): void {
    if (made.length === 0) return;
    const offsets = layOut(made);
    const image = new Uint8Array(offsets.at(-1)!).fill(breakpoint);
    made.forEach(({ code }, i) => void image.set(code, offsets[i]!));
    const pages = this.#native.mapCode(image);
    this.#pages.push(pages);
    made.forEach(({ key, params }, i) => void this.#placed.set(key, { address: pages.address + offsets[i]!, params }));
  }
}

/** Code begins on a cache line, as its pool of constants may ask. */
const codeAlignment = 64;
/** int3 fills the gaps: a jump astray ends there. */
const breakpoint = 0xcc;

/** The offset of each code, and at last where all end. */
function layOut(made: readonly NativeCode[]): number[] {
  const offsets = [0];
  for (const { code } of made) offsets.push(offsets.at(-1)! + Math.ceil(code.length / codeAlignment) * codeAlignment);
  return offsets;
}
