// What each op becomes on the CPU: one row per op, kernels of the library with the node's sizes as constants.
import { fail, isStateDType, type Precision, type Shape, sizeOf } from "../../base/index.ts";
import type { LinearCrossEntropyAttributes, Named, OpsByName, Sizes, Tensor, TypedOp } from "../../graph/index.ts";
import * as library from "../../kernel/index.ts";
import type { Lowering } from "./lower-graph.ts";
import { weightProduct, weightTypeOf } from "./weight-product.ts";

/** Inputs and outputs by the names of the op's signature, its sizes by letter. */
type Row<Record> =
  Record extends TypedOp<infer A, infer I, infer O, infer E>
    ? (to: Lowering, inputs: Named<I, Tensor>, outputs: Named<O, Tensor>, sizes: Sizes<I> & E, attributes: A) => void
    : never;

/** A row for every op that there is. */
export const lowerings: { readonly [Name in keyof OpsByName]: Row<OpsByName[Name]> } = {
  embedding: (to, { table, tokens }, { y }, { N: rows, C: channels, V: vocabulary }) =>
    overRows(to, library.embeddingRows, { type: weightTypeOf(table), rows, channels, vocabulary }, addresses(to, table, tokens, y)),
  embeddingGradient: (to, { tokens, dy }, { dtable }, { N: rows, C: channels, V: vocabulary }) =>
    to.call(library.embeddingGradient, { rows, channels, vocabulary }, addresses(to, tokens, dy, dtable)),
  matmul: (to, { a, b }, { y }, { M: m, N: n, K: k }, { form, precision }) => {
    const sizes = { form, m, n, k };
    if (b.role === "weight") weightProduct(to, b, { ...sizes, precision }, to.address(a), to.address(y));
    else if (precision === "int8") fail("cpu", `"${b.name}" is a ${b.role}: products in blocks of bytes take a weight`);
    else product(to, { ...sizes, precision }, to.address(a), to.address(b), to.address(y));
  },
  rmsNorm: (to, { x, gain }, { y }, { R: rows, H: heads, C: channels }, { epsilon }) =>
    overRows(to, library.rmsNorm, { rows, channels, epsilon, ...(heads > 1 && { heads }) }, addresses(to, x, gain, y)),
  rmsNormGradient: (to, { x, gain, dy }, { dx, dgain }, { R, H, C: channels }, { epsilon }) => {
    const rows = R * H;
    const units = library.normGradientUnits(rows);
    const partial = to.scratch(units * channels * 4);
    to.call(library.rmsNormGradient, { rows, channels, epsilon }, [...addresses(to, x, gain, dy, dx), partial]);
    to.call(library.sumRows, { rows: units, channels }, [partial, to.address(dgain)]);
  },
  layerNorm: (to, { x, gain, bias }, { y }, { R: rows, C: channels }, { epsilon }) =>
    overRows(to, library.layerNorm, { rows, channels, epsilon }, addresses(to, x, gain, bias, y)),
  layerNormGradient: (to, { x, gain, dy }, { dx, dgain, dbias }, { R: rows, C: channels }, { epsilon }) => {
    const units = library.normGradientUnits(rows);
    const partials = [to.scratch(units * channels * 4), to.scratch(units * channels * 4)] as const;
    to.call(library.layerNormGradient, { rows, channels, epsilon }, [...addresses(to, x, gain, dy, dx), ...partials]);
    to.together(() => {
      to.call(library.sumRows, { rows: units, channels }, [partials[0], to.address(dgain)]);
      to.call(library.sumRows, { rows: units, channels }, [partials[1], to.address(dbias)]);
    });
  },
  rope: (to, { x, positions, turns }, { y }, { R: rows, H: heads }, { headDim, pairing, attentionFactor, inverse }) =>
    overRows(to, library.rope, { rows, heads, headDim, pairing, attentionFactor, inverse }, addresses(to, x, positions, turns, y)),
  attention: (to, { q, k, v, firstKeys }, { o, lse }, { T: rows, D: headDim }, { batch, heads, kvHeads, window }) => {
    const sizes = { batch, heads, kvHeads, headDim, window, rows, ...maskOf(firstKeys) };
    to.call(library.attention, sizes, addresses(to, q, k, v, o, lse, firstKeys));
  },
  attentionGradient: (
    to,
    { q, k, v, o, lse, dO, firstKeys },
    { dq, dk, dv },
    { T: rows, D: headDim },
    { batch, heads, kvHeads, window },
  ) => {
    const sizes = { batch, heads, kvHeads, rows, headDim, window, ...maskOf(firstKeys) };
    to.call(library.attentionGradient, sizes, addresses(to, q, k, v, o, lse, dO, dq, dk, dv, firstKeys));
  },
  pageWrite: (to, { keys, values, k, v, positions, slots, pages, count }, _, { R: rows, ...pool }, { type }) =>
    to.call(library.pageWrite, { rows, ...poolSizes(pool, type) }, addresses(to, keys, values, k, v, positions, slots, pages, count)),
  pageCopy: (to, { pool, copies }, _, { G: pages, KV: kvHeads, D: headDim, N }) => {
    const sizes = { copies: N, type: poolTypeOf(pool), pages, kvHeads, headDim };
    to.call(library.pageCopy, sizes, addresses(to, pool, copies));
  },
  pagedAttention: (to, { q, keys, values, positions, slots, pages, tiles, count }, { o }, { R: rows, H: heads, ...pool }, attributes) => {
    const { type, window } = attributes;
    const sizes = { rows, heads, ...poolSizes(pool, type), window };
    attendPages(to, { q, keys, values, positions, slots, pages, tiles, count }, sizes, to.address(o));
  },
  maskLogits: (to, { x, allowed }, { y }, { R: rows, V: columns }) =>
    overRows(to, library.maskLogits, { rows, columns }, addresses(to, x, allowed, y)),
  topK: (to, { x }, { values, ids }, { R: rows, V: columns }, { k }) => {
    const sizes = { rows, columns, k };
    const maxima = to.scratch(rows * library.groupsOfRow(sizes) * 4);
    overRows(to, library.topKBlocks, { rows, columns }, [to.address(x), maxima]);
    overRows(to, library.topKMerge, sizes, [to.address(x), maxima, ...addresses(to, values, ids)]);
  },
  logSumExp: (to, { x }, { y }, { R: rows, V: columns }) => {
    const parts = scratchOf(to, 2, rows * library.blocksOfRow({ columns }));
    overRows(to, library.logSumExpBlocks, { rows, columns }, [to.address(x), ...parts]);
    overRows(to, library.logSumExpMerge, { rows, columns }, [...parts, to.address(y)]);
  },
  glu: (to, { gate, up }, { y }, { R, F }, { activation, beta }) =>
    overElements(to, library.glu, [R, F], { activation, beta }, addresses(to, gate, up, y)),
  gluGradient: (to, { gate, up, dy }, { dgate, dup }, { R, F }, { activation, beta }) =>
    to.call(library.gluGradient, { count: R * F, activation, beta }, addresses(to, gate, up, dy, dgate, dup)),
  activation: (to, { x }, { y }, { R, F }, { activation, beta }) =>
    overElements(to, library.activation, [R, F], { activation, beta }, addresses(to, x, y)),
  activationGradient: (to, { x, dy }, { dx }, { R, F }, { activation, beta }) =>
    to.call(library.activationGradient, { count: R * F, activation, beta }, addresses(to, x, dy, dx)),
  add: (to, { a, b }, { y }) => overElements(to, library.add, y.shape, {}, addresses(to, a, b, y)),
  addBias: (to, { x, bias }, { y }, { R: rows, C: channels }) =>
    overRows(to, library.addBias, { rows, channels }, addresses(to, x, bias, y)),
  addBiasGradient: (to, { dy }, { dbias }, { R: rows, C: channels }) =>
    to.call(library.sumRows, { rows, channels }, addresses(to, dy, dbias)),
  scale: (to, { x }, { y }, _, { factor }) => overElements(to, library.scale, y.shape, { factor }, addresses(to, x, y)),
  assign: (to, { state, x }) => to.call(library.assign, { count: count(x) }, addresses(to, x, state)),
  accumulate: (to, { state, x }) => to.call(library.accumulate, { count: count(x) }, addresses(to, x, state)),
  linearCrossEntropy: crossEntropy,
  gradientNorm: (to, { gradients }, { norm }) => {
    const units = gradients.map((gradient) => library.sumOfSquaresUnits(count(gradient)));
    const total = units.reduce((sum, n) => sum + n, 0);
    const partials = to.scratch(total * 4);
    to.together(() => {
      let at = partials;
      gradients.forEach((gradient, i) => {
        to.call(library.sumOfSquares, { count: count(gradient) }, [to.address(gradient), at]);
        at += units[i]! * 4;
      });
    });
    to.call(library.normFromPartials, { count: total }, [partials, to.address(norm)]);
  },
  adamw: (to, { parameter, gradient, m, v, hyper, norm }, _, __, { beta1, beta2, epsilon, decay }) => {
    const constants = { count: count(parameter), beta1, beta2, epsilon, decay };
    to.call(library.adamw, constants, addresses(to, parameter, gradient, m, v, hyper, norm));
  },
};

