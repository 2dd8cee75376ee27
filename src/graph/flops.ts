// The matrix work in a graph: what a rate of floating-point operations is reckoned from.
import type { Graph } from "./tensor.ts";

/** Floating-point operations of one run, by the ops' own account: matrix products and attention, multiply-adds counted as two. */
export function flopsOf(graph: Graph): number {
  return graph.nodes.reduce((sum, { op, inputs, attributes }) => sum + (op.flops?.(inputs, attributes) ?? 0), 0);
}
