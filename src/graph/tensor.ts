// A graph is a list of nodes in the order they run; a tensor is what one of them makes, or what comes from outside.
import { bytesOf, check, type DType, fail, isStateDType, type Precision, type Rounding, type Shape, sizeOf } from "../base/index.ts";
import type { Attributes, Op } from "./op.ts";

/** Layout of elements and shape; the last size is contiguous. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/**
 * Who owns a tensor's memory: an `activation` lives inside one run and shares the planner's arena;
 * a `state` (trained parameters, moments, caches) and an `input` (tokens, positions, hyper-parameters) are buffers bound when the graph is compiled,
 * and so is a `weight`, which no program changes: it may have any layout of elements, lie in a file, and be packed once for all programs.
 */
export type Role = "activation" | "state" | "input" | "weight";

/** What a node makes, or what comes from outside; ids count from 0 in each graph. */
export interface Tensor extends TensorType {
  readonly id: number;
  readonly name: string;
  readonly role: Role;
  readonly graph: Graph;
}

/** One op with what it reads and makes. */
export interface Node {
  readonly id: number;
  readonly op: Op<Attributes>;
  readonly attributes: Attributes;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/** The type of a float32 tensor of these sizes. */
export function f32(...shape: number[]): TensorType {
  return { dtype: "f32", shape };
}

/** The type of an int32 tensor of these sizes. */
export function i32(...shape: number[]): TensorType {
  return { dtype: "i32", shape };
}

/** Bytes and shapes are static: what varies from run to run is read from small input tensors. */
export class Graph {
  readonly tensors: Tensor[] = [];
  readonly nodes: Node[] = [];
  /** Activations that outlive the run, to be read by name of tensor afterwards. */
  readonly kept = new Set<Tensor>();
  readonly #limits = new Map<number, Tensor>();
  /** The precision of matrix products that are added from now on. */
  readonly precision: Precision;
  /** What the rows of linear layers are rounded to whose matrix is a quantised weight. */
  readonly quantised: Rounding;
  #nextNode = 0;

  /** @param quantised "int8" multiplies bytes, which is several times as fast; a gradient through it is that of the exact product */
  constructor(precision: Precision = "float32", quantised: Rounding = precision) {
    this.precision = precision;
    this.quantised = quantised;
  }

  /** A buffer that outlives runs and may be updated in place. */
  state(name: string, type: TensorType): Tensor {
    return this.#tensor(name, type, "state");
  }

  /** A buffer that programs read and never change, of any layout but i32. */
  weight(name: string, type: TensorType): Tensor {
    check(type.dtype !== "i32", "graph", () => `weight "${name}" is i32: weights are floats or quantised`);
    return this.#tensor(name, type, "weight");
  }

  /** A buffer written from outside before a run. */
  input(name: string, type: TensorType): Tensor {
    return this.#tensor(name, type, "input");
  }

  /** Appends one op. @throws CriaError when the op's shape rule does not hold or it updates what is not a state. */
  apply<A extends Attributes>(op: Op<A>, inputs: readonly Tensor[], attributes: A): Tensor[] {
    for (const { graph, name } of inputs) if (graph !== this) fail(op.name, `input "${name}" belongs to another graph`);
    for (const i of op.updates ?? [])
      check(inputs[i]?.role === "state", op.name, () => `input ${i}, "${inputs[i]?.name}", is updated in place: it must be a state`);
    const id = this.#nextNode++;
    const outputs = op.shape(inputs, attributes).map((type, i) => this.#output(op.name, id, i, type));
    this.nodes.push({ id, op: op as Op<Attributes>, attributes, inputs, outputs });
    return outputs;
  }

  /** Puts a node with other attributes in the place of `node`: what it made stays what it was, by the outputs' names, and further outputs may join. */
  remake(node: Node, attributes: Attributes): Node {
    const at = this.nodes.indexOf(node);
    check(at >= 0, "graph", () => `${node.op.name} ${node.id} is no node of this graph`);
    const made = new Map(node.op.outputNames(node.attributes).map((name, i) => [name, node.outputs[i]]));
    const names = node.op.outputNames(attributes);
    const types = node.op.shape(node.inputs, attributes);
    const outputs = types.map((type, i) => made.get(names[i] ?? "") ?? this.#output(node.op.name, node.id, i, type));
    const remade = { ...node, attributes, outputs };
    this.nodes[at] = remade;
    return remade;
  }

  /** Keeps an activation readable after the run. */
  keep(tensor: Tensor): Tensor {
    this.kept.add(tensor);
    return tensor;
  }

  /**
   * Says that of activations with `rows` rows only the first count[0] mean anything in a run; count is an input i32 [1]. Backends need not compute the
   * others: these then hold anything, in outputs too. Ops are told by their numbers of rows alone, so all tensors that have `rows` rows are rows of the run.
   * Rows beyond the count of inputs still hold valid values, such as a token of the vocabulary. Such a graph has no gradients, which sum over rows.
   */
  limitRows(rows: number, count: Tensor): void {
    const isCount = count.graph === this && count.role === "input" && count.dtype === "i32" && sizeOf(count.shape) === 1;
    check(isCount, "graph", () => `"${count.name}" limits ${rows} rows: it must be an input i32 [1] of the same graph`);
    const known = this.#limits.get(rows);
    check(known === undefined, "graph", () => `${rows} rows are limited by "${count.name}", but "${known?.name}" limits them already`);
    this.#limits.set(rows, count);
  }

  /** Where rows are limited, the counts of live rows by the numbers of rows. */
  get limits(): ReadonlyMap<number, Tensor> {
    return this.#limits;
  }

  #output(op: string, node: number, i: number, type: TensorType): Tensor {
    return this.#tensor(`${op}${node}${i > 0 ? `.${i}` : ""}`, type, "activation");
  }

  #tensor(name: string, type: TensorType, role: Role): Tensor {
    check(
      type.shape.every((size) => Number.isSafeInteger(size) && size > 0) && Number.isSafeInteger(sizeOf(type.shape)),
      "graph",
      () => `tensor "${name}" has shape [${type.shape.join(", ")}]: every size must be a positive integer`,
    );
    const isPlain = type.dtype === "f32" || type.dtype === "i32";
    check(
      isPlain || role === "weight" || (role === "state" && isStateDType(type.dtype)),
      "graph",
      () => `${role} "${name}" is ${type.dtype}: weights may be; activations and inputs are f32 or i32, and states these, f16 or q8_0`,
    );
    bytesOf(type.dtype, type.shape); // throws where rows are not whole blocks
    const tensor: Tensor = { id: this.tensors.length, name, role, graph: this, dtype: type.dtype, shape: type.shape };
    this.tensors.push(tensor);
    return tensor;
  }
}