interface AttendedTensors extends Record<"q" | "keys" | "values" | "positions" | "slots" | "pages" | "tiles" | "count", Tensor> {
  /** New keys and values and the table of turns, where rows are turned on their way. */
  readonly turned?: Record<"k" | "v" | "turns", Tensor>;
}

/** Attention over pages in one phase, or two where parts are dealt. @param o the address of the outputs, or of their lines */
export function attendPages(
  to: Lowering,
  { q, keys, values, positions, slots, pages, tiles, count, turned }: AttendedTensors,
  known: Omit<library.PagedAttentionSizes, "dealt">,
  o: number,
): void {
  const sizes = { ...known, dealt: library.dealtParts(known) };
  const from = addresses(to, q, keys, values, positions, slots, pages, tiles);
  const more = turned ? addresses(to, turned.k, turned.v, turned.turns, count) : [to.address(count)];
  if (sizes.dealt === 1) return to.call(library.pagedAttention, sizes, [...from, o, ...more]);
  const parts = to.scratch(library.partsBytes(sizes));
  const { lines: _, ...attended } = sizes; // parts are merged as floats
  to.call(library.pagedAttention, attended, [...from, parts, ...more]);
  to.call(library.mergeParts, sizes, [parts, to.address(positions), o, to.address(count)]);
}

