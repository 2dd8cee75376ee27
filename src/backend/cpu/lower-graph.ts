// A graph → kernels and the phases that call them. What an op becomes is in lowerings.ts, one row per op.
import { check, fail, type Sliced, wholly } from "../../base/index.ts";
import { type Attributes, alignment, type Graph, type Node, type Tensor, tensorBytes } from "../../graph/index.ts";
import type { Kernel, KernelDefinition, Target } from "../../kernel/index.ts";
import type { Call } from "./executor.ts";
import type { Kernels } from "./kernels.ts";
import { attendStep, linearStep } from "./lower-steps.ts";
import { lowerings } from "./lowerings.ts";
import { type Step, type StepGraph, stepsOf } from "./steps.ts";

/** Kernels and the phases that call them, by index. */
export interface Calls {
  readonly kernels: readonly Kernel[];
  readonly phases: readonly (readonly Call[])[];
}

/** A graph as calls whose arguments are addresses of a space of their own: {@link bind} says where in a process each thing lies. */
export interface Lowered extends Calls {
  readonly space: Space;
  /** Bytes that all threads share and that hold nothing from one node to the next. */
  readonly scratchBytes: number;
  /** What is made of weights once. */
  readonly forms: readonly FormOf[];
  /** States that a run writes. */
  readonly updated: ReadonlySet<Tensor>;
}

/** What a lowering may do: name memory, and emit calls. */
export interface Lowering {
  readonly target: Target;
  address(tensor: Tensor): number;
  /** Where the graph limits tensors of `rows` rows, the address of the number of live ones, for kernels that have `live` among their constants. */
  liveRows(rows: number): number | undefined;
  /** Shared scratch for this node. */
  scratch(bytes: number): number;
  /** Scratch that is taken by `emit` is free again behind it. */
  scope(emit: () => void): void;
  /** Memory that is filled once from a weight, before the first run after the weight was written, and shared by all programs. @returns its address */
  once(weight: Tensor, form: WeightForm): number;
  /** A call in a phase of its own, after everything before it. */
  call<C extends object>(definition: KernelDefinition<C>, constants: C, args: readonly number[]): void;
  /** Calls emitted by `emit` share one phase: they must not depend on each other. */
  together(emit: () => void): void;
}

/** What is made of a weight once. */
export interface WeightForm {
  /** The same name always stands for the same bytes. */
  readonly name: string;
  readonly bytes: number;
  /** Emits the calls that make it of the weight as it was written. */
  pack(calls: Pick<Lowering, "call">, plain: number, packed: number): void;
  /** Emits the inverse; forms that have lost bits have none. */
  unpack?(calls: Pick<Lowering, "call">, packed: number, plain: number): void;
}

/** A form of a weight that a graph reads. */
export interface FormOf {
  readonly weight: Tensor;
  readonly form: WeightForm;
}

/** Where the things lie that a lowered graph names. */
export interface Place {
  address(tensor: Tensor): number;
  /** The address of what is made of a weight once. */
  once(weight: Tensor, form: WeightForm): number;
  readonly scratchAddress: number;
}

/** Needs no addresses, so that a graph is lowered once, whether its memory is counted first or not. */
export function lowerGraph(
  graph: StepGraph & Pick<Graph, "limits">,
  kernels: Kernels,
  steps: readonly Step[] = stepsOf(graph, kernels.target),
): Lowered {
  return wholly(lowerSliced(graph, kernels, steps));
}

/** {@link lowerGraph} in slices, a step each. */
export function* lowerSliced(graph: StepGraph & Pick<Graph, "limits">, kernels: Kernels, steps: readonly Step[]): Sliced<Lowered> {
  const [calls, space] = [new CallList(kernels), new Space()];
  const updated = new Set<Tensor>();
  let scratchBytes = 0;
  for (const { op, inputs } of graph.nodes) for (const i of op.updates ?? []) updated.add(inputs[i]!);
  for (const step of steps) {
    const emitter = new NodeEmitter(calls, space, graph.limits);
    lowerStep(step, emitter);
    scratchBytes = Math.max(scratchBytes, emitter.scratchBytes);
    yield;
  }
  return { ...calls.finish(), space, scratchBytes, forms: space.forms, updated };
}

/** The phases with the process's own addresses. */
export function bind({ phases, space }: Lowered, place: Place): Call[][] {
  const move = space.mover(place);
  return phases.map((calls) => calls.map(({ kernel, args }) => ({ kernel, args: args.map(move) })));
}

/** A row as it is called with a node of which only the op's name is known; the table holds every row against its op's signature. */
type AnyRow = (to: Lowering, inputs: object, outputs: object, sizes: object, attributes: Attributes) => void;

function lowerStep(step: Step, emitter: Lowering): void {
  if ("linear" in step) linearStep(emitter, step.linear, step.outputs);
  else if ("beside" in step)
    emitter.together(() => {
      for (const node of step.beside) lowerNode(node, emitter);
    });
  else if ("attend" in step)
    attendStep(emitter, step.attend, emitter.address(step.attend.attend.outputs[0] ?? fail("cpu", "attention makes nothing")));
  else lowerNode(step.node, emitter);
}

