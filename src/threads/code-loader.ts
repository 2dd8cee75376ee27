// What puts kernels into memory: as WebAssembly or as machine code. The engine's threads and tickets are the same for both.
import type { Memory } from "./memory.ts";
import type { LinkerName } from "./protocol.ts";

/** `Source` is what a program's kernels come as. */
export interface CodeLoader<Source, M extends Memory> {
  readonly memory: M;
  /** Compiles a program's kernels, once for all threads. @throws CriaError when they are not valid here. */
  place(source: Source): Promise<PlacedCode>;
  /** Gives memory and code up, when no thread uses them any more. */
  dispose(): void;
}

/** Kernels that were put into memory. */
export interface PlacedCode {
  /** How many kernels there are: calls name them 0, 1, … */
  readonly kernels: number;
  /** What the linker of every thread gets, by `postMessage`. */
  readonly code: unknown;
}

/** A kind of code: its linkers, and how kernels are put into memory. */
export interface CodeKind<Source, M extends Memory> {
  /** The linker of every worker thread. */
  readonly linker: LinkerName;
  /** The linker of the calling thread, where it may compute. */
  readonly link?: Linker;
  /**
   * Called once the threads have started: one that lacks address space ends the process, a memory can do with less.
   * @param isShared whether other threads compute on the memory.
   */
  open(isShared: boolean): CodeLoader<Source, M>;
}

/** Makes the functions of a program's kernels in the thread that will call them. @throws Error when the code is not valid in this thread. */
export type Linker = (code: unknown) => readonly LinkedKernel[];

/** A kernel as a function. */
export interface LinkedKernel {
  // biome-ignore lint/complexity/noBannedTypes: a function of numbers of any arity, as WebAssembly's own types have it.
  readonly call: Function;
  /** How many numbers it takes. */
  readonly params: number;
}
