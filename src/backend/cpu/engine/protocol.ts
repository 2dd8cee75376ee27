// What the main thread and a worker say to each other.
import type { Phase } from "./program.ts";

/** What a worker is started with, as its `workerData`. */
export interface WorkerSetup {
  /** The barrier's words: outside of the kernels' memory, where none can write over them. */
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly threads: number;
  /** Where the module lies whose `link` makes a program's functions. */
  readonly linker: string;
}

export type ToWorker =
  | {
      readonly type: "load";
      readonly program: number;
      /** For the linker. */
      readonly code: unknown;
      readonly phases: readonly Phase[];
      readonly counters: Int32Array<SharedArrayBuffer>;
    }
  /** `scratch` is the address of this worker's own. */
  | { readonly type: "run"; readonly program: number; readonly scratch: number }
  | { readonly type: "unload"; readonly program: number };

/** A worker's answer to its start, and to every load and run, in order; empty when all went well. */
export interface Answer {
  /** Why a program could not be loaded. */
  readonly problem?: string;
  readonly trap?: Trap;
}

/** A kernel that trapped, e.g. by an address out of bounds. */
export interface Trap {
  readonly kernel: number;
  /** Counted without phases that have nothing to do. */
  readonly phase: number;
  readonly begin: number;
  readonly end: number;
  readonly message: string;
}