function lowerNode({ op, inputs, outputs, attributes }: Node, emitter: Lowering): void {
  const rows: Readonly<Record<string, AnyRow | undefined>> = lowerings as Readonly<Record<string, unknown>> as Record<string, AnyRow>;
  const row = rows[op.name] ?? fail("cpu", `op "${op.name}" has no lowering: add a row to lowerings.ts`);
  const byName = op.byName(inputs, outputs, attributes);
  row(emitter, byName.inputs, byName.outputs, op.sizes(inputs, attributes), attributes);
}

/** Calls as they are emitted, with the kernels that they need. */
export class CallList {
  readonly kernels: Kernels;
  readonly #indices = new Map<Kernel, number>();
  readonly #phases: Call[][] = [];
  #open: Call[] | undefined;

  constructor(kernels: Kernels) {
    this.kernels = kernels;
  }

  call<C extends object>(definition: KernelDefinition<C>, constants: C, args: readonly number[]): void {
    const kernel = this.kernels.get(definition, constants);
    if (args.length !== kernel.params.length - 3)
      fail("cpu", `${kernel.name} takes ${kernel.params.length - 3} addresses, its lowering gives ${args.length}`);
    const index = this.#indices.get(kernel) ?? this.#indices.size;
    this.#indices.set(kernel, index);
    if (this.#open) this.#open.push({ kernel: index, args });
    else this.#phases.push([{ kernel: index, args }]);
  }

  together(emit: () => void): void {
    this.#open = [];
    emit();
    this.#phases.push(this.#open);
    this.#open = undefined;
  }

  finish(): Calls {
    return { kernels: [...this.#indices.keys()], phases: this.#phases };
  }
}

class NodeEmitter implements Lowering {
  /** The most scratch that was taken at one time. */
  scratchBytes = 0;
  #scratchTaken = 0;
  readonly #calls: CallList;
  readonly #space: Space;
  readonly #limits: Graph["limits"];

  constructor(calls: CallList, space: Space, limits: Graph["limits"]) {
    this.#calls = calls;
    this.#space = space;
    this.#limits = limits;
  }

  get target(): Target {
    return this.#calls.kernels.target;
  }

  address(tensor: Tensor): number {
    return this.#space.place(tensor, tensorBytes(tensor), (place) => place.address(tensor));
  }

  liveRows(rows: number): number | undefined {
    const count = this.#limits.get(rows);
    return count && this.address(count);
  }

  once(weight: Tensor, form: WeightForm): number {
    return this.#space.placeForm(weight, form);
  }

  scratch(bytes: number): number {
    const offset = this.#scratchTaken;
    this.#scratchTaken += Math.ceil(bytes / alignment) * alignment;
    this.scratchBytes = Math.max(this.scratchBytes, this.#scratchTaken);
    return scratchStart + offset;
  }

  scope(emit: () => void): void {
    const taken = this.#scratchTaken;
    emit();
    this.#scratchTaken = taken;
  }

  call<C extends object>(definition: KernelDefinition<C>, constants: C, args: readonly number[]): void {
    this.#calls.call(definition, constants, args);
  }

  together(emit: () => void): void {
    this.#calls.together(emit);
  }
}

/** Scratch begins here, behind everything else: how much of it is needed is known at last. */
const scratchStart = 2 ** 52;
/** A range is a whole number of spans, so that a division tells which one an address lies in. */
const spanBytes = 2 ** 32;

/** Addresses of a lowering: everything that it names has a range of them, one behind the other, and what lies in a range moves with it. */
export class Space {
  /** Which range each span belongs to. */
  readonly #ranges: number[] = [];
  /** Where each range begins. */
  readonly #starts: number[] = [];
  readonly #findings: ((place: Place) => number)[] = [];
  readonly #known = new Map<Tensor | string, number>();
  readonly #forms: FormOf[] = [];

  get forms(): readonly FormOf[] {
    return this.#forms;
  }

  /** Whether something is read or written where the tensor itself lies. */
  names(tensor: Tensor): boolean {
    return this.#known.has(tensor);
  }

  /** @param find tells where the thing lies in a process. @returns its first address here, the same for the same thing. */
  place(thing: Tensor | string, bytes: number, find: (place: Place) => number): number {
    const known = this.#known.get(thing);
    if (known !== undefined) return known;
    const start = this.#ranges.length * spanBytes;
    check(start + bytes < scratchStart, "cpu", () => `a graph names ${this.#starts.length} buffers, more than can be told apart: split it`);
    const range = this.#starts.push(start) - 1;
    this.#findings.push(find);
    for (let spans = 0; spans * spanBytes <= bytes; spans++) this.#ranges.push(range);
    this.#known.set(thing, start);
    return start;
  }

  placeForm(weight: Tensor, form: WeightForm): number {
    const key = `${weight.id} ${form.name}`;
    if (!this.#known.has(key)) this.#forms.push({ weight, form });
    return this.place(key, form.bytes, (place) => place.once(weight, form));
  }

  /** Gives the function that turns an address of this space into one of the process. */
  mover(place: Place): (address: number) => number {
    const ranges = this.#ranges;
    const shifts = this.#findings.map((find, range) => find(place) - this.#starts[range]!);
    const { scratchAddress } = place;
    return (address) =>
      address >= scratchStart ? address - scratchStart + scratchAddress : address + shifts[ranges[Math.floor(address / spanBytes)]!]!;
  }
}