type CrossEntropyTensors = Record<"x" | "w" | "targets" | "inverseCount", Tensor>;
type CrossEntropyResults = Record<"loss" | "losses", Tensor> & { readonly dx?: Tensor | undefined; readonly dw?: Tensor | undefined };

/** Logits exist a chunk of rows at a time, in shared scratch; with a gradient, softmax − target takes their place (8 MiB or 128 rows). */
function crossEntropy(
  to: Lowering,
  { x, w, targets, inverseCount }: CrossEntropyTensors,
  { loss, losses, dx, dw }: CrossEntropyResults,
  { N: rows, C: channels, V: vocabulary }: Record<"N" | "C" | "V", number>,
  { precision }: LinearCrossEntropyAttributes,
): void {
  const gradient = dx !== undefined || dw !== undefined;
  const chunk = Math.min(rows, Math.max(128, Math.floor((1 << 21) / vocabulary / 128) * 128));
  const logits = to.scratch(chunk * vocabulary * 4);
  const matrix = outputMatrix(to, w, { channels, vocabulary, precision, gradient: dx !== undefined });
  const packedRows = dw ? to.scratch(library.packedBytes(to.target, { n: channels, k: chunk, precision })) : 0;
  for (let first = 0; first < rows; first += chunk) {
    const m = Math.min(chunk, rows - first);
    const xHere = to.address(x) + first * channels * 4;
    const [targetsHere, lossesHere] = [to.address(targets) + first * 4, to.address(losses) + first * 4];
    matrix.logits(m, xHere, logits);
    to.call(library.softmaxCrossEntropy, { rows: m, vocabulary, gradient }, [logits, targetsHere, to.address(inverseCount), lossesHere]);
    if (!gradient) continue;
    const weight = { form: "tn" as const, n: channels, k: m, precision };
    matrix.gradient(m, logits, dx && to.address(dx) + first * channels * 4, () => {
      if (dw) to.call(library.packMatrix, weight, [xHere, packedRows]);
    });
    if (dw) to.call(library.matmul, { ...weight, m: vocabulary, accumulate: first > 0 }, [logits, packedRows, to.address(dw)]);
  }
  to.call(library.meanLoss, { rows }, addresses(to, losses, inverseCount, loss));
}

/** The output matrix w [V, C] in both its products. */
interface OutputMatrix {
  /** logits [m, V] = x · wᵀ. */
  logits(m: number, x: number, logits: number): void;
  /** dx [m, C] = dLogits · w, where there is a dx, and what `beside` calls, which does not depend on it. */
  gradient(m: number, dLogits: number, dx: number | undefined, beside: () => void): void;
}

