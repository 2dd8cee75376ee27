// Runs a graph by the ops' own meaning, node by node in float64.
import { fail, sizeOf } from "../../base/index.ts";
import type { Graph, Tensor, TensorType, Values } from "../../graph/index.ts";

/** Zeroed elements for a tensor: float64 for floats, int32 for integers. */
export function zeros(type: TensorType): Values {
  return type.dtype === "i32" ? new Int32Array(sizeOf(type.shape)) : new Float64Array(sizeOf(type.shape));
}

/**
 * Runs every node in order.
 * @param bound values of every state and input; states that ops update are changed in place.
 * @returns the values of all tensors.
 * @throws CriaError for values outside what an op accepts, such as a token beyond the vocabulary.
 */
export function evaluate(graph: Graph, bound: ReadonlyMap<Tensor, Values>): Map<Tensor, Values> {
  const values = new Map(bound);
  const read = (tensor: Tensor) => values.get(tensor) ?? fail("reference", `"${tensor.name}" has no value: bind it or make it earlier`);
  for (const { op, inputs, outputs, attributes } of graph.nodes) {
    for (const output of outputs) values.set(output, zeros(output));
    op.reference(inputs.map(read), outputs.map(read), attributes, inputs);
  }
  return values;
}
