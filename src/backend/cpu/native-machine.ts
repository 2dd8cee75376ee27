// Kernels as machine code. It is placed once a kernel, however many programs share it, and stays until the engine is disposed of.
import type { Engine, EngineOptions, Machine, Placed } from "./engine/index.ts";
import { openEngine } from "./engine/index.ts";
import type { Native, Pages } from "./native.ts";
import type { NativeKernel } from "./native-linker.ts";
import { NativeMemory } from "./native-memory.ts";

/** Code for the calling convention of the system, at any address: all parameters are 64-bit integers, three more than a step's arguments. */
export interface NativeCode {
  readonly code: Uint8Array;
  readonly params: number;
}

/** What makes the code of a kernel; equal keys share it. */
export interface NativeSource {
  readonly key: object;
  assemble(): NativeCode;
}

export type NativeEngine = Engine<readonly NativeSource[], NativeMemory>;

/** @param options.maximumBytes how much all buffers may take; by default as much as this machine has. @throws CriaError when the process gets no address space. */
export function openNativeEngine(
  native: Native,
  { maximumBytes, ...options }: EngineOptions & { maximumBytes?: number } = {},
): Promise<NativeEngine> {
  const linker = new URL("./native-linker.js", import.meta.url);
  return openEngine({ linker, open: () => new NativeMachine(native, new NativeMemory(native, maximumBytes)) }, options);
}

class NativeMachine implements Machine<readonly NativeSource[], NativeMemory> {
  readonly memory: NativeMemory;
  readonly #native: Native;
  readonly #placed = new Map<object, NativeKernel>();
  readonly #pages: Pages[] = [];

  constructor(native: Native, memory: NativeMemory) {
    this.#native = native;
    this.memory = memory;
  }

  async place(sources: readonly NativeSource[]): Promise<Placed> {
    this.#place(sources.filter(({ key }) => !this.#placed.has(key)));
    const code = sources.map(({ key }) => this.#placed.get(key)!);
    return { kernels: code.length, code };
  }

  dispose(): void {
    for (const pages of this.#pages.splice(0)) this.#native.unmap(pages);
    this.#placed.clear();
    this.memory.dispose();
  }

  /** All new kernels share one run of pages. */
  #place(sources: readonly NativeSource[]): void {
    if (sources.length === 0) return;
    const made = sources.map(({ key, assemble }) => ({ key, ...assemble() }));
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

/** Where each begins, and at last where all end. */
function layOut(made: readonly NativeCode[]): number[] {
  const offsets = [0];
  for (const { code } of made) offsets.push(offsets.at(-1)! + Math.ceil(code.length / codeAlignment) * codeAlignment);
  return offsets;
}
