// A graph and its memory plan as text, for people: what TRACE=graph and TRACE=plan show.
import { type MemoryPlan, tensorBytes } from "./plan-memory.ts";
import { showType } from "./signature.ts";
import type { Graph, Node, Tensor } from "./tensor.ts";

/** One line per node: `12  rmsNorm4 f32 [8, 16] = rmsNorm(add3, norm.gain) {epsilon: 0.00001}`. */
export function printGraph(graph: Graph): string {
  const given = graph.tensors.filter((tensor) => tensor.role !== "activation");
  return [
    ...given.map((tensor) => `${tensor.role.padEnd(6)} ${tensor.name} ${showType(tensor)}`),
    ...[...graph.limits].map(([rows, count]) => `limit  of ${rows} rows the first ${count.name}[0] are live`),
    ...graph.nodes.map((node, i) => `${String(i).padStart(5)}  ${printNode(graph, node)}`),
  ].join("\n");
}

/** One line an activation, by offset: where it lies, how large it is, which nodes it lives through; then the sums. */
export function printPlan(graph: { readonly nodes: readonly unknown[] }, plan: MemoryPlan): string {
  const rows = [...plan.lifetimes.keys()].sort((a, b) => plan.offsets.get(a)! - plan.offsets.get(b)! || a.id - b.id);
  const { arenaBytes, sumBytes, activations } = plan;
  return [
    "    offset      bytes  nodes        tensor",
    ...rows.map((tensor) => printPlace(graph, plan, tensor)),
    `arena ${arenaBytes} bytes, ${percent(arenaBytes, sumBytes)} of ${sumBytes} without reuse`,
    `activations alone ${activations.arenaBytes} bytes, ${percent(activations.arenaBytes, activations.sumBytes)} of ${activations.sumBytes}`,
  ].join("\n");
}

function printNode(graph: Graph, { op, attributes, inputs, outputs }: Node): string {
  const made = outputs.map((output) => `${output.name}${graph.kept.has(output) ? " (kept)" : ""} ${showType(output)}`).join(", ");
  const settings = Object.entries(attributes).map(([name, value]) => `${name}: ${value}`);
  const call = `${op.name}(${inputs.map((input) => input.name).join(", ")})`;
  return `${made}${made && " = "}${call}${settings.length > 0 ? ` {${settings.join(", ")}}` : ""}`;
}

function printPlace(graph: { readonly nodes: readonly unknown[] }, { offsets, lifetimes }: MemoryPlan, tensor: Tensor): string {
  const { start, end } = lifetimes.get(tensor)!;
  const nodes = `${start}–${end < graph.nodes.length ? end : "end"}`;
  return `${String(offsets.get(tensor)).padStart(10)} ${String(tensorBytes(tensor)).padStart(10)}  ${nodes.padEnd(12)} ${tensor.name}`;
}

function percent(part: number, whole: number): string {
  return `${whole > 0 ? ((100 * part) / whole).toFixed(1) : "0.0"} %`;
}
