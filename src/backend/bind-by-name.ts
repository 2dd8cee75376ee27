// Programs that share buffers: a state or input of one name is one buffer, whichever graph it appears in.
import { fail } from "../base/index.ts";
import type { Graph, Tensor } from "../graph/index.ts";
import type { Backend, DeviceBuffer } from "./backend.ts";

/**
 * Bindings for {@link Backend.compile}: the buffer of each state's and input's name; where there is none yet, allocates it and adds it to `buffers`.
 * @throws CriaError when a name stands twice in the graph.
 */
export async function bindByName(backend: Backend, graph: Graph, buffers: Map<string, DeviceBuffer>): Promise<Map<Tensor, DeviceBuffer>> {
  const bindings = new Map<Tensor, DeviceBuffer>();
  const seen = new Set<string>();
  for (const tensor of graph.tensors) {
    if (tensor.role === "activation") continue;
    if (seen.has(tensor.name)) fail("backend", `two tensors are called "${tensor.name}": give every state and input a name of its own`);
    seen.add(tensor.name);
    const buffer = buffers.get(tensor.name) ?? (await backend.allocate(tensor, tensor.name));
    buffers.set(tensor.name, buffer);
    bindings.set(tensor, buffer);
  }
  return bindings;
}
