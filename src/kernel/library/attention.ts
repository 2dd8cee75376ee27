// Causal attention that never stores the score matrix and never computes masked blocks (LLaMA, section 2.4; Rabe & Staats 2021;
// Dao et al. 2022): blocks of queries meet blocks of keys, the softmax is corrected as it goes, the backward pass computes scores again.
import { type Builder, type Int, kernel, type Mask, type Position, type Vec } from "../language.ts";
import { exp, log } from "./math.ts";
import { blockProduct, eachStep, fill, type Result } from "./product.ts";

/** Sizes of causal attention over sequences of equal length; `heads` is a multiple of `kvHeads`. */
export interface AttentionSizes {
  readonly batch: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** Rows of a sequence: queries and keys. */
  readonly rows: number;
  readonly headDim: number;
  /** Whether rows attend keys from a first one of their own, their document's, which does not decrease from row to row of a sequence. */
  readonly documentMask?: true;
  /** A row attends at most so many keys, its own among them; all before it where there is none. */
  readonly window?: number | undefined;
}

/** Rows of a block: a block of scores (4 KB) stays in the first-level cache beside the pieces of q, k and v that it needs. */
const block = 32;
const scoreBytes = block * block * 4;
/** exp of it is 0, and it is finite, so that differences of two are not NaN. */
const lowest = -1e30;
/** The score of a key that a row does not attend where whole blocks of them are met: exp is 0 beside `lowest` too, so such a block adds nothing. */
const unattended = 2 * lowest;

/**
 * q [B·T, H·D], k and v [B·T, KV·D] → o, lse [B, H, T]. One unit per sequence and head. Pointers: q, k, v, o, lse; with `documentMask`,
 * firstKeys i32 [B·T] comes last: row i attends keys firstKeys[i] … i of its sequence.
 */
export const attention = kernel<AttentionSizes>("attention", (k, sizes) => {
  const pointers = k.pointers("q", "k", "v", "o", "lse");
  const firstKeys = sizes.documentMask && k.pointers("firstKeys").firstKeys;
  const { scratch, begin, end } = k.range();
  const { heads, kvHeads, rows, headDim } = sizes;
  const keysTransposed = scratch;
  const scores = keysTransposed.add(transposedBytes(sizes));
  const maxima = scores.add(scoreBytes);
  const sums = maxima.add(block * 4);
  k.loop(begin, end, 1, (unit) => {
    const sequence = unit.div(heads);
    const head = unit.rem(heads);
    const q = headOf(pointers.q, sequence, head, heads, sizes);
    const o = headOf(pointers.o, sequence, head, heads, sizes);
    const keys = headOf(pointers.k, sequence, head.div(heads / kvHeads), kvHeads, sizes);
    const values = headOf(pointers.v, sequence, head.div(heads / kvHeads), kvHeads, sizes);
    const lse = pointers.lse.add(unit.mul(rows * 4));
    const next = unit.add(1);
    const queriesAhead = [pointers.q, pointers.o].map((x) => headOf(x, next.div(heads), next.rem(heads), heads, sizes));
    const keysAhead = [pointers.k, pointers.v].map((x) => headOf(x, next.div(heads), next.rem(heads).div(heads / kvHeads), kvHeads, sizes));
    transposeKeys(k, sizes, keys, keysTransposed);
    k.loop(0, blocksOf(rows), 1, (queryBlock) => {
      prefetchBlock(k, queriesAhead, queryBlock, heads, headDim);
      prefetchBlock(k, keysAhead, queryBlock, kvHeads, headDim);
      k.blocks(queryBlock, rows, block, (count) => {
        const queries = { base: rowsFrom(q, queryBlock, heads, headDim), rowStride: heads * headDim * 4 };
        const output = { base: rowsFrom(o, queryBlock, heads, headDim), rowStride: heads * headDim * 4 };
        const places = { scores, maxima, sums, output };
        fill(k, maxima, block, k.constant(lowest));
        fill(k, sums, block, k.constant(0));
        k.loop(output.base, output.base.add(count * output.rowStride), output.rowStride, (row) => fill(k, row, headDim, k.constant(0)));
        const { firstBlock, hiddenBefore } = keysOf(k, sizes, firstKeys, sequence, queryBlock);
        const attend = (keyBlock: Int, keyCount: number, diagonal: boolean) => {
          const left = { ...queries, depthStride: 4 };
          const right = { base: keysTransposed.add(keyBlock.mul(headDim * block * 4)), depthStride: block * 4 };
          const c = { base: scores, rowStride: block * 4 };
          blockProduct(k, { rows: count, columns: block }, { depth: headDim, a: left, b: right, c, start: "zero" });
          k.loop(0, count, 1, (i) => softmaxRow(k, sizes, i, places, { diagonal, before: hiddenBefore?.(i, keyBlock) }));
          const weights = { base: scores, rowStride: block * 4, depthStride: 4 };
          const from = { base: rowsFrom(values, keyBlock, kvHeads, headDim), depthStride: kvHeads * headDim * 4 };
          blockProduct(k, { rows: count, columns: headDim }, { depth: keyCount, a: weights, b: from, c: output, start: "load" });
        };
        k.loop(firstBlock, queryBlock, 1, (keyBlock) => attend(keyBlock, block, false));
        attend(queryBlock, count, true);
        k.loop(0, count, 1, (i) => finishRow(k, headDim, i, places, lse.add(queryBlock.mul(block * 4))));
      });
    });
  });
  return { units: sizes.batch * heads, scratchBytes: transposedBytes(sizes) + scoreBytes + 2 * block * 4 };
});

