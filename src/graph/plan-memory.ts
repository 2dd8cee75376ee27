// Where each activation lives: first fit by decreasing size over lifetimes, in one arena, so that memory is reused as soon as its last
// reader ran (Pisarchyk & Lee 2020, arXiv 2001.03288, "greedy by size for offset calculation").
import { bytesOf, check } from "../base/index.ts";
import type { Graph, Node, Tensor, TensorType } from "./tensor.ts";

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

/** Plans the activations of a graph; states, inputs and weights have buffers of their own. @throws CriaError when an op reads what no earlier one made. */
export function planMemory(graph: Graph): MemoryPlan {
  const lifetimes = lifetimesOf(graph);
  const blocks = blocksOf(graph, lifetimes);
  const { offsets, arenaBytes } = place(blocks);
  const parameterGradients = parameterGradientsOf(graph);
  const activations = blocks.filter((block) => !block.tensors.some((tensor) => parameterGradients.has(tensor)));
  return {
    offsets,
    lifetimes,
    arenaBytes,
    sumBytes: sumOf(lifetimes.keys()),
    activations: { arenaBytes: place(activations).arenaBytes, sumBytes: sumOf(activations.flatMap((block) => block.tensors)) },
  };
}

/** Bytes of a tensor's elements, without padding. @throws CriaError when its rows are not whole blocks of its layout. */
export function tensorBytes(type: TensorType): number {
  return bytesOf(type.dtype, type.shape);
}

function lifetimesOf(graph: Graph): Map<Tensor, Lifetime> {
  const lifetimes = new Map<Tensor, Lifetime>();
  graph.nodes.forEach((node, i) => {
    for (const input of node.inputs) {
      if (input.role !== "activation") continue;
      const { start } = lifetimes.get(input) ?? {};
      check(start !== undefined, "graph", () => `${node.op.name} reads "${input.name}" before it is made: the order of nodes is wrong`);
      lifetimes.set(input, { start, end: i });
    }
    for (const output of node.outputs) lifetimes.set(output, { start: i, end: i });
  });
  for (const tensor of graph.kept) {
    const lifetime = lifetimes.get(tensor);
    if (lifetime) lifetimes.set(tensor, { ...lifetime, end: graph.nodes.length });
  }
  return lifetimes;
}

/** Tensors that share one place: a chain in which each is written over the one before. */
interface Block extends Lifetime {
  readonly tensors: Tensor[];
  readonly bytes: number;
}

function blocksOf(graph: Graph, lifetimes: ReadonlyMap<Tensor, Lifetime>): Block[] {
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

/** Inputs that the op allows this output to be written over wherever it reads them; what is kept stays. */
function overwritable(graph: Graph, { op, inputs, outputs }: Node, output: number): Tensor[] {
  const allowed = new Set((op.mayAlias ?? []).filter(([to]) => to === output).map(([, from]) => from));
  return inputs.filter(
    (input) =>
      inputs.every((other, i) => other !== input || allowed.has(i)) &&
      input.role === "activation" &&
      !graph.kept.has(input) &&
      tensorBytes(input) === tensorBytes(outputs[output]!),
  );
}

function place(blocks: readonly Block[]): { offsets: Map<Tensor, number>; arenaBytes: number } {
  const placed: { block: Block; offset: number }[] = [];
  const offsets = new Map<Tensor, number>();
  for (const block of blocks.toSorted((a, b) => b.bytes - a.bytes || a.start - b.start)) {
    const neighbours = placed.filter((other) => other.block.start <= block.end && block.start <= other.block.end);
    const offset = firstGap(neighbours, block.bytes);
    placed.push({ block, offset });
    for (const tensor of block.tensors) offsets.set(tensor, offset);
  }
  return { offsets, arenaBytes: placed.reduce((top, { block, offset }) => Math.max(top, offset + block.bytes), 0) };
}

/** The lowest offset at which `bytes` fit between blocks that are alive at the same time. */
function firstGap(neighbours: readonly { block: Block; offset: number }[], bytes: number): number {
  let offset = 0;
  for (const other of neighbours.toSorted((a, b) => a.offset - b.offset)) {
    if (other.offset - offset >= bytes) break;
    offset = Math.max(offset, other.offset + other.block.bytes);
  }
  return offset;
}

/** What only optimiser steps, accumulators and the gradient norm read, directly or summed: one per parameter, alive until the step. */
function parameterGradientsOf(graph: Graph): Set<Tensor> {
  const readers = new Map<Tensor, Node[]>();
  for (const node of graph.nodes) for (const input of node.inputs) readers.set(input, [...(readers.get(input) ?? []), node]);
  const found = new Set<Tensor>();
  const consumes = ({ op, outputs }: Node) =>
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
