// A graph → kernels and the phases that call them. What an op becomes is in lowerings.ts, one row an op.
import { fail } from "../../base/index.ts";
import { type Attributes, alignment, type Graph, type Node, type Tensor } from "../../graph/index.ts";
import { type Kernel, type KernelDefinition, specialise, type Target } from "../../kernel/index.ts";
import type { Call } from "./executor.ts";
import { lowerings } from "./lowerings.ts";

export interface Calls {
  readonly kernels: readonly Kernel[];
  readonly phases: readonly (readonly Call[])[];
}

export interface Lowered extends Calls {
  /** Bytes that all threads share and that hold nothing from one node to the next. */
  readonly scratchBytes: number;
}

/** What a lowering may do: name memory, and emit calls. */
export interface Lowering {
  readonly target: Target;
  address(tensor: Tensor): number;
  /** Where the graph limits tensors of `rows` rows, the address of the number of live ones, for kernels that have `live` among their constants. */
  liveRows(rows: number): number | undefined;
  /** Shared scratch for this node. */
  scratch(bytes: number): number;
  /** Constants that are computed once and stay: the address of what `make` gives, by key. */
  table(key: string, make: () => Float32Array): number;
  /**
   * Memory that is filled once from a weight, before the first run after the weight was written, and shared by all programs.
   * @param form what is made of the weight: the same name always stands for the same bytes
   * @param emit emits the calls that fill it
   * @returns its address
   */
  once(weight: Tensor, form: string, bytes: number, emit: (pack: Packer, packed: number) => void): number;
  /** A call in a phase of its own, after everything before it. */
  call<C extends object>(definition: KernelDefinition<C>, constants: C, args: readonly number[]): void;
  /** Calls emitted by `emit` share one phase: they must not depend on each other. */
  together(emit: () => void): void;
}

/** What packing a weight may do. */
export type Packer = Pick<Lowering, "address" | "call">;

/** Kernels already specialised on this target, by name and constants: a model of many layers has few shapes. */
export type KernelCache = Map<string, Kernel>;

/** What lowering needs to know of the place that the graph will run in. */
export interface Place {
  readonly target: Target;
  readonly cache: KernelCache;
  address(tensor: Tensor): number;
  table(key: string, make: () => Float32Array): number;
  /** The address of what is made of a weight once; `lowerPacking` gives the calls that make it at an address. */
  once(weight: Tensor, form: string, bytes: number, lowerPacking: (packed: number) => Calls): number;
  /** Where shared scratch lies; any number to learn how much is needed. */
  readonly scratchAddress: number;
}

export function lower(graph: Graph, place: Place): Lowered {
  const kernels = new Map<Kernel, number>();
  const phases: Call[][] = [];
  let scratchBytes = 0;
  for (const node of graph.nodes) {
    const emitter = new NodeEmitter(place, kernels, phases, graph.limits);
    lowerNode(node, emitter);
    scratchBytes = Math.max(scratchBytes, emitter.scratchBytes);
  }
  return { kernels: [...kernels.keys()], phases, scratchBytes };
}

/** A row as it is called with a node of which only the op's name is known; the table holds every row against its op's signature. */
type AnyRow = (to: Lowering, inputs: object, outputs: object, sizes: object, attributes: Attributes) => void;

function lowerNode({ op, inputs, outputs, attributes }: Node, emitter: Lowering): void {
  const rows: Readonly<Record<string, AnyRow | undefined>> = lowerings as Readonly<Record<string, unknown>> as Record<string, AnyRow>;
  const row = rows[op.name] ?? fail("cpu", `op "${op.name}" has no lowering: add a row to lowerings.ts`);
  const byName = op.byName(inputs, outputs, attributes);
  row(emitter, byName.inputs, byName.outputs, op.sizes(inputs, attributes), attributes);
}

class NodeEmitter implements Lowering {
  scratchBytes = 0;
  readonly #place: Place;
  readonly #kernels: Map<Kernel, number>;
  readonly #phases: Call[][];
  readonly #limits: Graph["limits"];
  #open: Call[] | undefined;

  constructor(place: Place, kernels: Map<Kernel, number>, phases: Call[][], limits: Graph["limits"] = new Map()) {
    this.#place = place;
    this.#kernels = kernels;
    this.#phases = phases;
    this.#limits = limits;
  }

  get target(): Target {
    return this.#place.target;
  }

  address(tensor: Tensor): number {
    return this.#place.address(tensor);
  }

  liveRows(rows: number): number | undefined {
    const count = this.#limits.get(rows);
    return count && this.address(count);
  }

  table(key: string, make: () => Float32Array): number {
    return this.#place.table(key, make);
  }

  once(weight: Tensor, form: string, bytes: number, emit: (pack: Packer, packed: number) => void): number {
    return this.#place.once(weight, form, bytes, (packed) => {
      const [kernels, phases] = [new Map<Kernel, number>(), [] as Call[][]];
      emit(new NodeEmitter(this.#place, kernels, phases), packed);
      return { kernels: [...kernels.keys()], phases };
    });
  }

  scratch(bytes: number): number {
    const offset = this.scratchBytes;
    this.scratchBytes += Math.ceil(bytes / alignment) * alignment;
    return this.#place.scratchAddress + offset;
  }

  call<C extends object>(definition: KernelDefinition<C>, constants: C, args: readonly number[]): void {
    const kernel = this.#specialise(definition, constants);
    if (args.length !== kernel.params.length - 3)
      fail("cpu", `${kernel.name} takes ${kernel.params.length - 3} addresses, its lowering gives ${args.length}`);
    const index = this.#kernels.get(kernel) ?? this.#kernels.size;
    this.#kernels.set(kernel, index);
    if (this.#open) this.#open.push({ kernel: index, args });
    else this.#phases.push([{ kernel: index, args }]);
  }

  together(emit: () => void): void {
    this.#open = [];
    emit();
    this.#phases.push(this.#open);
    this.#open = undefined;
  }

  #specialise<C extends object>(definition: KernelDefinition<C>, constants: C): Kernel {
    const key = `${definition.name} ${JSON.stringify(constants)}`;
    const { cache, target } = this.#place;
    const kernel = cache.get(key) ?? specialise(definition, constants, target);
    cache.set(key, kernel);
    return kernel;
  }
}
