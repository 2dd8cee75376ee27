// What nodes become that are computed together (steps.ts says which): as few phases as their results have to wait for each other.
import { fail, type QuantisedDType } from "../../base/index.ts";
import type { ActivationAttributes, NormAttributes, PagedAttentionAttributes, RopeAttributes, Tensor } from "../../graph/index.ts";
import * as library from "../../kernel/index.ts";
import type { Lowering } from "./lower-graph.ts";
import { attendPages } from "./lowerings.ts";
import { type AttendStep, type GatedProduct, type LinearProduct, type LinearStep, quantisedType } from "./steps.ts";
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
  const lots = types.map((type) => ({ type, lines: to.scratch(library.quantisedLinesBytes(to.target, { type, m, k })) }));
  if (norm) {
    const [from, gain] = norm.inputs as [Tensor, Tensor];
    const { epsilon } = norm.attributes as NormAttributes;
    const y = isKept ? to.address(x) : to.scratch(m * k * 4);
    const sizes = { rows: m, channels: k, epsilon, types, ...rows.live };
    to.call(library.normLines, sizes, [to.address(from), to.address(gain), y, ...lots.map(({ lines }) => lines), ...rows.count]);
  } else if (attention) for (const { type, lines } of lots) attendStep(to, attention, lines, type);
  else
    to.together(() => {
      for (const { type, lines } of lots)
        to.call(library.quantiseLines, { type, m, k, ...rows.live }, [to.address(x), lines, ...rows.count]);
    });
  return (weight) => {
    const lot = lots.find(({ type }) => serves(weight)(type));
    return lot?.lines ?? fail("cpu", `the rows of "${x.name}" are not quantised for "${weight.name}"`);
  };
}

/** Attention over pages. @param o the address of its outputs. @param lines the type of weights that read these as bytes */
export function attendStep(to: Lowering, { attend, turned }: AttendStep, o: number, lines?: QuantisedDType): void {
  const [queries, keys, values, positions, slots, pages, tiles, count] = attend.inputs as readonly Tensor[] as Tensors<8>;
  const { type, window } = attend.attributes as PagedAttentionAttributes;
  const { R: rows = 1, H: heads = 1 } = attend.op.sizes(attend.inputs, attend.attributes);
  const known = { rows, heads, ...poolSizesOf(keys, pages, type), window, ...(lines && { lines }) };
  const tensors = { q: queries, keys, values, positions, slots, pages, tiles, count };
  if (turned === undefined) return attendPages(to, tensors, known, o);
  const [q, , turns] = turned.queries.inputs as readonly Tensor[] as Tensors<3>;
  const [k] = turned.keys.inputs as readonly Tensor[] as Tensors<1>;
  const [, , , v] = turned.write.inputs as readonly Tensor[] as Tensors<4>;
  const { pairing, attentionFactor } = turned.queries.attributes as RopeAttributes;
  attendPages(to, { ...tensors, q, turned: { k, v, turns } }, { ...known, turned: { pairing, attentionFactor } }, o);
}

/** So many tensors. */
type Tensors<N extends number, T extends readonly Tensor[] = []> = T["length"] extends N ? T : Tensors<N, readonly [...T, Tensor]>;

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

function poolSizesOf({ shape }: Tensor, table: Tensor, type: library.PoolType): library.PoolSizes {
  const [pages = 1, kvHeads = 1, , headDim = 1] = shape;
  const [slots = 1, pagesOfSlot = 1] = table.shape;
  return { type, pages, kvHeads, headDim, slots, pagesOfSlot };
}

function packedOf(to: Lowering, weight: Tensor): number {
  return to.once(weight, quantisedForm(to, weight, quantisedType(weight)));
}

/** Where the graph limits `m` rows: the constant of kernels that stop at the live ones, and the address of their number. */
function rowsOf(to: Lowering, m: number): { readonly live: library.Live; readonly count: readonly number[] } {
  const count = to.liveRows(m);
  return count === undefined ? { live: {}, count: [] } : { live: { live: true }, count: [count] };
}
