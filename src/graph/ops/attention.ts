// Causal attention, softmax(q·kᵀ/√d)·v per head, without a stored score matrix: forward keeps one log-sum-exp a row, from which backward makes
// the probabilities again (Rabe & Staats 2021, arXiv 2112.05682; Dao et al. 2022, arXiv 2205.14135). Grouped-query heads: Ainslie et al. 2023.
import { check } from "../../base/index.ts";
import { defineOp } from "../define-op.ts";
import { f32, i32, type Tensor } from "../tensor.ts";

export type AttentionAttributes = {
  readonly batch: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** Whether rows attend their own document alone, of several that are packed in a sequence: firstKeys says where it begins. */
  readonly documentMask?: true;
  /** A row attends at most so many keys, its own among them (Mistral 7B, Jiang et al. 2023, arXiv 2310.06825); all before it by default. */
  readonly window?: number;
};

/** What a row attends beside, or instead of, all keys of its sequence up to itself. */
export interface AttendedKeys {
  /** i32 [1], position of the first query: then k and v are cache states of Tk rows, and row i attends j ≤ start + i. No gradient. */
  readonly start?: Tensor | undefined;
  /** i32 [B·T], for each row the first row of its document, counted from the beginning of its sequence: row i attends firstKeys[i] ≤ j ≤ i. It never decreases within a sequence. */
  readonly firstKeys?: Tensor | undefined;
}

/** q [B·Tq, H·D], k and v [B·Tk, KV·D] → o [B·Tq, H·D]. Query row i attends keys j ≤ i, with a window those with j > i − window; query head h reads kv head ⌊h / (H / KV)⌋. */
export function attention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  attributes: Omit<AttentionAttributes, "documentMask">,
  { start, firstKeys }: AttendedKeys = {},
): Tensor {
  return attentionOp.apply({ q, k, v, start, firstKeys }, { ...attributes, ...(firstKeys && { documentMask: true as const }) }).o;
}

const given = { q: "Rq Wq", k: "Rk Wk", v: "Rk Wk" } as const;
const [cached, masked] = [{ "start?": "i32 1" }, { "firstKeys?": "i32 Rq" }] as const;
/** A list of inputs tells one optional input from another by its place: first keys come before the start where there are some. */
const shapes = { whole: { ...given, ...cached, ...masked }, masked: { ...given, ...masked, ...cached } } as const;