/** Where a block of queries has its scores, the running maxima and sums of its rows, and its output. */
interface QueryPlaces {
  readonly scores: Int;
  readonly maxima: Int;
  readonly sums: Int;
  readonly output: Result;
}

/** Scores of row i become exponentials against the running maximum; what was summed before shrinks by the change. */
function softmaxRow(k: Builder, sizes: AttentionSizes, i: Int, { scores, maxima, sums, output }: QueryPlaces, hidden: Hidden): void {
  const row = scores.add(i.mul(block * 4));
  const scale = k.constant(1 / Math.sqrt(sizes.headDim));
  const score = (at: Position) => masked(k, k.load(row, at).mul(scale), { i, at }, hidden, hidden.before ? unattended : lowest);
  const place = i.mul(4);
  const old = k.splat(maxima.add(place));
  const max = old.max(k.maximum(block, score));
  const total = k.sum(block, (at) => {
    const value = exp(k, score(at).sub(max));
    k.store(value, row, at);
    return value;
  });
  const shrink = exp(k, old.sub(max));
  k.storeScalar(k.splat(sums.add(place)).fma(shrink, total), sums.add(place));
  k.storeScalar(max, maxima.add(place));
  const out = output.base.add(i.mul(output.rowStride));
  k.lanes(sizes.headDim, (at) => k.store(k.load(out, at).mul(shrink), out, at), 4);
}

function finishRow(k: Builder, headDim: number, i: Int, { maxima, sums, output }: QueryPlaces, lse: Int): void {
  const sum = k.splat(sums.add(i.mul(4)));
  const inverse = k.constant(1).div(sum);
  const out = output.base.add(i.mul(output.rowStride));
  k.lanes(headDim, (at) => k.store(k.load(out, at).mul(inverse), out, at), 4);
  k.storeScalar(k.splat(maxima.add(i.mul(4))).add(log(k, sum)), lse.add(i.mul(4)));
}

