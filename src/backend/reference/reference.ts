// The judge: everything in float64, one op after the other by its own formula. For tests; far too slow for anything else.
import { bytesOf, check, dequantise, fail, isStateDType, JobQueue, quantise, sizeOf } from "../../base/index.ts";
import { type Graph, type MemoryPlan, planMemory, type Tensor, type TensorType, type Values } from "../../graph/index.ts";
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
import { evaluate, zeros } from "./evaluate.ts";

/** A backend that computes in float64 and rounds to float32 only when values are read. */
export function referenceBackend(): Backend {
  return new ReferenceBackend();
}

class ReferenceBackend implements Backend {
  readonly name = "reference: float64, one op after the other";
  readonly target = "reference";
  readonly jobs = new JobQueue();
  #disposed = false;

  async allocate(type: TensorType, name: string): Promise<DeviceBuffer> {
    this.check();
    return type.dtype === "f32" || type.dtype === "i32"
      ? new ReferenceBuffer(this, type, name, zeros(type))
      : new ReferenceBlocks(this, type, name);
  }

  /** Counts every activation in float64, because the reference never uses memory again. */
  workspaceBytes(graph: Graph): number {
    return 2 * planMemory(graph).sumBytes;
  }

  sharedBytes(): SharedBytes {
    return { packed: 0, scratch: 0 };
  }

  /** It has JavaScript's memory, which nothing here can ask about. */
  memory(): MemoryThere {
    return { bytes: Number.POSITIVE_INFINITY, bound: "nothing that the reference knows of" };
  }

  async compile(graph: Graph, bindings: ReadonlyMap<Tensor, DeviceBuffer>): Promise<Program> {
    this.check();
    checkBindings(graph, bindings);
    return new ReferenceProgram(this, graph, bindings as ReadonlyMap<Tensor, Held<Values | Uint8Array>>);
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.jobs.settle();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  check(): void {
    check(!this.#disposed, "reference", () => "the backend was disposed: open another one");
  }
}

/** A buffer as an array of whatever its layout is written and read as. */
abstract class Held<T extends Values | Uint8Array> implements DeviceBuffer {
  readonly name: string;
  readonly type: TensorType;
  readonly #backend: ReferenceBackend;
  #content: T | undefined;

  constructor(backend: ReferenceBackend, type: TensorType, name: string, content: T) {
    this.#backend = backend;
    this.type = type;
    this.name = name;
    this.#content = content;
  }

  get content(): T {
    this.#backend.check();
    return this.#content ?? fail("reference", `buffer "${this.name}" was disposed: allocate another one`);
  }

  /** What ops see; what they update in place is the content. */
  abstract get values(): Values;

  /** Called after ops have written {@link values}. */
  updated(): void {}

  async write(values: ArrayLike<number>, at = 0): Promise<void> {
    checkRange(this, at, values.length, this.content.length);
    return this.#backend.jobs.run(() => this.written(values, at));
  }

  async read(at = 0, length = this.content.length - at): Promise<HostArray> {
    checkRange(this, at, length, this.content.length);
    return this.#backend.jobs.run(() => toHost(this.content.subarray(at, at + length)));
  }

  dispose(): void {
    this.#content = undefined;
  }

  /** Writes at once: called by jobs of the queue. */
  written(values: ArrayLike<number>, at: number): void {
    this.content.set(values, at);
  }
}

class ReferenceBuffer extends Held<Values> {
  get values(): Values {
    return this.content;
  }
}

/** Bytes of another layout, dequantised once after they were written; quantised again where ops have written the values of a state. */
class ReferenceBlocks extends Held<Uint8Array> {
  #values: Float64Array | undefined;

  constructor(backend: ReferenceBackend, type: TensorType, name: string) {
    super(backend, type, name, new Uint8Array(bytesOf(type.dtype, type.shape)));
  }

  get values(): Values {
    this.#values ??= dequantise(this.type.dtype, this.content);
    return this.#values;
  }

  override updated(): void {
    const { dtype } = this.type;
    if (this.#values && isStateDType(dtype)) this.content.set(quantise(dtype, this.#values));
  }

  override written(values: ArrayLike<number>, at: number): void {
    super.written(values, at);
    this.#values = undefined;
  }
}

class ReferenceProgram implements Program {
  readonly plan: MemoryPlan;
  readonly #backend: ReferenceBackend;
  readonly #graph: Graph;
  readonly #bindings: ReadonlyMap<Tensor, Held<Values | Uint8Array>>;
  #kept = new Map<Tensor, Values>();
  #disposed = false;

  constructor(backend: ReferenceBackend, graph: Graph, bindings: ReadonlyMap<Tensor, Held<Values | Uint8Array>>) {
    this.#backend = backend;
    this.#graph = graph;
    this.#bindings = bindings;
    this.plan = planMemory(graph);
  }

  async run(): Promise<void> {
    this.#check();
    return this.#backend.jobs.run(() => this.#evaluate());
  }

  async pass(writes: readonly PassWrite[], reads: readonly PassRead[]): Promise<HostArray[]> {
    this.#check();
    for (const buffer of this.#bindings.values()) void buffer.content; // throws for one that was disposed
    for (const { buffer, values } of writes) checkRange(buffer, 0, values.length, (buffer as Held<Values>).content.length);
    for (const { tensor, at, length } of reads) checkRange(tensor, at, length, sizeOf(tensor.shape));
    return this.#backend.jobs.run(() => {
      for (const { buffer, values } of writes) (buffer as Held<Values>).written(values, 0);
      this.#evaluate();
      return reads.map((read) => this.#copy(read));
    });
  }

  async read(tensor: Tensor, at = 0, length = sizeOf(tensor.shape) - at): Promise<HostArray> {
    this.#check();
    checkRange(tensor, at, length, sizeOf(tensor.shape));
    return this.#backend.jobs.run(() => this.#copy({ tensor, at, length }));
  }

  dispose(): void {
    this.#disposed = true;
    this.#kept.clear();
  }

  #evaluate(): void {
    const bound = new Map([...this.#bindings].map(([tensor, buffer]) => [tensor, buffer.values] as const));
    const values = evaluate(this.#graph, bound);
    for (const state of updatedStates(this.#graph)) this.#bindings.get(state)?.updated();
    this.#kept = new Map([...this.#graph.kept].map((tensor) => [tensor, values.get(tensor)!]));
  }

  #copy({ tensor, at, length }: PassRead): HostArray {
    const values = this.#kept.get(tensor) ?? fail("reference", `"${tensor.name}" cannot be read: keep it in the graph, and run first`);
    return toHost(values.subarray(at, at + length));
  }

  #check(): void {
    this.#backend.check();
    check(!this.#disposed, "reference", () => "the program was disposed: compile another one");
  }
}

function updatedStates({ nodes }: Graph): Set<Tensor> {
  return new Set(nodes.flatMap(({ op, inputs }) => (op.updates ?? []).flatMap((i) => inputs[i] ?? [])));
}

function toHost(values: Values | Uint8Array): HostArray {
  return values instanceof Float64Array ? Float32Array.from(values) : values.slice();
}
