// What every backend demands of the buffers that a graph is compiled with.
import { check, sameShape } from "../base/index.ts";
import { type Graph, showType, type Tensor } from "../graph/index.ts";
import type { DeviceBuffer } from "./backend.ts";

/** @throws CriaError naming a state or input of the graph without a buffer, or with one of another type. */
export function checkBindings(graph: Graph, bindings: ReadonlyMap<Tensor, DeviceBuffer>): void {
  for (const tensor of graph.tensors) {
    if (tensor.role === "activation") continue;
    const buffer = bindings.get(tensor);
    check(buffer !== undefined, "backend", () => `${tensor.role} "${tensor.name}" has no buffer: bind one of ${showType(tensor)}`);
    check(
      buffer.type.dtype === tensor.dtype && sameShape(buffer.type.shape, tensor.shape),
      "backend",
      () => `${tensor.role} "${tensor.name}" is ${showType(tensor)}, but buffer "${buffer.name}" is ${showType(buffer.type)}`,
    );
  }
}