/** Gradients of q, k and v. One unit per sequence and key head. Pointers: q, k, v, o, lse, dO, dq, dk, dv, and with `documentMask` firstKeys. */
export const attentionGradient = kernel<AttentionSizes>("attentionGradient", (k, sizes) => {
  const p = k.pointers("q", "k", "v", "o", "lse", "dO", "dq", "dk", "dv");
  const firstKeys = sizes.documentMask && k.pointers("firstKeys").firstKeys;
  const { scratch, begin, end } = k.range();
  const { heads, kvHeads, rows, headDim } = sizes;
  const group = heads / kvHeads;
  const keysTransposed = scratch;
  const valuesTransposed = keysTransposed.add(transposedBytes(sizes));
  const weights = valuesTransposed.add(transposedBytes(sizes));
  const dScores = weights.add(scoreBytes);
  const keyStride = kvHeads * headDim * 4;
  k.loop(begin, end, 1, (unit) => {
    const sequence = unit.div(kvHeads);
    const kvHead = unit.rem(kvHeads);
    const [keys, values, dk, dv] = [p.k, p.v, p.dk, p.dv].map((x) => headOf(x, sequence, kvHead, kvHeads, sizes)) as [Int, Int, Int, Int];
    transposeKeys(k, sizes, keys, keysTransposed);
    transposeKeys(k, sizes, values, valuesTransposed);
    for (const gradient of [dk, dv])
      k.loop(gradient, gradient.add(rows * keyStride), keyStride, (row) => fill(k, row, headDim, k.constant(0)));
    const next = unit.add(1);
    const keysAhead = [p.k, p.v, p.dk, p.dv].map((x) => headOf(x, next.div(kvHeads), next.rem(kvHeads), kvHeads, sizes));
    k.loop(0, group, 1, (member) => {
      const head = kvHead.mul(group).add(member);
      const ahead = sequence.mul(heads).add(head).add(1);
      const queriesAhead = [p.q, p.o, p.dO, p.dq].map((x) => headOf(x, ahead.div(heads), ahead.rem(heads), heads, sizes));
      const ofHead = [p.q, p.o, p.dO, p.dq].map((x) => headOf(x, sequence, head, heads, sizes));
      const lse = p.lse.add(
        sequence
          .mul(heads)
          .add(head)
          .mul(rows * 4),
      );
      k.loop(0, blocksOf(rows), 1, (queryBlock) => {
        prefetchBlock(k, queriesAhead, queryBlock, heads, headDim);
        prefetchBlock(k, keysAhead, queryBlock, kvHeads, headDim);
        k.blocks(queryBlock, rows, block, (count) => {
          const [q, o, dO, dq] = ofHead.map((x) => rowsFrom(x, queryBlock, heads, headDim)) as [Int, Int, Int, Int];
          const queries = { count, q, o, dO, dq, lse: lse.add(queryBlock.mul(block * 4)) };
          const visible = keysOf(k, sizes, firstKeys, sequence, queryBlock);
          const against = (keyBlock: Int, keyCount: number, diagonal: boolean) => {
            const place = { keys, dk, dv, keysTransposed, valuesTransposed, weights, dScores, keyBlock, keyCount, diagonal };
            gradientOfBlocks(k, sizes, queries, place, visible);
          };
          k.loop(visible.firstBlock, queryBlock, 1, (keyBlock) => against(keyBlock, block, false));
          against(queryBlock, count, true);
        });
      });
    });
  });
  return { units: sizes.batch * kvHeads, scratchBytes: 2 * transposedBytes(sizes) + 2 * scoreBytes };
});

/** A block of queries of one head: the addresses of its rows, and of its logarithms of sums. */
interface QueryRows {
  readonly count: number;
  readonly q: Int;
  readonly o: Int;
  readonly dO: Int;
  readonly dq: Int;
  readonly lse: Int;
}

/** A block of keys, and the scratch in which it meets a block of queries. */
interface KeyRows {
  readonly keys: Int;
  readonly dk: Int;
  readonly dv: Int;
  readonly keysTransposed: Int;
  readonly valuesTransposed: Int;
  /** The block's scores, then their probabilities, and the gradients of both. */
  readonly weights: Int;
  readonly dScores: Int;
  readonly keyBlock: Int;
  readonly keyCount: number;
  readonly diagonal: boolean;
}

