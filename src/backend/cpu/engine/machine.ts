// What an engine runs on: WebAssembly or machine code. The engine's threads and tickets are the same for both.
import type { Memory } from "./memory.ts";

/** `Source` is what a program's kernels come as. */
export interface Machine<Source, M extends Memory> {
  readonly memory: M;
  /** Compiles a program's kernels, once for all threads. @throws CriaError when they are not valid here. */
  place(source: Source): Promise<Placed>;
  /** Gives memory and code up, when no thread uses them any more. */
  dispose(): void;
}

export interface Placed {
  /** How many kernels there are: steps name them 0, 1, … */
  readonly kernels: number;
  /** What every thread's linker gets, by `postMessage`. */
  readonly code: unknown;
}

export interface MachineKind<Source, M extends Memory> {
  /** A module that every thread imports, with a {@link Linker} named `link`. */
  readonly linker: URL;
  /** Called once the threads have started: one that lacks address space ends the process, a memory can do with less. */
  open(): Machine<Source, M>;
}

/** Makes the functions of a program's kernels in the thread that will call them. @throws Error when the code does not fit the machine. */
export type Linker = (code: unknown) => readonly LinkedKernel[];

export interface LinkedKernel {
  // biome-ignore lint/complexity/noBannedTypes: a function of numbers of any arity, as WebAssembly's own types have it.
  readonly call: Function;
  /** How many numbers it takes. */
  readonly params: number;
}
