// A graph as steps: nodes that are lowered one by one, and nodes that are computed together. A pass of few rows takes microseconds per node, as long as
// threads need to go from one phase to the next, so what belongs together shares phases:
//
//   RMSNorm, or attention over pages, whose rows are quantised · the products that read them, each with the residual that it is added to
//   the same, where gate, up, their activation and its rounding are one product · down with its residual
//   RoPE of queries and keys with the write to the pages and attention, in programs of few rows
//   products of floats that read the same rows
//
// The model's graph says none of this. What is computed together has the bits of its nodes one by one, so what a program keeps, which must be there by itself,
// changes no other bit; the tests say so, and the reference computes the nodes.
import { fail, isQuantised, type QuantisedDType } from "../../base/index.ts";
import type { Attributes, Graph, MatmulAttributes, Node, PlannedNode, Tensor } from "../../graph/index.ts";
import { isGated, makesLines, type Target, turnedRows } from "../../kernel/index.ts";

/** What is lowered at one go: a node, or several that are computed together. */
export type Step = PlannedNode &
  ({ readonly node: Node } | { readonly linear: LinearStep } | { readonly attend: AttendStep } | { readonly beside: readonly Node[] });

/** Products of one matrix of rows, which are quantised once. */
export interface LinearStep {
  /** [M, K]. */
  readonly x: Tensor;
  /** The norm that makes x. */
  readonly norm?: Node | undefined;
  /** The attention over pages that makes x, which nobody else reads. */
  readonly attention?: AttendStep | undefined;
  readonly products: readonly LinearProduct[];
  readonly gated?: GatedProduct | undefined;
}

/** y = x · weightᵀ, added to a residual where there is one. */
export interface LinearProduct {
  readonly weight: Tensor;
  readonly y: Tensor;
  readonly residual?: Tensor | undefined;
}

/** The product of act(x · gateᵀ) ⊙ (x · upᵀ). */
export interface GatedProduct {
  readonly gate: Tensor;
  readonly up: Tensor;
  readonly glu: Node;
  readonly down: LinearProduct;
}

/** Attention over pages; in programs of few rows with RoPE of its queries and keys, and the write of keys and values to the pages. */
export interface AttendStep {
  readonly attend: Node;
  readonly turned?: { readonly queries: Node; readonly keys: Node; readonly write: Node } | undefined;
}

/** What steps are made of. */
export type StepGraph = Pick<Graph, "nodes" | "kept">;

/** The steps of a graph, in the order in which they run. */
export function stepsOf(graph: StepGraph, target: Target): Step[] {
  const finder = new StepFinder(graph, target);
  return finder.steps();
}

class StepFinder {
  readonly #graph: StepGraph;
  readonly #target: Target;
  readonly #readers = new Map<Tensor, Node[]>();
  readonly #places = new Map<Node, number>();
  /** Which node makes an activation. */
  readonly #makers = new Map<Tensor, Node>();
  /** Attention, with what is computed beside it: these nodes run when it does. */
  readonly #attends = new Map<Node, AttendStep>();
  /** Nodes that are in a step. */
  readonly #taken = new Set<Node>();

  constructor(graph: StepGraph, target: Target) {
    this.#graph = graph;
    this.#target = target;
    for (const [place, node] of graph.nodes.entries()) {
      this.#places.set(node, place);
      for (const output of node.outputs) this.#makers.set(output, node);
      for (const input of new Set(node.inputs)) {
        const known = this.#readers.get(input);
        if (known) known.push(node);
        else this.#readers.set(input, [node]);
      }
    }
  }

