// Activation checkpointing as in LLaMA, section 2.4: what is dear to compute (outputs of linear layers, attention) is kept for the backward
// pass, the rest (norms, activations) is computed again there. The idea is Chen et al. 2016, arXiv 1604.06174.
import { check } from "../base/index.ts";
import type { Graph, Node, Tensor } from "./tensor.ts";

/**
 * Rewrites the graph in place: from node `firstBackward` on, readers of a recomputable forward activation read a copy of it, made just before the
 * first of them by the same ops from what is kept. Values do not change. The forward activation then dies in the forward pass.
 * @throws CriaError when a node updates a state: the copies would read new weights; recompute before appending optimiser steps.
 */
export function recompute(graph: Graph, firstBackward: number): void {
  const updating = graph.nodes.find((node) => node.op.updates);
  check(updating === undefined, "recompute", () => `${updating?.op.name} updates a state: recompute before appending such nodes`);
  const nodes = graph.nodes.splice(0);
  graph.nodes.push(...nodes.slice(0, firstBackward));
  const copyOf = copier(graph);
  for (const node of nodes.slice(firstBackward)) graph.nodes.push({ ...node, inputs: node.inputs.map(copyOf) });
}

/** Maps a tensor to its copy, appending the nodes that make it on first use; to itself where it is kept. */
function copier(graph: Graph): (tensor: Tensor) => Tensor {
  const producers = new Map<Tensor, Node>();
  for (const node of graph.nodes) for (const output of node.outputs) producers.set(output, node);
  const copies = new Map<Tensor, Tensor>();
  const copyOf = (tensor: Tensor): Tensor => {
    const producer = producers.get(tensor);
    if (!producer?.op.recomputable || graph.kept.has(tensor)) return tensor;
    if (!copies.has(tensor)) {
      const outputs = graph.apply(producer.op, producer.inputs.map(copyOf), producer.attributes);
      producer.outputs.forEach((output, i) => {
        copies.set(output, outputs[i]!);
      });
    }
    return copies.get(tensor)!;
  };
  return copyOf;
}
