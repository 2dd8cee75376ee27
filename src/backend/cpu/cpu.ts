// The CPU backend: plans a graph's memory, lowers its nodes to kernel calls, and lets an executor replay them.
import { check, eventsHandled, type FileRegion, fail, inSlices, JobQueue, type Sliced, wholly } from "../../base/index.ts";
import {
  type Graph,
  type MemoryPlan,
  type Node,
  planMemory,
  printGraph,
  printPlan,
  type Tensor,
  type TensorType,
  tensorBytes,
} from "../../graph/index.ts";
import { printKernel } from "../../kernel/index.ts";
import {
  type Backend,
  checkBindings,
  checkRange,
  type DeviceBuffer,
  type HostArray,
  type MemoryThere,
  type PassRead,
  type PassWrite,
  type Program,
  type SharedBytes,
} from "../index.ts";
import { BufferBytes, ChangeCount, type PlainBytes } from "./buffer-bytes.ts";
import type { Executor } from "./executor.ts";
import { HeldBytes } from "./held-bytes.ts";
import { type CodeStore, Kernels } from "./kernels.ts";
import { bind, type Lowered, lowerSliced } from "./lower-graph.ts";
import { type Step, stepsOf } from "./steps.ts";

/** Stages of a compilation that can be looked at. */
export const traceStages = ["graph", "plan", "ir", "x64"] as const;
/** The name of a stage. */
export type TraceStage = (typeof traceStages)[number];
/** Called for every stage of every compilation, x64 only where kernels become machine code; `text` is made only when asked for. */
export type Trace = (stage: TraceStage, text: () => string) => void;

/** A backend on any executor. @param store holds what earlier processes have compiled. */
export function cpuBackend(executor: Executor, trace: Trace = ignore, store?: CodeStore): Backend {
  return new CpuBackend(executor, trace, store);
}

type Files = NonNullable<Executor["files"]>;

class CpuBackend implements Backend {
  readonly name: string;
  readonly target: string;
  readonly executor: Executor;
  readonly trace: Trace;
  readonly jobs = new JobQueue();
  readonly changes = new ChangeCount();
  /** How many buffers were disposed of. */
  disposals = 0;
  readonly map?: NonNullable<Backend["map"]>;
  readonly #kernels: Kernels;
  readonly #prepared = new WeakMap<Graph, Prepared>();
  #disposed = false;

  constructor(executor: Executor, trace: Trace, store: CodeStore | undefined) {
    this.executor = executor;
    this.trace = trace;
    this.#kernels = new Kernels(executor.target, store);
    this.name = `cpu: ${executor.name}`;
    this.target = executor.target.name;
    const { files } = executor;
    if (files !== undefined) this.map = (type, name, region) => this.#map(files, type, name, region);
  }

