// The judge: everything in float64, one op after the other by its own formula. For tests; far too slow for anything else.
import { check, fail } from "../../base/index.ts";
import { type Graph, type MemoryPlan, planMemory, type Tensor, type TensorType, type Values } from "../../graph/index.ts";
import {
  type Backend,
  checkBindings,
  checkRange,
  type DeviceBuffer,
  type HostArray,
  JobQueue,
  type MemoryThere,
  type Program,
} from "../index.ts";
import { evaluate, zeros } from "./evaluate.ts";

/** A backend that computes in float64 and rounds to float32 only when values are read. */
export function referenceBackend(): Backend {
  return new ReferenceBackend();
}

class ReferenceBackend implements Backend {
  readonly name = "reference: float64, one op after the other";
  readonly jobs = new JobQueue();
  #disposed = false;

  async allocate(type: TensorType, name: string): Promise<DeviceBuffer> {
    this.check();
    return new ReferenceBuffer(this, type, name);
  }

  /** In float64, nothing of it used twice. */
  workspaceBytes(graph: Graph): number {
    return 2 * planMemory(graph).sumBytes;
  }

  /** It has JavaScript's memory, which nothing here can ask about. */
  memory(): MemoryThere {
    return { bytes: Number.POSITIVE_INFINITY, bound: "nothing that the reference knows of" };
  }

  async compile(graph: Graph, bindings: ReadonlyMap<Tensor, DeviceBuffer>): Promise<Program> {
    this.check();
    checkBindings(graph, bindings);
    return new ReferenceProgram(this, graph, bindings as ReadonlyMap<Tensor, ReferenceBuffer>);
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

class ReferenceBuffer implements DeviceBuffer {
  readonly name: string;
  readonly type: TensorType;
  readonly #backend: ReferenceBackend;
  #values: Values | undefined;

  constructor(backend: ReferenceBackend, type: TensorType, name: string) {
    this.#backend = backend;
    this.type = type;
    this.name = name;
    this.#values = zeros(type);
  }

  get values(): Values {
    this.#backend.check();
    return this.#values ?? fail("reference", `buffer "${this.name}" was disposed: allocate another one`);
  }

  async write(values: ArrayLike<number>, at = 0): Promise<void> {
    checkRange(this, at, values.length, this.values.length);
    return this.#backend.jobs.run(() => this.values.set(values, at));
  }

  async read(at = 0, length = this.values.length - at): Promise<HostArray> {
    checkRange(this, at, length, this.values.length);
    return this.#backend.jobs.run(() => toHost(this.values.subarray(at, at + length)));
  }

  dispose(): void {
    this.#values = undefined;
  }
}

class ReferenceProgram implements Program {
  readonly plan: MemoryPlan;
  readonly #backend: ReferenceBackend;
  readonly #graph: Graph;
  readonly #bindings: ReadonlyMap<Tensor, ReferenceBuffer>;
  #kept = new Map<Tensor, Values>();
  #disposed = false;

  constructor(backend: ReferenceBackend, graph: Graph, bindings: ReadonlyMap<Tensor, ReferenceBuffer>) {
    this.#backend = backend;
    this.#graph = graph;
    this.#bindings = bindings;
    this.plan = planMemory(graph);
  }

  async run(): Promise<void> {
    this.#check();
    return this.#backend.jobs.run(() => {
      const bound = new Map([...this.#bindings].map(([tensor, buffer]) => [tensor, buffer.values] as const));
      const values = evaluate(this.#graph, bound);
      this.#kept = new Map([...this.#graph.kept].map((tensor) => [tensor, values.get(tensor)!]));
    });
  }

  async read(tensor: Tensor): Promise<HostArray> {
    this.#check();
    const unread = () => fail("reference", `"${tensor.name}" cannot be read: keep it in the graph, and run first`);
    return this.#backend.jobs.run(() => toHost(this.#kept.get(tensor) ?? unread()));
  }

  dispose(): void {
    this.#disposed = true;
    this.#kept.clear();
  }

  #check(): void {
    this.#backend.check();
    check(!this.#disposed, "reference", () => "the program was disposed: compile another one");
  }
}

function toHost(values: Values): HostArray {
  return values instanceof Int32Array ? values.slice() : Float32Array.from(values);
}