  steps(): Step[] {
    const steps: Step[] = [];
    for (const node of this.#graph.nodes) if (node.op.name === "pagedAttention") this.#attends.set(node, this.#attendOf(node));
    for (const node of this.#graph.nodes)
      if (!this.#taken.has(node)) steps.push(this.#linear(node) ?? this.#attend(node) ?? this.#beside(node) ?? { ...node, node });
    return steps;
  }

  /** Products begin at the norm that makes their rows, or at the first of them; what else they read is there by then. */
  #linear(node: Node): Step | undefined {
    const norm = isNorm(node) ? node : undefined;
    const attention = this.#isRounded(node) ? this.#attends.get(node) : undefined;
    const x = norm || attention ? node.outputs[0] : isByteProduct(node) ? node.inputs[0] : undefined;
    const products = x ? this.#byteProducts(x) : [];
    if (x === undefined || products.length === 0) return undefined;
    const place = this.#places.get(node) ?? 0;
    const gated = this.#gated(products, place);
    const left = products.filter((product) => product !== gated?.gate && product !== gated?.up);
    const added = left.map((product) => this.#added(product, place));
    const nodes = [
      ...(norm ? [norm] : []),
      ...nodesOf(attention),
      ...products,
      ...added.flatMap(({ nodes }) => nodes),
      ...(gated?.nodes ?? []),
    ];
    return {
      ...this.#together(nodes),
      linear: { x, norm, attention, products: added.map(({ product }) => product), gated: gated?.product },
    };
  }

  #attendOf(attend: Node): AttendStep {
    const turned = this.#turned(attend);
    if (turned) for (const node of Object.values(turned)) this.#taken.add(node);
    return { attend, turned };
  }

  #attend(node: Node): Step | undefined {
    const attend = this.#attends.get(node);
    return attend?.turned && { ...this.#together(nodesOf(attend)), attend };
  }

  /** Products of floats that read the same rows: one call each, none of which waits for another. */
  #beside(node: Node): Step | undefined {
    const [x] = node.inputs;
    if (x === undefined || !isFloatProduct(node)) return undefined;
    const products = (this.#readers.get(x) ?? []).filter(
      (other) => isFloatProduct(other) && other.inputs[0] === x && !this.#taken.has(other),
    );
    return products.length > 1 ? { ...this.#together(products), beside: products } : undefined;
  }

  /** Whether a node is attention over pages whose outputs one product of bytes reads, and nobody else. */
  #isRounded(node: Node): boolean {
    const [, keys] = node.inputs;
    if (node.op.name !== "pagedAttention" || !makesLines({ headDim: keys?.shape[3] ?? 1 })) return false;
    const reader = this.#onlyReader(node);
    return reader !== undefined && isByteProduct(reader) && reader.inputs[0] === node.outputs[0];
  }

  #byteProducts(x: Tensor): Node[] {
    return (this.#readers.get(x) ?? []).filter((reader) => isByteProduct(reader) && reader.inputs[0] === x && !this.#taken.has(reader));
  }

  /** Gate and up among the products, where nothing but their GLU reads them, and nothing but one product that. */
  #gated(products: readonly Node[], place: number) {
    for (const gate of products) {
      const glu = this.#onlyReader(gate);
      const up = glu?.op.name === "glu" && glu.inputs[0] === gate.outputs[0] ? this.#makers.get(glu.inputs[1] as Tensor) : undefined;
      if (glu === undefined || up === undefined || up === gate || !products.includes(up) || this.#onlyReader(up) !== glu) continue;
      const down = this.#onlyReader(glu);
      if (down === undefined || !isByteProduct(down) || down.inputs[0] !== glu.outputs[0]) continue;
      const [n = 1] = weightOf(gate).shape;
      if (!isGated(this.#target, { n, gate: quantisedType(weightOf(gate)), up: quantisedType(weightOf(up)) })) continue;
      const added = this.#added(down, place);
      const product: GatedProduct = { gate: weightOf(gate), up: weightOf(up), glu, down: added.product };
      return { gate, up, product, nodes: [glu, down, ...added.nodes] };
    }
    return undefined;
  }

  /** A product, and the sum that alone reads it, where its other term is there before a place. */
  #added(node: Node, place: number): { readonly product: LinearProduct; readonly nodes: readonly Node[] } {
    const [weight, y] = [weightOf(node), node.outputs[0] as Tensor];
    const sum = this.#onlyReader(node);
    const residual = sum?.op.name === "add" ? sum.inputs.find((term) => term !== y) : undefined;
    if (sum === undefined || residual === undefined || !this.#isThere(residual, place)) return { product: { weight, y }, nodes: [] };
    return { product: { weight, y: sum.outputs[0] as Tensor, residual }, nodes: [sum] };
  }

  /** What turns the rows of attention and writes them to its pages, where nobody else reads what is turned, nor the pages in between. */
  #turned(attend: Node): AttendStep["turned"] {
    const [queries, write] = [this.#makers.get(attend.inputs[0] as Tensor), this.#graph.nodes[(this.#places.get(attend) ?? 0) - 1]];
    if (write?.op.name !== "pageWrite" || !isOfPages(write, attend)) return undefined;
    const keys = this.#makers.get(write.inputs[2] as Tensor);
    if (queries?.op.name !== "rope" || keys?.op.name !== "rope" || queries.attributes.inverse) return undefined;
    const isAlike = [1, 2].every((i) => queries.inputs[i] === keys.inputs[i]) && isSame(queries.attributes, keys.attributes);
    const isFew = (attend.outputs[0]?.shape[0] ?? 0) <= turnedRows && queries.inputs[1] === attend.inputs[3];
    const isOwn = this.#onlyReader(queries) === attend && this.#onlyReader(keys) === write;
    return isAlike && isFew && isOwn ? { queries, keys, write } : undefined;
  }

  /** The node that alone reads what a node makes, which is not kept. */
  #onlyReader({ outputs: [output] }: Node): Node | undefined {
    const readers = output && !this.#graph.kept.has(output) ? this.#readers.get(output) : undefined;
    const [reader] = readers ?? [];
    return readers?.length === 1 && reader && !this.#taken.has(reader) ? reader : undefined;
  }

  #isThere(tensor: Tensor, place: number): boolean {
    const maker = this.#makers.get(tensor);
    return maker === undefined || (this.#places.get(maker) ?? 0) < place;
  }

  /** These nodes as one: it makes what others read of them. */
  #together(nodes: readonly Node[]): PlannedNode {
    for (const node of nodes) this.#taken.add(node);
    const own = new Set(nodes);
    const made = new Set(nodes.flatMap(({ outputs }) => outputs));
    const isRead = (tensor: Tensor) => this.#graph.kept.has(tensor) || (this.#readers.get(tensor) ?? []).some((reader) => !own.has(reader));
    return {
      op: { name: nodes.map(({ op }) => op.name).join(" + ") },
      inputs: [...new Set(nodes.flatMap(({ inputs }) => inputs))].filter((input) => !made.has(input)),
      outputs: [...made].filter(isRead),
    };
  }
}

function nodesOf(step: AttendStep | undefined): Node[] {
  if (step === undefined) return [];
  const { attend, turned } = step;
  return turned ? [turned.queries, turned.keys, turned.write, attend] : [attend];
}

/** The norm of whole rows, whose gain no program changes. */
function isNorm({ op, inputs: [x, gain] }: Node): boolean {
  return op.name === "rmsNorm" && x?.shape[1] === gain?.shape[0] && gain?.role === "weight";
}

function isByteProduct({ op, attributes }: Node): boolean {
  return op.name === "matmul" && (attributes as MatmulAttributes).precision === "int8";
}

/** Whether keys and values go to the pages that attention reads, by the same positions and tables. */
function isOfPages(write: Node, attend: Node): boolean {
  const [keys, values, , , ...rows] = write.inputs;
  const [, ofKeys, ofValues, positions, slots, pages, , count] = attend.inputs;
  const read = [ofKeys, ofValues, positions, slots, pages, count];
  return [keys, values, ...rows].every((tensor, i) => tensor === read[i]);
}

/** A product of floats whose matrix is packed before the run. */
function isFloatProduct(node: Node): boolean {
  return node.op.name === "matmul" && !isByteProduct(node) && node.inputs[1]?.role === "weight";
}

function weightOf({ inputs: [, weight] }: Node): Tensor {
  return weight ?? fail("cpu", "a product of bytes has no weight");
}

/** The type of a weight whose blocks are multiplied as bytes. */
export function quantisedType({ dtype, name }: Tensor): QuantisedDType {
  return isQuantised(dtype) ? dtype : fail("cpu", `"${name}" is ${dtype}, which is not quantised`);
}

function isSame(one: Attributes, other: Attributes): boolean {
  return Object.keys(one).every((name) => one[name] === other[name]);
}