  /** Waits for what is queued: memory that is being given back there serves again. */
  async allocate(type: TensorType, name: string): Promise<DeviceBuffer> {
    this.check();
    return this.jobs.run(() => {
      this.check();
      return new CpuBuffer(this, type, name, this.#bytes(type));
    });
  }

  async #map(files: Files, type: TensorType, name: string, region: FileRegion): Promise<DeviceBuffer | undefined> {
    this.check();
    const bytes = tensorBytes(type);
    check(region.bytes === bytes, "cpu", () => `buffer "${name}" has ${bytes} bytes, but its region of ${region.name} ${region.bytes}`);
    return this.jobs.run(() => {
      this.check();
      const address = files.map(region);
      if (address === undefined) return undefined;
      const plain = { address, giveBack: () => files.unmap(address), drop: () => files.drop(address) };
      return new CpuBuffer(this, type, name, this.#bytes(type, plain));
    });
  }

  #bytes(type: TensorType, plain?: PlainBytes): BufferBytes {
    return new BufferBytes(this.executor, this.#kernels, this.changes, tensorBytes(type), plain);
  }

  workspaceBytes(graph: Graph): number {
    this.check();
    const { plan, lowered } = this.prepare(graph);
    const { packed, scratch } = this.sharedBytes(graph);
    return plan.arenaBytes + lowered.scratchBytes + packed + scratch;
  }

  sharedBytes(graph: Graph): SharedBytes {
    this.check();
    const { lowered } = this.prepare(graph);
    const perThread = Math.max(0, ...lowered.kernels.map((kernel) => kernel.scratchBytes));
    return { packed: formBytes(lowered), scratch: this.executor.threads * perThread };
  }

  memory(): MemoryThere {
    this.check();
    const { left, filled, bound } = this.executor.room();
    const available = (this.executor.availableBytes?.() ?? Number.POSITIVE_INFINITY) + filled;
    return left <= available ? { bytes: left, bound } : { bytes: available, bound: "what this machine has available" };
  }

  async compile(graph: Graph, bindings: ReadonlyMap<Tensor, DeviceBuffer>): Promise<Program> {
    this.check();
    checkBindings(graph, bindings);
    await this.jobs.settle(); // freed memory serves again, as for a buffer
    return CpuProgram.compile(this, graph, bindings as ReadonlyMap<Tensor, CpuBuffer>);
  }

  /** What of a compilation needs no buffers: who asks what a graph takes and then compiles it has the work done once. */
  prepare(graph: Graph): Prepared {
    return wholly(this.prepareSliced(graph));
  }

  /** {@link prepare} in slices: a graph of a large model takes some tens of milliseconds. */
  *prepareSliced(graph: Graph): Sliced<Prepared> {
    const known = this.#prepared.get(graph);
    if (known && isUnchanged(graph, known)) return known;
    const { nodes, kept, limits } = graph;
    const before = { nodes: [...nodes], kept: kept.size, limits: limits.size };
    const steps = stepsOf(graph, this.executor.target);
    yield;
    const plan = planMemory({ nodes: steps, kept: graph.kept });
    yield;
    const prepared = { ...before, steps, plan, lowered: yield* lowerSliced(graph, this.#kernels, steps) };
    this.#prepared.set(graph, prepared);
    return prepared;
  }

  /** Lets go of what {@link prepare} made. */
  forget(graph: Graph): void {
    this.#prepared.delete(graph);
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.jobs.settle();
    await this.executor.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  check(): void {
    check(!this.#disposed, "cpu", () => "the backend was disposed: open another one");
  }

  /** Gives something back behind what is already queued, so that a run in flight keeps its memory; with the executor gone, there is nothing left to give. */
  release(job: () => void): void {
    if (!this.#disposed) void this.jobs.run(job);
  }
}

function formBytes({ forms }: Lowered): number {
  return forms.reduce((sum, { form }) => sum + form.bytes, 0);
}

interface Prepared {
  /** The graph's nodes when it was prepared. */
  readonly nodes: readonly Node[];
  readonly kept: number;
  readonly limits: number;
  readonly steps: readonly Step[];
  readonly plan: MemoryPlan;
  readonly lowered: Lowered;
}

/** Whether a graph has still the nodes, the kept tensors and the limits that it had. */
function isUnchanged({ nodes, kept, limits }: Graph, before: Prepared): boolean {
  return (
    kept.size === before.kept &&
    limits.size === before.limits &&
    nodes.length === before.nodes.length &&
    nodes.every((node, i) => node === before.nodes[i])
  );
}

class CpuBuffer implements DeviceBuffer {
  readonly name: string;
  readonly type: TensorType;
  readonly #backend: CpuBackend;
  readonly #bytes: BufferBytes;
  #disposed = false;

  constructor(backend: CpuBackend, type: TensorType, name: string, bytes: BufferBytes) {
    this.#backend = backend;
    this.type = type;
    this.name = name;
    this.#bytes = bytes;
  }

  /** @throws CriaError when the buffer was disposed: its memory may be another's. */
  get bytes(): BufferBytes {
    this.#backend.check();
    return this.#disposed ? fail("cpu", `buffer "${this.name}" was disposed: allocate another one`) : this.#bytes;
  }

  async write(values: ArrayLike<number>, at = 0): Promise<void> {
    this.#checkRange(at, values.length);
    return this.#backend.jobs.run(() => {
      const array = hostArray(this.type, values);
      return this.bytes.write(array, at * array.BYTES_PER_ELEMENT);
    });
  }

  async read(at = 0, length = hostLength(this.type) - at): Promise<HostArray> {
    this.#checkRange(at, length);
    return this.#backend.jobs.run(async () => {
      const values = hostArray(this.type, length);
      await this.bytes.read(values, at * values.BYTES_PER_ELEMENT);
      return values;
    });
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#backend.disposals++;
    this.#backend.release(() => this.#bytes.dispose());
  }

  #checkRange(at: number, length: number): void {
    void this.bytes;
    checkRange(this, at, length, hostLength(this.type));
  }
}

/** What a program is made of. */
interface ProgramParts {
  readonly graph: Graph;
  readonly buffers: readonly CpuBuffer[];
  readonly held: HeldBytes;
  readonly plan: MemoryPlan;
  /** The address of activations and shared scratch. */
  readonly arena: number;
  /** The executor's number for it. */
  readonly id: number;
}

class CpuProgram implements Program {
  readonly plan: MemoryPlan;
  readonly #backend: CpuBackend;
  readonly #graph: Graph;
  readonly #buffers: readonly CpuBuffer[];
  readonly #held: HeldBytes;
  readonly #arena: number;
  readonly #id: number;
  #ran = false;
  /** How many buffers had been disposed of when this program's were last seen to be there. */
  #seenDisposals = -1;
  #disposed = false;

  private constructor(backend: CpuBackend, { graph, buffers, held, plan, arena, id }: ProgramParts) {
    this.#backend = backend;
    this.#graph = graph;
    this.#buffers = buffers;
    this.#held = held;
    this.plan = plan;
    this.#arena = arena;
    this.#id = id;
  }

