// Where each activation lives: first fit by decreasing size over lifetimes, in one arena, so that memory is reused as soon as its last
// reader ran (Pisarchyk & Lee 2020, arXiv 2001.03288, "greedy by size for offset calculation").
import { bytesOf, check } from "../base/index.ts";
import type { Attributes, Op } from "./op.ts";
import type { Graph, Node, Tensor, TensorType } from "./tensor.ts";

/** Where the activations of a graph lie in one arena, which they share by their lifetimes. */
export interface MemoryPlan {
  /** Byte offset in the arena of every activation; multiples of {@link alignment}. */
  readonly offsets: ReadonlyMap<Tensor, number>;
  readonly lifetimes: ReadonlyMap<Tensor, Lifetime>;
  /** Bytes the arena needs. */
  readonly arenaBytes: number;
  /** Bytes if nothing were reused: what the plan is held against. */
  readonly sumBytes: number;
  /** The same two for the activations and their gradients alone, without the gradients of parameters. */
  readonly activations: { readonly arenaBytes: number; readonly sumBytes: number };
}

/** Indices of nodes: the one that writes the tensor and the last that reads it; the number of nodes for what is kept. */
export interface Lifetime {
  readonly start: number;
  readonly end: number;
}

/** A cache line, and the widest vector. */
export const alignment = 64;

/** A node as the plan sees it, or several nodes that are computed together: what they read of others, and what others read of them. */
export interface PlannedNode extends Pick<Node, "inputs" | "outputs"> {
  readonly op: Pick<Op<Attributes>, "name" | "mayAlias" | "updates" | "sums" | "measures">;
}

/** What a plan is of. */
type PlannedGraph = Pick<Graph, "kept"> & { readonly nodes: readonly PlannedNode[] };

/**
 * Plans the activations of a graph; states, inputs and weights have buffers of their own.
 * @throws CriaError when an op reads what no earlier one made.
 */
export function planMemory(graph: PlannedGraph): MemoryPlan {
  const lifetimes = lifetimesOf(graph);
  const blocks = blocksOf(graph, lifetimes);
  const { offsets, arenaBytes } = place(blocks);
  let activations: MemoryPlan["activations"] | undefined;
  return {
    offsets,
    lifetimes,
    arenaBytes,
    sumBytes: sumOf(lifetimes.keys()),
    // Asked for by reports only, and as much work as the plan itself.
    get activations() {
      activations ??= planActivations(graph, blocks);
      return activations;
    },
  };
}

function planActivations(graph: PlannedGraph, blocks: readonly Block[]): MemoryPlan["activations"] {
  const parameterGradients = parameterGradientsOf(graph);
  const activations = blocks.filter((block) => !block.tensors.some((tensor) => parameterGradients.has(tensor)));
  return { arenaBytes: place(activations).arenaBytes, sumBytes: sumOf(activations.flatMap((block) => block.tensors)) };
}

/** Bytes of a tensor's elements, without padding. @throws CriaError when its rows are not whole blocks of its layout. */
export function tensorBytes(type: TensorType): number {
  return bytesOf(type.dtype, type.shape);
}

function lifetimesOf(graph: PlannedGraph): Map<Tensor, Lifetime> {
  const lifetimes = new Map<Tensor, { start: number; end: number }>();
  graph.nodes.forEach((node, i) => {
    for (const input of node.inputs) {
      if (input.role !== "activation") continue;
      const lifetime = lifetimes.get(input);
      check(lifetime !== undefined, "graph", () => `${node.op.name} reads "${input.name}" before it is made: the order of nodes is wrong`);
      lifetime.end = i;
    }
    for (const output of node.outputs) lifetimes.set(output, { start: i, end: i });
  });
  for (const tensor of graph.kept) {
    const lifetime = lifetimes.get(tensor);
    if (lifetime) lifetime.end = graph.nodes.length;
  }
  return lifetimes;
}

/** Tensors that share one place: a chain in which each is written over the one before. */
interface Block extends Lifetime {
  readonly tensors: Tensor[];
  readonly bytes: number;
}

function blocksOf(graph: PlannedGraph, lifetimes: ReadonlyMap<Tensor, Lifetime>): Block[] {
  const blockOf = new Map<Tensor, Block>();
  graph.nodes.forEach((node, i) => {
    const overwritten = new Set<Tensor>();
    node.outputs.forEach((output, index) => {
      const input = overwritable(graph, node, index).find((input) => lifetimes.get(input)?.end === i && !overwritten.has(input));
      if (input) overwritten.add(input);
      const tensors = input ? [...blockOf.get(input)!.tensors, output] : [output];
      const block = { tensors, bytes: padded(output), start: lifetimes.get(tensors[0]!)!.start, end: lifetimes.get(output)!.end };
      for (const tensor of tensors) blockOf.set(tensor, block);
    });
  });
  return [...new Set(blockOf.values())];
}