/** Adds to dq, dk and dv what a block of queries and a block of keys give; the first block of keys that the queries attend begins dq. */
function gradientOfBlocks(
  k: Builder,
  sizes: AttentionSizes,
  { count, q, o, dO, dq, lse }: QueryRows,
  { keys, dk, dv, keysTransposed, valuesTransposed, weights, dScores, keyBlock, keyCount, diagonal }: KeyRows,
  { firstBlock, hiddenBefore }: VisibleKeys,
): void {
  const { heads, kvHeads, headDim } = sizes;
  const [queryStride, keyStride] = [heads * headDim * 4, kvHeads * headDim * 4];
  const score = { rows: count, columns: block };
  const transposed = (base: Int) => ({ base: base.add(keyBlock.mul(headDim * block * 4)), depthStride: block * 4 });
  const left = (base: Int) => ({ base, rowStride: queryStride, depthStride: 4 });
  const into = (base: Int) => ({ depth: headDim, c: { base, rowStride: block * 4 }, start: "zero" as const });
  blockProduct(k, score, { ...into(weights), a: left(q), b: transposed(keysTransposed) });
  blockProduct(k, score, { ...into(dScores), a: left(dO), b: transposed(valuesTransposed) });
  k.loop(0, count, 1, (i) => {
    const offset = i.mul(queryStride);
    const delta = k.sum(headDim, (at) => k.load(dO.add(offset), at).mul(k.load(o.add(offset), at)));
    const hidden = { diagonal, before: hiddenBefore?.(i, keyBlock) };
    scoreGradientRow(k, sizes, i, { weights, dScores, lse: k.splat(lse.add(i.mul(4))), delta }, hidden);
  });
  const [kBlock, dkBlock, dvBlock] = [keys, dk, dv].map((x) => rowsFrom(x, keyBlock, kvHeads, headDim)) as [Int, Int, Int];
  const transposedScores = (base: Int) => ({ base, rowStride: 4, depthStride: block * 4 });
  const byKey = { rows: keyCount, columns: headDim };
  const rowsOf = (base: Int) => ({ base, depthStride: queryStride });
  const addedTo = (base: Int) => ({ depth: count, c: { base, rowStride: keyStride }, start: "load" as const });
  blockProduct(k, byKey, { ...addedTo(dvBlock), a: transposedScores(weights), b: rowsOf(dO) });
  blockProduct(k, byKey, { ...addedTo(dkBlock), a: transposedScores(dScores), b: rowsOf(q) });
  const straight = { base: dScores, rowStride: block * 4, depthStride: 4 };
  blockProduct(
    k,
    { rows: count, columns: headDim },
    {
      depth: keyCount,
      a: straight,
      b: { base: kBlock, depthStride: keyStride },
      c: { base: dq, rowStride: queryStride },
      start: { first: firstBlock === 0 ? keyBlock : keyBlock.sub(firstBlock) },
    },
  );
}

/** The scores of a block and their gradients, and of one row the logarithm of its sum and Σ dO · o. */
interface ScoreRow {
  readonly weights: Int;
  readonly dScores: Int;
  readonly lse: Vec;
  readonly delta: Vec;
}

/** Scores become probabilities p = exp(s − lse), and their gradients p · (dP − delta), scaled as the scores are. */
function scoreGradientRow(k: Builder, sizes: AttentionSizes, i: Int, { weights, dScores, lse, delta }: ScoreRow, hidden: Hidden): void {
  const scale = k.constant(1 / Math.sqrt(sizes.headDim));
  const row = weights.add(i.mul(block * 4));
  const dRow = dScores.add(i.mul(block * 4));
  k.lanes(block, (at) => {
    const p = masked(k, exp(k, k.load(row, at).mul(scale).sub(lse)), { i, at }, hidden, 0);
    k.store(p, row, at);
    k.store(k.load(dRow, at).sub(delta).mul(p).mul(scale), dRow, at);
  });
}

/** Which scores of a row in a block are those of keys that the row does not attend. */
interface Hidden {
  /** Whether scores of keys behind the row are among them: the block is on the diagonal. */
  readonly diagonal: boolean;
  /** The scores of so many first keys of the block are among them; a negative number or 0 for none. */
  readonly before: Int | undefined;
}

/** Where the keys begin that the rows of a block of queries attend. */
interface VisibleKeys {
  /** The first block of keys that any of the rows attends. */
  readonly firstBlock: Int | 0;
  /** Where documents are packed or there is a window, how many keys of a block lie before those that row i attends. */
  readonly hiddenBefore?: (i: Int, keyBlock: Int) => Int;
}

function keysOf(
  k: Builder,
  { rows, window = rows }: AttentionSizes,
  firstKeys: Int | undefined,
  sequence: Int,
  queryBlock: Int,
): VisibleKeys {
  const here = firstKeys?.add(sequence.mul(rows * 4)).add(queryBlock.mul(block * 4));
  const isWindowed = window < rows;
  if (!here && !isWindowed) return { firstBlock: 0 };
  /** Row i's first key; with neither documents nor a window it would be 0. */
  const firstOf = (i: Int | number) => {
    const ofDocument = here && k.loadInt(typeof i === "number" ? here.add(4 * i) : here.add(i.mul(4)));
    const ofWindow = isWindowed
      ? queryBlock
          .mul(block)
          .add(i)
          .add(1 - window)
      : k.int(0);
    return ofDocument && isWindowed ? ofDocument.max(ofWindow) : (ofDocument ?? ofWindow);
  };
  const firstBlock = firstOf(0).max(0).div(block).min(queryBlock); // what is in memory leads nowhere outside
  return { firstBlock, hiddenBefore: (i, keyBlock) => firstOf(i).sub(keyBlock.mul(block)) };
}

