// What the main thread and a worker say to each other.
import type { Phase } from "./program.ts";
import type { KernelTimes } from "./watch.ts";

/** Which code a thread makes functions of. */
export type LinkerName = "wasm" | "native";

/** What a worker is started with. */
export interface WorkerSetup {
  /** The words of as many runs as may be under way: outside of the kernels' memory, where none can write over them. */
  readonly tickets: readonly Int32Array<SharedArrayBuffer>[];
  readonly linker: LinkerName;
}

/** A message to a worker. */
export type ToWorker =
  | {
      readonly type: "load";
      readonly program: number;
      /** What the linker makes functions of. */
      readonly code: unknown;
      readonly phases: readonly Phase[];
    }
  | {
      readonly type: "run";
      readonly program: number;
      /** Which of the words are this run's. */
      readonly tickets: number;
      /** The address of this worker's own scratch. */
      readonly scratch: number;
      /** What the program's counts say, in the order of `countsOf`. */
      readonly counts: readonly number[];
      /** Whether the answer has the thread's times. */
      readonly isTimed?: boolean;
    }
  | { readonly type: "unload"; readonly program: number };

/** The message that gives a worker a program. */
export type LoadMessage = Extract<ToWorker, { type: "load" }>;
/** The message that takes a program from a worker. */
export type UnloadMessage = Extract<ToWorker, { type: "unload" }>;

/** A worker's answer to its start, and to every load and run, in order; empty when all went well. */
export interface Answer {
  /** Why a program could not be loaded. */
  readonly problem?: string;
  /** How the run ended: said by the one thread that knows it. The others may come later. */
  readonly end?: End;
  /** Where this thread's time went, in a run that is timed. */
  readonly times?: KernelTimes;
}

/** All work of a run is done, or a kernel trapped. */
export type End = { readonly done: true; readonly trap?: undefined } | { readonly done?: undefined; readonly trap: Trap };

/** A kernel that trapped, e.g. by an address out of bounds. */
export interface Trap {
  readonly kernel: number;
  /** Counted without phases that have nothing to do. */
  readonly phase: number;
  readonly begin: number;
  readonly end: number;
  readonly message: string;
}
