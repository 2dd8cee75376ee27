// What nodes become that are computed together (steps.ts says which): as few phases as their results have to wait for each other.
import { fail, isQuantised, type QuantisedDType } from "../../base/index.ts";
import type {
  ActivationAttributes,
  Node,
  NormAttributes,
  PagedAttentionAttributes,
  PageWriteAttributes,
  RopeAttributes,
  Tensor,
} from "../../graph/index.ts";
import * as library from "../../kernel/index.ts";
import type { Lowering } from "./lower-graph.ts";
import { attendPages } from "./lowerings.ts";
import type { GatedProduct, LinearProduct, LinearStep, WriteStep } from "./steps.ts";
import { quantisedForm } from "./weight-product.ts";

/** The rows once, then their products, then what the gated ones are multiplied by. @param outputs what others read */
export function linearStep(to: Lowering, step: LinearStep, outputs: readonly Tensor[]): void {
  const { x, products, gated } = step;
  const lines = quantisedRows(to, step, outputs.includes(x));
  const hidden = gated && to.scratch(library.quantisedLinesBytes(to.target, hiddenSizes(x, gated)));
  to.together(() => {
    if (gated && hidden !== undefined) multiplyGated(to, x, gated, lines(gated.gate), hidden);
    for (const product of products) multiply(to, product, lines(product.weight));
  });
  if (gated && hidden !== undefined) multiply(to, gated.down, hidden);
}

/** The address of a matrix's rows, quantised for a weight. */
type Lines = (weight: Tensor) => number;

/** Quantises x for all that read it, and makes it where it is a norm's or attention's. @param isKept whether others read x, too */
function quantisedRows(to: Lowering, { x, norm, attention, products, gated }: LinearStep, isKept: boolean): Lines {
  const [m = 1, k = 1] = x.shape;
  const rows = rowsOf(to, m);
  const serves = (weight: Tensor) => (type: QuantisedDType) => library.isSameLine(to.target, type, quantisedType(weight));
  const types: QuantisedDType[] = [];
  for (const weight of [...(gated ? [gated.gate] : []), ...products.map(({ weight }) => weight)])
    if (!types.some(serves(weight))) types.push(quantisedType(weight));
  const places = types.map((type) => to.scratch(library.quantisedLinesBytes(to.target, { type, m, k })));
  if (norm) {
    const [from, gain] = norm.inputs as [Tensor, Tensor];
    const { epsilon } = norm.attributes as NormAttributes;
    const y = isKept ? to.address(x) : to.scratch(m * k * 4);
    const sizes = { rows: m, channels: k, epsilon, types, ...rows.live };
    to.call(library.normLines, sizes, [to.address(from), to.address(gain), y, ...places, ...rows.count]);
  } else if (attention) attendLines(to, attention, types[0] ?? "q8_0", places[0] ?? 0);
  else
    to.together(() => {
      for (const [i, type] of types.entries())
        to.call(library.quantiseLines, { type, m, k, ...rows.live }, [to.address(x), places[i] ?? 0, ...rows.count]);
    });
  return (weight) =>
    places[types.findIndex(serves(weight))] ?? fail("cpu", `the rows of "${x.name}" are not quantised for "${weight.name}"`);
}

/** Attention whose outputs are lines for weights of a type. */
function attendLines(to: Lowering, { op, inputs, attributes }: Node, lines: QuantisedDType, o: number): void {
  const [q, keys, values, positions, slots, pages, tiles, count] = inputs as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const { type, window } = attributes as PagedAttentionAttributes;
  const { R: rows = 1, H: heads = 1 } = op.sizes(inputs, attributes);
  const sizes = { rows, heads, ...poolSizesOf(keys, pages, type), window, lines };
  attendPages(to, { q, keys, values, positions, slots, pages, tiles, count }, sizes, o);
}

/** The hidden channels as lines for what reads them. */
function hiddenSizes({ shape: [m = 1] }: Tensor, { gate, down }: GatedProduct): library.QuantisedRows {
  const [n = 1] = gate.shape;
  return { type: quantisedType(down.weight), m, k: n };
}

function multiplyGated(to: Lowering, x: Tensor, { gate, up, glu, down }: GatedProduct, lines: number, hidden: number): void {
  const [m = 1, k = 1] = x.shape;
  const [n = 1] = gate.shape;
  const rows = rowsOf(to, m);
  const { activation, beta } = glu.attributes as ActivationAttributes;
  const types = { gate: quantisedType(gate), up: quantisedType(up), down: quantisedType(down.weight) };
  const args = [lines, packedOf(to, gate), packedOf(to, up), hidden, ...rows.count];
  to.call(library.gatedLines, { m, n, k, ...types, activation, beta, ...rows.live }, args);
}

function multiply(to: Lowering, { weight, y, residual }: LinearProduct, lines: number): void {
  const [m = 1] = y.shape;
  const [n = 1, k = 1] = weight.shape;
  const rows = rowsOf(to, m);
  const sizes = { type: quantisedType(weight), m, n, k, ...(residual && { adds: true as const }), ...rows.live };
  const added = residual ? [to.address(residual)] : [];
  to.call(library.quantisedMatmul, sizes, [lines, packedOf(to, weight), to.address(y), ...added, ...rows.count]);
}

/** Turns queries and keys and writes keys and values in one phase. */
export function writeStep(to: Lowering, { keys, queries, write }: WriteStep): void {
  const [keyPool, valuePool, , v, positions, slots, pages, count] = write.inputs as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const [k, , turns] = keys.inputs as [Tensor, Tensor, Tensor];
  const { type } = write.attributes as PageWriteAttributes;
  const { headDim, pairing, attentionFactor } = keys.attributes as RopeAttributes;
  const [rows = 1] = k.shape;
  const [q, turned] = [queries?.inputs[0], queries?.outputs[0]];
  const heads = (q?.shape[1] ?? 0) / headDim;
  const sizes = { rows, ...poolSizesOf(keyPool, pages, type), heads, pairing, attentionFactor };
  const given = [keyPool, valuePool, k, v, positions, slots, pages, turns, ...(q && turned ? [q, turned] : []), count];
  to.call(
    library.ropeWrite,
    sizes,
    given.map((tensor) => to.address(tensor)),
  );
}

function poolSizesOf({ shape }: Tensor, table: Tensor, type: library.PoolType): library.PoolSizes {
  const [pages = 1, kvHeads = 1, , headDim = 1] = shape;
  const [slots = 1, pagesOfSlot = 1] = table.shape;
  return { type, pages, kvHeads, headDim, slots, pagesOfSlot };
}

function packedOf(to: Lowering, weight: Tensor): number {
  return to.once(weight, quantisedForm(to, weight, quantisedType(weight)));
}

function quantisedType({ dtype, name }: Tensor): QuantisedDType {
  return isQuantised(dtype) ? dtype : fail("cpu", `"${name}" is ${dtype}, which is not quantised`);
}

/** Where the graph limits `m` rows: the constant of kernels that stop at the live ones, and the address of their number. */
function rowsOf(to: Lowering, m: number): { readonly live: library.Live; readonly count: readonly number[] } {
  const count = to.liveRows(m);
  return count === undefined ? { live: {}, count: [] } : { live: { live: true }, count: [count] };
}