/** o, and lse [B, H, Tq]: the natural logarithm of the sum of exponentials of each row's scaled scores. */
export const attentionOp = defineOp<AttentionAttributes>()({
  name: "attention",
  inputs: (attributes) => (attributes.documentMask ? shapes.masked : shapes.whole),
  outputs: { o: "Rq Wq", lse: "B H Tq" },
  sizes: (sizes, attributes, { start, firstKeys }) => {
    check(
      (firstKeys !== undefined) === (attributes.documentMask ?? false),
      "attention",
      () => "has first keys if and only if it has a document mask",
    );
    check(
      start === undefined || firstKeys === undefined,
      "attention",
      () => "has a cache and first keys: leave one of them out, a cache holds one document",
    );
    return split("attention", sizes, attributes, start !== undefined);
  },
  reference({ q, k, v, start, firstKeys }, { o, lse }, sizes, { window }) {
    const { Tq, Tk, D } = sizes;
    const first = start?.[0] ?? 0;
    checkFirstKeys(firstKeys, sizes);
    check(first >= 0 && first + Tq <= Tk, "attention", () => `start ${first} and ${Tq} rows leave the cache of ${Tk} rows`);
    forEachQuery(sizes, { first, firstKeys, window }, (row, lseAt, query, firstKey, keyFrom) => {
      const keyOf = (j: number) => keyFrom(firstKey + j);
      const keys = first + row + 1 - firstKey;
      const scores = Float64Array.from({ length: keys }, (_, j) => dot(q, query, k, keyOf(j), D) / Math.sqrt(D));
      const max = Math.max(...scores);
      const sum = scores.reduce((total, score) => total + Math.exp(score - max), 0);
      lse[lseAt] = max + Math.log(sum);
      scores.forEach((score, j) => addScaled(o, query, Math.exp(score - max) / sum, v, keyOf(j), D));
    });
  },
  gradient({ q, k, v, o, lse, start, firstKeys }, { o: dO, lse: dLse }, attributes) {
    check(start === undefined, "attention", () => "has no gradient through a cache: omit start in training");
    check(dLse === undefined && dO !== undefined, "attention", () => "has a gradient through its first output only");
    const { dq, dk, dv } = attentionGradientOp.apply({ q, k, v, o, lse, dO, firstKeys }, attributes);
    return { q: dq, k: dk, v: dv };
  },
  recomputable: false,
  flops: (sizes, { window }) => 4 * products(sizes, window),
  examples: [
    { inputs: [f32(10, 6), f32(10, 6), f32(10, 6)], attributes: { batch: 2, heads: 2, kvHeads: 2 } },
    { inputs: [f32(21, 24), f32(21, 12), f32(21, 12)], attributes: { batch: 3, heads: 4, kvHeads: 2 } },
    { inputs: [{ ...f32(37, 8), scale: 3 }, f32(37, 8), f32(37, 8)], attributes: { batch: 1, heads: 1, kvHeads: 1 } },
    // Two documents in the first sequence, three in the second; the last example's first document is longer than a block of a kernel.
    {
      inputs: [f32(10, 6), f32(10, 6), f32(10, 6), { ...i32(10), values: [0, 0, 2, 2, 2, 0, 1, 1, 3, 3] }],
      attributes: { batch: 2, heads: 2, kvHeads: 2, documentMask: true },
    },
    {
      inputs: [
        f32(45, 8),
        f32(45, 4),
        f32(45, 4),
        { ...i32(45), values: Array.from({ length: 45 }, (_, i) => (i < 35 ? 0 : i < 40 ? 35 : 40)) },
      ],
      attributes: { batch: 1, heads: 2, kvHeads: 1, documentMask: true },
    },
    {
      inputs: [f32(3, 12), f32(9, 6), f32(9, 6), { ...i32(1), values: [4] }],
      attributes: { batch: 1, heads: 4, kvHeads: 2 },
      differentiable: false,
    },
    {
      inputs: [f32(1, 6), f32(5, 6), f32(5, 6), { ...i32(1), values: [0] }],
      attributes: { batch: 1, heads: 2, kvHeads: 2 },
      differentiable: false,
    },
    { inputs: [f32(14, 8), f32(14, 4), f32(14, 4)], attributes: { batch: 2, heads: 2, kvHeads: 1, window: 3 } },
    { inputs: [f32(75, 4), f32(75, 4), f32(75, 4)], attributes: { batch: 1, heads: 1, kvHeads: 1, window: 40 }, differentiable: false },
    {
      inputs: [f32(4, 12), f32(9, 6), f32(9, 6), { ...i32(1), values: [2] }],
      attributes: { batch: 1, heads: 4, kvHeads: 2, window: 4 },
      differentiable: false,
    },
    {
      inputs: [f32(9, 4), f32(9, 4), f32(9, 4), { ...i32(9), values: [0, 0, 0, 0, 0, 0, 6, 6, 6] }],
      attributes: { batch: 1, heads: 1, kvHeads: 1, documentMask: true, window: 4 },
    },
  ],
});

/** With p = exp(score − lse): dv = pᵀ·dO, ds = p ⊙ (dO·vᵀ − rowsum(dO ⊙ o)), dq = ds·k/√d, dk = dsᵀ·q/√d (Dao et al. 2022, appendix B.2). */
export const attentionGradientOp = defineOp<AttentionAttributes>()({
  name: "attentionGradient",
  inputs: { ...given, o: "Rq Wq", lse: "B H Tq", dO: "Rq Wq", ...masked },
  outputs: { dq: "Rq Wq", dk: "Rk Wk", dv: "Rk Wk" },
  sizes: (sizes, attributes) => split("attentionGradient", sizes, attributes, false),
  reference({ q, k, v, o, lse, dO, firstKeys }, { dq, dk, dv }, sizes, { window }) {
    const { D } = sizes;
    checkFirstKeys(firstKeys, sizes);
    forEachQuery(sizes, { first: 0, firstKeys, window }, (row, lseAt, query, firstKey, keyOf) => {
      const delta = dot(dO, query, o, query, D);
      for (let j = firstKey; j <= row; j++) {
        const key = keyOf(j);
        const p = Math.exp(dot(q, query, k, key, D) / Math.sqrt(D) - lse[lseAt]!);
        const ds = (p * (dot(dO, query, v, key, D) - delta)) / Math.sqrt(D);
        addScaled(dv, key, p, dO, query, D);
        addScaled(dq, query, ds, k, key, D);
        addScaled(dk, key, ds, q, query, D);
      }
    });
  },
  recomputable: false,
  flops: (sizes, { window }) => 10 * products(sizes, window),
  examples: [
    {
      inputs: [f32(10, 6), f32(10, 6), f32(10, 6), f32(10, 6), { ...f32(2, 2, 5), offset: 2 }, f32(10, 6)],
      attributes: { batch: 2, heads: 2, kvHeads: 2 },
    },
    {
      inputs: [f32(39, 24), f32(39, 12), f32(39, 12), f32(39, 24), { ...f32(3, 4, 13), offset: 2 }, f32(39, 24)],
      attributes: { batch: 3, heads: 4, kvHeads: 2 },
    },
    {
      inputs: [
        ...[f32(70, 6), f32(70, 6), f32(70, 6), f32(70, 6), { ...f32(1, 2, 70), offset: 2 }, f32(70, 6)],
        { ...i32(70), values: Array.from({ length: 70 }, (_, i) => (i < 30 ? 0 : i < 66 ? 30 : 66)) },
      ],
      attributes: { batch: 1, heads: 2, kvHeads: 2, documentMask: true },
    },
    {
      inputs: [f32(98, 6), f32(98, 6), f32(98, 6), f32(98, 6), { ...f32(1, 1, 98), offset: 2 }, f32(98, 6)],
      attributes: { batch: 1, heads: 1, kvHeads: 1, window: 34 },
    },
  ],
});

