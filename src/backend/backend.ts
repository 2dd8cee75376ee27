// What a backend is: it owns buffers and turns a graph into a Program that is compiled once and replayed every step.
import type { FileRegion } from "../base/index.ts";
import type { Graph, MemoryPlan, Tensor, TensorType } from "../graph/index.ts";

/** Values as they cross the border: float32 for f32, int32 for i32, and for other layouts bytes, as files hold them. */
export type HostArray = Float32Array | Int32Array | Uint8Array;

/** Bytes that the programs of a backend share. */
export interface SharedBytes {
  /** Packed weights: each in as many forms as programs read it in. */
  readonly packed: number;
  /** The threads' scratch, which is as large as that program needs it that needs most. */
  readonly scratch: number;
}

/** What owns buffers and compiles graphs. */
export interface Backend {
  /** What people read, e.g. "cpu: wasm, 2 threads". */
  readonly name: string;
  /** What computes, e.g. "wasm": two backends of one target give the same bits for the same graph, with however many threads. */
  readonly target: string;
  /** A zeroed buffer. @throws CriaError when memory does not suffice, with both sizes. */
  allocate(type: TensorType, name: string): Promise<DeviceBuffer>;
  /**
   * A buffer whose first values are those of a file, which are not copied: processes share them, and they are there at once. What is written to it stays
   * in this buffer. The file may be closed or replaced (by a rename, as every program of ours does) meanwhile, but not shortened in place:
   * the system ends a process that touches what is gone.
   * @param region as many bytes as the type has, in the machine's order.
   * Absent where the machine has no such thing.
   * @returns undefined where the machine wants a copy of this region: allocate, and write.
   * @throws CriaError when the file ends before the region.
   */
  map?(type: TensorType, name: string, region: FileRegion): Promise<DeviceBuffer | undefined>;
  /**
   * Bytes that {@link compile} allocates for this graph beside its bindings; nothing is allocated here. What it packs of a weight is among them, though
   * a buffer that is read packed alone gives its own bytes back for it.
   */
  workspaceBytes(graph: Graph): number;
  /** How many of these bytes all programs of the backend share. */
  sharedBytes(graph: Graph): SharedBytes;
  /** What buffers and programs of this backend may take beside those that it has. */
  memory(): MemoryThere;
  /** @param bindings a buffer for every state, input and weight of the graph. Several programs may share buffers. */
  compile(graph: Graph, bindings: ReadonlyMap<Tensor, DeviceBuffer>): Promise<Program>;
  /** Frees every buffer, program and thread; using any of them afterwards throws. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** How much more memory a backend may take. */
export interface MemoryThere {
  readonly bytes: number;
  /** What bounds it, as the end of a sentence for people: "what this machine has available". */
  readonly bound: string;
}

/** What is counted in elements here is counted in bytes for layouts other than f32 and i32: see {@link HostArray}. */
export interface DeviceBuffer {
  readonly name: string;
  readonly type: TensorType;
  /** @param at first element written. */
  write(values: ArrayLike<number>, at?: number): Promise<void>;
  /** A copy of `length` elements from `at`; everything by default. */
  read(at?: number, length?: number): Promise<HostArray>;
  dispose(): void;
}

/** Values for the first elements of a buffer. */
export interface PassWrite {
  readonly buffer: DeviceBuffer;
  readonly values: ArrayLike<number>;
}

/** `length` values of a kept activation from `at` on. */
export interface PassRead {
  readonly tensor: Tensor;
  readonly at: number;
  readonly length: number;
}

/** A compiled graph on its buffers. */
export interface Program {
  readonly plan: MemoryPlan;
  /** Replays every node in order. One run at a time on a backend: calls queue. */
  run(): Promise<void>;
  /**
   * Writes, runs and reads at one go, in one job of the backend's queue: what a token takes beside its run is paid for every token.
   * @param writes the first elements of bound buffers. @returns a copy of each of the `reads`, kept activations.
   */
  pass(writes: readonly PassWrite[], reads: readonly PassRead[]): Promise<HostArray[]>;
  /** Copies the values of a kept activation after a run: `length` of them from `at` on, all by default. */
  read(tensor: Tensor, at?: number, length?: number): Promise<HostArray>;
  dispose(): void;
}
