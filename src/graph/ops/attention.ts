// Causal attention, softmax(q·kᵀ/√d)·v per head, without a stored score matrix: forward keeps one log-sum-exp per row, from which backward makes
// the probabilities again (Rabe & Staats 2021, arXiv 2112.05682; Dao et al. 2022, arXiv 2205.14135). Grouped-query heads: Ainslie et al. 2023.
import { check } from "../../base/index.ts";
import { defineOp } from "../define-op.ts";
import { f32, i32, type Tensor } from "../tensor.ts";

/** How rows are cut into sequences and channels into heads; `heads` is a multiple of `kvHeads`. */
export type AttentionAttributes = {
  readonly batch: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** A row attends at most so many keys, its own among them (Mistral 7B, Jiang et al. 2023, arXiv 2310.06825); all before it by default. */
  readonly window?: number;
};

/**
 * q [B·T, H·D], k and v [B·T, KV·D] → o [B·T, H·D]. Query row i attends keys j ≤ i, with a window those with j > i − window; query head h reads
 * kv head ⌊h / (H / KV)⌋.
 * @param firstKeys i32 [B·T], a document mask: for each row the first row of its document, counted from the beginning of its sequence, so that
 * row i attends firstKeys[i] ≤ j ≤ i. It never decreases within a sequence.
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, attributes: AttentionAttributes, firstKeys?: Tensor): Tensor {
  return attentionOp.apply({ q, k, v, firstKeys }, attributes).o;
}

const given = { q: "R Wq", k: "R Wk", v: "R Wk" } as const;
const masked = { "firstKeys?": "i32 R" } as const;

/** o, and lse [B, H, T]: the natural logarithm of the sum of exponentials of each row's scaled scores. */
export const attentionOp = defineOp<AttentionAttributes>()({
  name: "attention",
  inputs: { ...given, ...masked },
  outputs: { o: "R Wq", lse: "B H T" },
  sizes: (sizes, attributes) => split("attention", sizes, attributes),
  reference({ q, k, v, firstKeys }, { o, lse }, sizes, { window }) {
    const { D } = sizes;
    checkFirstKeys(firstKeys, sizes);
    forEachQuery(sizes, { firstKeys, window }, (row, lseAt, query, firstKey, keyFrom) => {
      const keyOf = (j: number) => keyFrom(firstKey + j);
      const keys = row + 1 - firstKey;
      const scores = Float64Array.from({ length: keys }, (_, j) => dot(q, query, k, keyOf(j), D) / Math.sqrt(D));
      const max = Math.max(...scores);
      const sum = scores.reduce((total, score) => total + Math.exp(score - max), 0);
      lse[lseAt] = max + Math.log(sum);
      scores.forEach((score, j) => addScaled({ of: o, at: query }, Math.exp(score - max) / sum, { of: v, at: keyOf(j) }, D));
    });
  },
  gradient({ q, k, v, o, lse, firstKeys }, { o: dO, lse: dLse }, attributes) {
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
      attributes: { batch: 2, heads: 2, kvHeads: 2 },
    },
    {
      inputs: [
        f32(45, 8),
        f32(45, 4),
        f32(45, 4),
        { ...i32(45), values: Array.from({ length: 45 }, (_, i) => (i < 35 ? 0 : i < 40 ? 35 : 40)) },
      ],
      attributes: { batch: 1, heads: 2, kvHeads: 1 },
    },
    { inputs: [f32(14, 8), f32(14, 4), f32(14, 4)], attributes: { batch: 2, heads: 2, kvHeads: 1, window: 3 } },
    { inputs: [f32(75, 4), f32(75, 4), f32(75, 4)], attributes: { batch: 1, heads: 1, kvHeads: 1, window: 40 }, differentiable: false },
    {
      inputs: [f32(9, 4), f32(9, 4), f32(9, 4), { ...i32(9), values: [0, 0, 0, 0, 0, 0, 6, 6, 6] }],
      attributes: { batch: 1, heads: 1, kvHeads: 1, window: 4 },
    },
  ],
});