  /** Arena and shared scratch are one allocation. */
  static async compile(backend: CpuBackend, graph: Graph, bindings: ReadonlyMap<Tensor, CpuBuffer>): Promise<CpuProgram> {
    const { executor } = backend;
    const { steps, plan, lowered } = await inSlices(backend.prepareSliced(graph));
    backend.forget(graph);
    const bytes = new Map([...bindings].map(([tensor, buffer]) => [tensor, buffer.bytes]));
    const held = await backend.jobs.run(() => HeldBytes.hold(lowered, bytes, backend.changes));
    let arena: number | undefined;
    try {
      const start = executor.allocate(Math.max(64, plan.arenaBytes + lowered.scratchBytes));
      arena = start;
      const phases = bind(lowered, {
        address: (tensor) => held.address(tensor) ?? start + plan.offsets.get(tensor)!,
        once: (weight, form) => held.once(weight, form),
        scratchAddress: start + plan.arenaBytes,
      });
      await eventsHandled();
      backend.trace("graph", () => printGraph(graph));
      backend.trace("plan", () => printPlan({ nodes: steps }, plan));
      backend.trace("ir", () => lowered.kernels.map(printKernel).join("\n\n"));
      const { listing } = executor;
      if (listing) backend.trace("x64", () => lowered.kernels.map(listing).join("\n\n"));
      const id = await executor.load(lowered.kernels, phases);
      return new CpuProgram(backend, { graph, buffers: [...bindings.values()], held, plan, arena: start, id });
    } catch (error) {
      const taken = arena;
      backend.release(() => {
        held.letGo();
        if (taken !== undefined) executor.free(taken);
      });
      throw error;
    }
  }

  async run(): Promise<void> {
    this.#checkRun();
    return this.#backend.jobs.run(() => this.#replay());
  }

  async pass(writes: readonly PassWrite[], reads: readonly PassRead[]): Promise<HostArray[]> {
    this.#checkRun();
    for (const { buffer, values } of writes) checkRange(buffer, 0, values.length, hostLength(buffer.type));
    for (const read of reads) this.#checkRead(read);
    return this.#backend.jobs.run(async () => {
      for (const { buffer, values } of writes) {
        const written = (buffer as CpuBuffer).bytes.write(hostArray(buffer.type, values), 0);
        if (written) await written;
      }
      await this.#replay();
      return reads.map((read) => this.#copy(read));
    });
  }

  async read(tensor: Tensor, at = 0, length = hostLength(tensor) - at): Promise<HostArray> {
    this.#check();
    this.#checkRead({ tensor, at, length });
    return this.#backend.jobs.run(() => this.#copy({ tensor, at, length }));
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#backend.release(() => {
      this.#backend.executor.unload(this.#id);
      this.#backend.executor.free(this.#arena);
      this.#held.letGo();
    });
  }

  async #replay(): Promise<void> {
    const refreshed = this.#held.refresh();
    if (refreshed) await refreshed;
    try {
      await this.#backend.executor.run(this.#id);
    } finally {
      this.#held.changed();
    }
  }

  #copy({ tensor, at, length }: PassRead): HostArray {
    const values = hostArray(tensor, length);
    this.#backend.executor.read(this.#arena + this.plan.offsets.get(tensor)! + at * values.BYTES_PER_ELEMENT, values);
    return values;
  }

  #checkRun(): void {
    this.#check();
    // Buffers are many and seldom disposed of.
    if (this.#seenDisposals !== this.#backend.disposals) for (const buffer of this.#buffers) void buffer.bytes; // throws for one that was disposed
    this.#seenDisposals = this.#backend.disposals;
    this.#ran = true;
  }

  #checkRead({ tensor, at, length }: PassRead): void {
    checkRange(tensor, at, length, hostLength(tensor));
    if (!this.#ran || !this.#graph.kept.has(tensor)) fail("cpu", `"${tensor.name}" cannot be read: keep it in the graph, and run first`);
  }

  #check(): void {
    this.#backend.check();
    check(!this.#disposed, "cpu", () => "the program was disposed: compile another one");
  }
}

/** Values as the backend's memory holds them: the given ones, converted where they are not, or zeros. */
function hostArray({ dtype }: TensorType, values: ArrayLike<number> | number): HostArray {
  const HostArray = dtype === "f32" ? Float32Array : dtype === "i32" ? Int32Array : Uint8Array;
  if (typeof values === "number") return new HostArray(values);
  return values instanceof HostArray ? values : HostArray.from(values);
}

/** How many numbers, or bytes, a buffer has for the host. */
function hostLength(type: TensorType): number {
  return tensorBytes(type) / hostArray(type, 0).BYTES_PER_ELEMENT;
}

function ignore(): void {}