/** Scores of row i in a block of keys. */
interface ScorePlace {
  readonly i: Int;
  readonly at: Position;
}

/** The value where the row attends the key, elsewhere `outside`. */
function masked(k: Builder, value: Vec, { i, at }: ScorePlace, { diagonal, before }: Hidden, outside: number): Vec {
  if (!diagonal && !before) return value;
  const first = at.index ? at.index.add(at.offset).div(4) : k.int(at.offset / 4);
  const hide = (kept: Vec, isHidden: Mask) => isHidden.select(k.constant(outside), kept);
  const notBehind = diagonal ? hide(value, k.splatInt(i).intLess(k.iota().intAdd(k.splatInt(first)))) : value;
  return before ? hide(notBehind, k.iota().intAdd(k.splatInt(first)).intLess(k.splatInt(before))) : notBehind;
}

/** Keys of one head as [block of rows][channel][row in the block], zeros behind the last row. */
function transposeKeys(k: Builder, { rows, kvHeads, headDim }: AttentionSizes, keys: Int, to: Int): void {
  const stride = kvHeads * headDim * 4;
  k.loop(0, blocksOf(rows), 1, (index) =>
    k.blocks(index, rows, block, (count) => {
      const from = rowsFrom(keys, index, kvHeads, headDim);
      const blockTo = to.add(index.mul(headDim * block * 4));
      eachStep(k, headDim, k.laneCount, (channels, first) => {
        const column = from.add(typeof first === "number" ? first * 4 : first.mul(4));
        const target = blockTo.add(typeof first === "number" ? first * block * 4 : first.mul(block * 4));
        for (let j = 0; j < block; j += k.laneCount)
          transposeSquare(k, column, target, { j, count: Math.min(k.laneCount, count - j), channels, stride });
      });
    }),
  );
}

/** Rows j … j + count of a column of `channels` channels, `stride` bytes apart. */
interface Square {
  readonly j: number;
  readonly count: number;
  readonly channels: number;
  readonly stride: number;
}

/** Transposes a square in registers; rows that do not exist are zeros. */
function transposeSquare(k: Builder, column: Int, target: Int, { j, count, channels, stride }: Square): void {
  const span = channels === k.laneCount ? "full" : channels;
  const rows = Array.from({ length: k.laneCount }, (_, i) =>
    i < count ? k.load(column, { offset: 0, span, copy: 0 }, (j + i) * stride) : k.variable(),
  );
  const columns = k.transpose(rows);
  for (let c = 0; c < channels; c++) k.store(columns[c]!, target, { offset: (c * block + j) * 4, span: "full", copy: 0 });
}

function transposedBytes({ rows, headDim }: AttentionSizes): number {
  return blocksOf(rows) * block * headDim * 4;
}

function blocksOf(rows: number): number {
  return Math.ceil(rows / block);
}

/** First row of a block. */
function rowsFrom(base: Int, blockIndex: Int, heads: number, headDim: number): Int {
  return base.add(blockIndex.mul(block * heads * headDim * 4));
}

/** First row of a head in a sequence. */
function headOf(base: Int, sequence: Int, head: Int, heads: number, { rows, headDim }: AttentionSizes): Int {
  return base.add(sequence.mul(rows * heads * headDim * 4)).add(head.mul(headDim * 4));
}

/** Asks for a block of rows of the heads that come next: pieces of rows, which the machine does not foresee. */
function prefetchBlock(k: Builder, heads: readonly Int[], blockIndex: Int, count: number, headDim: number): void {
  for (const head of heads) {
    const from = rowsFrom(head, blockIndex, count, headDim);
    k.loop(from, from.add(block * count * headDim * 4), count * headDim * 4, (row) => {
      for (let at = 0; at < headDim * 4; at += 64) k.prefetch(row, at);
    });
  }
}