/** The gradients, where p = exp(score − lse): dv = pᵀ·dO, ds = p ⊙ (dO·vᵀ − rowsum(dO ⊙ o)), dq = ds·k/√d, dk = dsᵀ·q/√d (Dao et al. 2022, appendix B.2). */
export const attentionGradientOp = defineOp<AttentionAttributes>()({
  name: "attentionGradient",
  inputs: { ...given, o: "R Wq", lse: "B H T", dO: "R Wq", ...masked },
  outputs: { dq: "R Wq", dk: "R Wk", dv: "R Wk" },
  sizes: (sizes, attributes) => split("attentionGradient", sizes, attributes),
  reference({ q, k, v, o, lse, dO, firstKeys }, { dq, dk, dv }, sizes, { window }) {
    const { D } = sizes;
    checkFirstKeys(firstKeys, sizes);
    forEachQuery(sizes, { firstKeys, window }, (row, lseAt, query, firstKey, keyOf) => {
      const delta = dot(dO, query, o, query, D);
      for (let j = firstKey; j <= row; j++) {
        const key = keyOf(j);
        const p = Math.exp(dot(q, query, k, key, D) / Math.sqrt(D) - lse[lseAt]!);
        const ds = (p * (dot(dO, query, v, key, D) - delta)) / Math.sqrt(D);
        addScaled({ of: dv, at: key }, p, { of: dO, at: query }, D);
        addScaled({ of: dq, at: query }, ds, { of: k, at: key }, D);
        addScaled({ of: dk, at: key }, ds, { of: q, at: query }, D);
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
      attributes: { batch: 1, heads: 2, kvHeads: 2 },
    },
    {
      inputs: [f32(98, 6), f32(98, 6), f32(98, 6), f32(98, 6), { ...f32(1, 1, 98), offset: 2 }, f32(98, 6)],
      attributes: { batch: 1, heads: 1, kvHeads: 1, window: 34 },
    },
  ],
});

/** The sizes of attention by letter. */
export type AttentionSizes = {
  readonly B: number; // sequences
  readonly H: number; // query heads
  readonly KV: number; // key and value heads
  readonly T: number; // rows of a sequence
  readonly D: number; // channels of a head
};

/** Rows into sequences, channels into heads. */
function split(
  op: string,
  { R, Wq, Wk }: Record<"R" | "Wq" | "Wk", number>,
  { batch: B, heads: H, kvHeads: KV, window = 1 }: AttentionAttributes,
): AttentionSizes {
  check(Number.isSafeInteger(window) && window > 0, op, () => `window is ${window}: it must be a positive integer, or left out`);
  check(R % B === 0, op, () => `${R} rows do not split into ${B} sequences`);
  check(H % KV === 0, op, () => `${H} query heads do not split over ${KV} key heads`);
  check(Wq % H === 0 && Wk * H === Wq * KV, op, () => `q has ${Wq} channels for ${H} heads, but k has ${Wk} for ${KV}`);
  return { B, H, KV, T: R / B, D: Wq / H };
}

/** @throws CriaError where a row's first key is behind it, or before that of the row above it in the same sequence. */
function checkFirstKeys(firstKeys: Int32Array | undefined, { T }: AttentionSizes): void {
  firstKeys?.forEach((first, row) => {
    const least = row % T === 0 ? 0 : firstKeys[row - 1]!;
    check(
      first >= least && first <= row % T,
      "attention",
      () => `the first key of row ${row % T} of sequence ${Math.floor(row / T)} is ${first}: it must be from ${least} to ${row % T}`,
    );
  });
}

/** Calls back with the row i, the index of its lse, the offset of its query and output, its first key, and the offset of key and value j. */
function forEachQuery(
  { B, H, KV, T, D }: AttentionSizes,
  { firstKeys, window = T }: { firstKeys: Int32Array | undefined; window: number | undefined },
  visit: (row: number, lseAt: number, query: number, firstKey: number, keyOf: (j: number) => number) => void,
): void {
  for (let b = 0; b < B; b++)
    for (let h = 0; h < H; h++)
      for (let i = 0; i < T; i++) {
        const kvHead = Math.floor(h / (H / KV));
        const firstKey = Math.max(firstKeys?.[b * T + i] ?? 0, i + 1 - window);
        visit(i, (b * H + h) * T + i, ((b * T + i) * H + h) * D, firstKey, (j) => ((b * T + j) * KV + kvHead) * D);
      }
}

/** Multiply-adds of one q·kᵀ: the causal half and the window only; documents are not known here. */
function products({ B, H, T, D }: AttentionSizes, window = T): number {
  let keys = 0;
  for (let row = 0; row < T; row++) keys += Math.min(row + 1, window);
  return B * H * D * keys;
}

function dot(a: Float64Array, aAt: number, b: Float64Array, bAt: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[aAt + i]! * b[bAt + i]!;
  return sum;
}

/** The elements of an array from a place on. */
interface Elements {
  readonly of: Float64Array;
  readonly at: number;
}

function addScaled(y: Elements, scale: number, x: Elements, length: number): void {
  for (let i = 0; i < length; i++) y.of[y.at + i]! += scale * x.of[x.at + i]!;
}
