// Lets gradients of parameters die as soon as they are made: with accumulation or without clipping nothing waits for all of them.
import type { Graph, Node, Tensor } from "./tensor.ts";

/**
 * Moves every node that only updates states (no outputs) to directly behind the last node it depends on: whoever makes its inputs, and whoever
 * reads or updates the states it writes. In place; values do not change.
 */
export function consumeEarly(graph: Graph): void {
  const order: Node[] = [];
  for (const node of graph.nodes) {
    const written = writtenBy(node);
    const dependsOn = (earlier: Node) =>
      earlier.outputs.some((output) => node.inputs.includes(output)) ||
      earlier.inputs.some((input) => written.has(input)) ||
      node.inputs.some((input) => writtenBy(earlier).has(input));
    const at = node.outputs.length === 0 ? order.findLastIndex(dependsOn) + 1 : order.length;
    order.splice(at, 0, node);
  }
  graph.nodes.splice(0, graph.nodes.length, ...order);
}

function writtenBy({ op, inputs }: Node): Set<Tensor> {
  return new Set((op.updates ?? []).map((i) => inputs[i]!));
}