export type AttentionSizes = {
  readonly B: number; // sequences
  readonly H: number; // query heads
  readonly KV: number; // key and value heads
  readonly Tq: number; // query rows of a sequence
  readonly Tk: number; // key rows of a sequence
  readonly D: number; // channels of a head
};

/** Rows into sequences, channels into heads; over a cache, key rows may be more than query rows. */
function split(
  op: string,
  { Rq, Wq, Rk, Wk }: Record<"Rq" | "Wq" | "Rk" | "Wk", number>,
  { batch: B, heads: H, kvHeads: KV, window = 1 }: AttentionAttributes,
  cached: boolean,
): AttentionSizes {
  check(Number.isSafeInteger(window) && window > 0, op, () => `window is ${window}: it must be a positive integer, or left out`);
  check(Rq % B === 0 && Rk % B === 0, op, () => `${Rq} query rows and ${Rk} key rows do not split into ${B} sequences`);
  check(H % KV === 0, op, () => `${H} query heads do not split over ${KV} key heads`);
  check(Wq % H === 0 && Wk * H === Wq * KV, op, () => `q has ${Wq} channels for ${H} heads, but k has ${Wk} for ${KV}`);
  check(cached ? Rq <= Rk : Rq === Rk, op, () => `${Rq} query rows and ${Rk} key rows: without a cache they must be as many`);
  return { B, H, KV, Tq: Rq / B, Tk: Rk / B, D: Wq / H };
}

/** @throws CriaError where a row's first key is behind it, or before that of the row above it in the same sequence. */
function checkFirstKeys(firstKeys: Int32Array | undefined, { Tq }: AttentionSizes): void {
  firstKeys?.forEach((first, row) => {
    const least = row % Tq === 0 ? 0 : firstKeys[row - 1]!;
    check(
      first >= least && first <= row % Tq,
      "attention",
      () => `the first key of row ${row % Tq} of sequence ${Math.floor(row / Tq)} is ${first}: it must be from ${least} to ${row % Tq}`,
    );
  });
}

/**
 * Calls back with the row i, at position first + i, the index of its lse, the offset of its query and output, its first key, and the offset of
 * key and value j.
 */
function forEachQuery(
  { B, H, KV, Tq, Tk, D }: AttentionSizes,
  { first, firstKeys, window = Tk }: { first: number; firstKeys: Int32Array | undefined; window: number | undefined },
  visit: (row: number, lseAt: number, query: number, firstKey: number, keyOf: (j: number) => number) => void,
): void {
  for (let b = 0; b < B; b++)
    for (let h = 0; h < H; h++)
      for (let i = 0; i < Tq; i++) {
        const kvHead = Math.floor(h / (H / KV));
        const firstKey = Math.max(firstKeys?.[b * Tq + i] ?? 0, first + i + 1 - window);
        visit(i, (b * H + h) * Tq + i, ((b * Tq + i) * H + h) * D, firstKey, (j) => ((b * Tk + j) * KV + kvHead) * D);
      }
}

/** Multiply-adds of one q·kᵀ: the causal half and the window only; with a cache, as if it were full; documents are not known here. */
function products({ B, H, Tq, Tk, D }: AttentionSizes, window = Tk): number {
  let keys = 0;
  for (let position = Tk - Tq; position < Tk; position++) keys += Math.min(position + 1, window);
  return B * H * D * keys;
}

function dot(a: Float64Array, aAt: number, b: Float64Array, bAt: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[aAt + i]! * b[bAt + i]!;
  return sum;
}

function addScaled(y: Float64Array, yAt: number, scale: number, x: Float64Array, xAt: number, length: number): void {
  for (let i = 0; i < length; i++) y[yAt + i]! += scale * x[xAt + i]!;
}