const nothing: readonly Tensor[] = [];

/** Inputs that the op allows this output to be written over wherever it reads them; what is kept stays. */
function overwritable(graph: PlannedGraph, { op, inputs, outputs }: PlannedNode, output: number): readonly Tensor[] {
  if (op.mayAlias === undefined) return nothing;
  const allowed = new Set(op.mayAlias.filter(([to]) => to === output).map(([, from]) => from));
  return inputs.filter(
    (input) =>
      inputs.every((other, i) => other !== input || allowed.has(i)) &&
      input.role === "activation" &&
      !graph.kept.has(input) &&
      tensorBytes(input) === tensorBytes(outputs[output]!),
  );
}

function place(blocks: readonly Block[]): { offsets: Map<Tensor, number>; arenaBytes: number } {
  const placed = new Placed(blocks.length);
  const offsets = new Map<Tensor, number>();
  let arenaBytes = 0;
  for (const block of blocks.toSorted((a, b) => b.bytes - a.bytes || a.start - b.start)) {
    const offset = placed.add(block);
    for (const tensor of block.tensors) offsets.set(tensor, offset);
    arenaBytes = Math.max(arenaBytes, offset + block.bytes);
  }
  return { offsets, arenaBytes };
}

/** The blocks that have an offset. Flat arrays, because every further block is held against most of them. */
class Placed {
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  readonly #offsets: Float64Array;
  /** Where each block's bytes end. */
  readonly #limits: Float64Array;
  /** Numbers of blocks by rising offset. */
  readonly #order: Int32Array;
  #count = 0;

  constructor(capacity: number) {
    this.#starts = new Int32Array(capacity);
    this.#ends = new Int32Array(capacity);
    this.#offsets = new Float64Array(capacity);
    this.#limits = new Float64Array(capacity);
    this.#order = new Int32Array(capacity);
  }

  /** @returns the lowest offset at which the block fits between those that are alive at the same time. */
  add({ start, end, bytes }: Block): number {
    const offset = this.#firstGap(start, end, bytes);
    const at = this.#firstBehind(offset);
    this.#order.copyWithin(at + 1, at, this.#count);
    this.#order[at] = this.#count;
    this.#starts[this.#count] = start;
    this.#ends[this.#count] = end;
    this.#offsets[this.#count] = offset;
    this.#limits[this.#count] = offset + bytes;
    this.#count++;
    return offset;
  }

  #firstGap(start: number, end: number, bytes: number): number {
    const [starts, ends, offsets, limits, order, count] = [this.#starts, this.#ends, this.#offsets, this.#limits, this.#order, this.#count];
    let gap = 0;
    for (let i = 0; i < count; i++) {
      const other = order[i]!;
      if (starts[other]! > end || start > ends[other]!) continue;
      if (offsets[other]! - gap >= bytes) break;
      if (limits[other]! > gap) gap = limits[other]!;
    }
    return gap;
  }

  /** How many lie at offsets up to this one. */
  #firstBehind(offset: number): number {
    let [low, high] = [0, this.#count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#offsets[this.#order[middle]!]! <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** What only optimiser steps, accumulators and the gradient norm read, directly or summed: one per parameter, alive until the step. */
function parameterGradientsOf(graph: PlannedGraph): Set<Tensor> {
  const readers = new Map<Tensor, PlannedNode[]>();
  for (const node of graph.nodes)
    for (const input of node.inputs) {
      const known = readers.get(input);
      if (known) known.push(node);
      else readers.set(input, [node]);
    }
  const found = new Set<Tensor>();
  const consumes = ({ op, outputs }: PlannedNode) =>
    op.updates !== undefined || op.measures || (op.sums && outputs.every((output) => found.has(output)));
  for (const node of graph.nodes.toReversed())
    for (const output of node.outputs) if (readers.has(output) && readers.get(output)!.every(consumes)) found.add(output);
  return found;
}

function padded(type: TensorType): number {
  return Math.ceil(tensorBytes(type) / alignment) * alignment;
}

function sumOf(tensors: Iterable<Tensor>): number {
  let sum = 0;
  for (const tensor of tensors) sum += tensorBytes(tensor);
  return sum;
}
