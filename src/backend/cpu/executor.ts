// What runs compiled kernels on a CPU: owns memory and threads, knows no graph. One interface, its implementations beside it:
// worker threads on machine code or on WebAssembly, and the interpreter as their judge.
import type { FileRegion } from "../../base/index.ts";
import type { Kernel, Target } from "../../kernel/index.ts";
import type { OnTimes } from "../../threads/index.ts";

/** A call of one kernel: its leading arguments are addresses; scratch and the range of units are filled in. */
export interface Call {
  /** Index into the kernels that were loaded with the program. */
  readonly kernel: number;
  readonly args: readonly number[];
}

/** Calls of one phase do not depend on each other; the next phase starts when all of them are done. */
export type Phase = readonly Call[];

/** What is left of the memory that buffers come from. */
export interface Room {
  /** Bytes up to the limit beside those in use. */
  readonly left: number;
  /** Bytes among them that the system has given already, because they were in use before. */
  readonly filled: number;
  /** What sets the limit, as the end of a sentence for people. */
  readonly bound: string;
}

/** Memory and threads that run kernels. */
export interface Executor {
  readonly name: string;
  readonly target: Target;
  readonly threads: number;
  /** What form kernels' code has here, e.g. of which calling convention; absent where kernels are not compiled. */
  readonly codeForm?: string;
  /** Zeroed bytes, aligned to 64. @throws CriaError when memory does not suffice. */
  allocate(bytes: number): number;
  free(address: number): void;
  /** How much more can be allocated. */
  room(): Room;
  /** Bytes that the system has for this process beside what is in use; absent where it does not say. */
  readonly availableBytes?: () => number;
  /** Copies allocated bytes out. */
  read(address: number, into: ArrayBufferView): void;
  /** Copies bytes into allocated ones. */
  write(address: number, from: ArrayBufferView): void;
  /** Where files can be used in place. */
  readonly files?: {
    /** @returns the address of the region's bytes; undefined where the system refuses. @throws CriaError when the file ends before the region. */
    map(region: FileRegion): number | undefined;
    unmap(address: number): void;
    /** Lets the system have the memory of a region that was never written: whoever touches it reads the file again. */
    drop(address: number): void;
  };
  load(kernels: readonly Kernel[], phases: readonly Phase[]): Promise<number>;
  /** @param onTimes hears where each thread's time went, from executors with an engine; without it, nothing is timed */
  run(program: number, onTimes?: OnTimes): Promise<void>;
  unload(program: number): void;
  /** The kernel's code as text, where people may want to see it: TRACE=x64. */
  listing?(kernel: Kernel): string;
  dispose(): Promise<void>;
}
