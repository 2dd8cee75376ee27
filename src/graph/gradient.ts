// Reverse-mode differentiation: walks the nodes backwards and appends each op's gradient to the graph (Griewank & Walther 2008, section 3.2).
import { check, fail } from "../base/index.ts";
import { add } from "./ops/index.ts";
import type { Graph, Node, Tensor } from "./tensor.ts";

/**
 * Appends d(loss)/d(wanted) to the graph and returns it, tensor by tensor; where a tensor is used several times the contributions are added.
 * @param loss the loss of a node whose op makes its own gradients (`linearCrossEntropy`), which then makes those that are needed, or a map from output tensors to their given gradients.
 * @throws CriaError naming a wanted tensor that no gradient reaches or that is a weight, which no program changes, or an op on the way that has no gradient.
 */
export function gradients(loss: Tensor | ReadonlyMap<Tensor, Tensor>, wanted: readonly Tensor[]): Map<Tensor, Tensor> {
  const graph = (wanted[0] ?? fail("gradient", "no tensor is wanted: name at least one")).graph;
  const limited = [...graph.limits.keys()];
  check(
    limited.length === 0,
    "gradient",
    () => `the graph computes only live rows of ${limited.join(" and ")}: leave limitRows out to have gradients`,
  );
  const frozen = wanted.find((tensor) => tensor.role === "weight");
  check(
    frozen === undefined,
    "gradient",
    () => `"${frozen?.name}" is a weight, which no program changes: declare what is trained as a state`,
  );
  const forward = graph.nodes.slice();
  const depends = dependents(forward, wanted);
  const found = new Map(loss instanceof Map ? loss : []);
  for (const node of forward.toReversed()) {
    if (!node.inputs.some((input) => depends.has(input))) continue;
    const dinputs = backward(node, loss, found, depends);
    node.inputs.forEach((input, i) => {
      if (depends.has(input)) contribute(found, input, dinputs[i]);
    });
  }
  const result = new Map(wanted.map((tensor) => [tensor, found.get(tensor) ?? unreached(tensor)]));
  prune(graph, forward.length, new Set(result.values()));
  return result;
}

/** The wanted tensors and all that is computed from them: no gradient needs to flow elsewhere. */
function dependents(nodes: readonly Node[], wanted: readonly Tensor[]): Set<Tensor> {
  const depends = new Set(wanted);
  for (const node of nodes) if (node.inputs.some((input) => depends.has(input))) for (const output of node.outputs) depends.add(output);
  return depends;
}

function backward(
  node: Node,
  loss: Tensor | ReadonlyMap<Tensor, Tensor>,
  found: ReadonlyMap<Tensor, Tensor>,
  depends: ReadonlySet<Tensor>,
): (Tensor | undefined)[] {
  const { op, inputs, outputs, attributes } = node;
  if (outputs[0] === loss) return ownGradient(node, depends);
  const doutputs = outputs.map((output) => found.get(output));
  if (doutputs.every((doutput) => doutput === undefined)) return [];
  return op.gradient?.({ inputs, outputs, doutputs, attributes }) ?? fail(op.name, "cannot be differentiated, but a gradient reaches it");
}

/** What a loss's node makes of its gradients, once it is asked to. */
function ownGradient(node: Node, depends: ReadonlySet<Tensor>): (Tensor | undefined)[] {
  const { asked, made } = node.op.ownGradient ?? fail(node.op.name, "is not an op that ends in a loss");
  const { graph } = node.inputs[0]!;
  const wanted = node.inputs.map((input) => depends.has(input));
  const { outputs, attributes } = graph.remake(node, asked(node.attributes, wanted));
  return made(outputs, attributes);
}

/** Adds as soon as two contributions are there, so that both die. */
function contribute(found: Map<Tensor, Tensor>, tensor: Tensor, gradient: Tensor | undefined): void {
  if (gradient === undefined) return;
  const earlier = found.get(tensor);
  found.set(tensor, earlier ? add(earlier, gradient) : gradient);
}

/** Drops appended nodes that nothing needs, such as the gradient towards an input that is not wanted. */
function prune(graph: Graph, from: number, needed: Set<Tensor>): void {
  const live = graph.nodes
    .splice(from)
    .toReversed()
    .filter((node) => {
      if (!node.outputs.some((output) => needed.has(output))) return false;
      for (const input of node.inputs) needed.add(input);
      return true;
    });
  graph.nodes.push(...live.toReversed());
}

function unreached(tensor: Tensor): never {
  return fail("gradient", `no gradient reaches "${tensor.name}": the loss does not depend on it, take it off the wanted list`);
}