interface OutputSizes {
  readonly channels: number;
  readonly vocabulary: number;
  readonly precision: Precision;
  /** Whether dx is made. */
  readonly gradient: boolean;
}

/** A weight is read as its layout wants; a state, which may have changed, is packed in every run, for all chunks. */
function outputMatrix(to: Lowering, w: Tensor, { channels, vocabulary, precision, gradient }: OutputSizes): OutputMatrix {
  const forward = { form: "nt" as const, n: vocabulary, k: channels, precision };
  const back = { form: "nn" as const, n: channels, k: vocabulary, precision };
  if (w.role === "weight")
    return {
      logits: (m, x, logits) => to.scope(() => weightProduct(to, w, { ...forward, m }, x, logits)),
      gradient(m, dLogits, dx, beside) {
        if (dx !== undefined) to.scope(() => weightProduct(to, w, { ...back, m }, dLogits, dx));
        beside();
      },
    };
  const packedForward = to.scratch(library.packedBytes(to.target, forward));
  const packedBack = gradient ? to.scratch(library.packedBytes(to.target, back)) : 0;
  to.together(() => {
    to.call(library.packMatrix, forward, [to.address(w), packedForward]);
    if (gradient) to.call(library.packMatrix, back, [to.address(w), packedBack]);
  });
  return {
    logits: (m, x, logits) => to.call(library.matmul, { ...forward, m, accumulate: false }, [x, packedForward, logits]),
    gradient: (m, dLogits, dx, beside) =>
      to.together(() => {
        if (dx !== undefined) to.call(library.matmul, { ...back, m, accumulate: false }, [dLogits, packedBack, dx]);
        beside();
      }),
  };
}

/** c = a · b, for a factor b that may change from run to run. */
function product(to: Lowering, { m, ...right }: library.MatmulSizes & { readonly type?: "f32" }, a: number, b: number, c: number): void {
  const packed = to.scratch(library.packedBytes(to.target, right));
  to.call(library.packMatrix, right, [b, packed]);
  const live = to.liveRows(m);
  if (live === undefined) to.call(library.matmul, { ...right, m }, [a, packed, c]);
  else to.call(library.matmul, { ...right, m, live: true }, [a, packed, c, live]);
}

/** A call of a kernel over rows, which stops at the live ones where the graph limits them. */
function overRows<C extends { readonly rows: number }>(
  to: Lowering,
  definition: library.KernelDefinition<C & library.Live>,
  constants: C,
  args: readonly number[],
): void {
  const live = to.liveRows(constants.rows);
  if (live === undefined) to.call(definition, constants, args);
  else to.call(definition, { ...constants, live: true }, [...args, live]);
}

/** The same of a kernel over elements; the rows are those of `shape`. */
function overElements<C extends object>(
  to: Lowering,
  definition: library.KernelDefinition<C & library.Elements>,
  shape: Shape,
  constants: C,
  args: readonly number[],
): void {
  const elements = sizeOf(shape);
  const [rows = 1] = shape;
  const live = to.liveRows(rows);
  if (live === undefined) to.call(definition, { count: elements, ...constants }, args);
  else to.call(definition, { count: elements, ...constants, liveWidth: elements / rows }, [...args, live]);
}

/** The constant of an attention kernel that is given first keys. */
function maskOf(firstKeys: Tensor | undefined): { readonly documentMask?: true } {
  return firstKeys ? { documentMask: true } : {};
}

function poolSizes(pool: Record<"G" | "S" | "P" | "KV" | "D", number>, type: library.PoolType): library.PoolSizes {
  return { type, pages: pool.G, slots: pool.S, pagesOfSlot: pool.P, kvHeads: pool.KV, headDim: pool.D };
}

function poolTypeOf({ name, dtype }: Tensor): library.PoolType {
  return isStateDType(dtype) ? dtype : fail("cpu", `"${name}" is ${dtype}, which is no layout of pages`);
}

/** Addresses of so many arrays of `count` 32-bit numbers. */
function scratchOf(to: Lowering, arrays: number, count: number): number[] {
  return Array.from({ length: arrays }, () => to.scratch(count * 4));
}

/** Addresses of the tensors that are there. */
function addresses(to: Lowering, ...tensors: (Tensor | undefined)[]): number[] {
  return tensors.flatMap((tensor) => (tensor ? to.address(tensor) : []));
}

function count(tensor: Tensor): number {
  return sizeOf(tensor.shape);
}
