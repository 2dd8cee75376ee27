// Rotary position embedding (Su et al. 2021, arXiv 2104.09864): pair i of a head at position m turns by m times the pair's frequency.
// Shapes: R rows, H heads, d channels of a head.
import { type Builder, type Int, kernel, type Vec } from "../language.ts";
import { sinCosOfTurn } from "./math.ts";
import { eachLiveRow, type Live, rowAt } from "./rows.ts";

/** Sizes of rows [N, heads · headDim] whose heads are rotated, and how. */
export interface RopeSizes {
  readonly rows: number;
  readonly heads: number;
  /** Channels of a head; an even number. */
  readonly headDim: number;
  /** Channels rotated together: (i, i + d/2), or (2i, 2i + 1). */
  readonly pairing: "half" | "neighbours";
  /** What cosines and sines are multiplied by; 1 costs nothing. */
  readonly attentionFactor: number;
  /** Turns the other way: the gradient. */
  readonly inverse: boolean;
}

/** Angles that a row needs: one per pair, or for `neighbours` one per channel. */
function angles({ headDim, pairing }: Pick<RopeSizes, "headDim" | "pairing">): number {
  return pairing === "half" ? headDim / 2 : headDim;
}

/**
 * Turns every head of a row by the row's position; angles are within 5e-9 of frequency · position up to positions of 2²⁴, and lose
 * precision slowly beyond. y may be x.
 * Pointers: x [R, H · d], positions i32 [R], turns i32 [2, A], y [R, H · d]. A is d/2, a number per pair, or d for `neighbours`, a number per
 * channel; upper plus lower · 2⁻³² is what it turns by per position, in units of 2⁻³² turns. A float32 angle would be off by 2e-4 at position
 * 2048; whole turns fall out of an integer by themselves.
 */
export const rope = kernel<RopeSizes & Live>("rope", (k, sizes) => {
  const { x, positions, turns, y } = k.pointers("x", "positions", "turns", "y");
  const { heads, headDim } = sizes;
  const split = eachLiveRow(k, sizes, (row, scratch) => {
    storeAngles(k, sizes, k.loadInt(rowAt(positions, row, 1)), turns, scratch);
    const [from, to] = [rowAt(x, row, heads * headDim), rowAt(y, row, heads * headDim)];
    k.loop(0, heads * headDim * 4, headDim * 4, (head) => rotate(k, sizes, from.add(head), scratch, to.add(head)));
  });
  return { ...split, scratchBytes: anglesBytes(sizes) };
});

/** Bytes of what {@link storeAngles} stores. */
export function anglesBytes(sizes: Pick<RopeSizes, "headDim" | "pairing">): number {
  return 2 * angles(sizes) * 4;
}

/** Turns a head by stored angles; `to` may be `from`. */
export function rotate(k: Builder, { headDim, pairing }: Pick<RopeSizes, "headDim" | "pairing">, from: Int, angles: Int, to: Int): void {
  if (pairing === "half") rotateHalves(k, headDim, from, angles, to);
  else rotateNeighbours(k, headDim, from, angles, to);
}

/** scratch = cos [A], ± sin [A]; of neighbours, the first takes the second's part with a minus. */
export function storeAngles(k: Builder, sizes: Omit<RopeSizes, "rows" | "heads">, position: Int, turns: Int, scratch: Int): void {
  const count = angles(sizes);
  const firsts = k.iota().intAdd(k.intConstant(1)).shiftLeft(31); // the sign bit, in even lanes
  const sign = sizes.pairing === "half" ? k.intConstant(0) : firsts;
  const flip = sizes.inverse ? sign.xor(k.intConstant(-(2 ** 31))) : sign;
  const scaled = (part: Vec) => (sizes.attentionFactor === 1 ? part : part.mul(k.constant(sizes.attentionFactor)));
  const at = k.splatInt(position);
  const atLower = at.toFloat().mul(k.constant(2 ** -32));
  k.lanes(count, (i) => {
    const lower = atLower.mul(k.load(turns, i, count * 4).toFloat());
    const { sin, cos } = sinCosOfTurn(k, at.intMul(k.load(turns, i)).intAdd(lower.toInt()));
    k.store(scaled(cos), scratch, i);
    k.store(scaled(sin).xor(flip), scratch, i, count * 4);
  });
}

function rotateHalves(k: Builder, headDim: number, from: Int, angles: Int, to: Int): void {
  const half = headDim * 2; // bytes
  k.lanes(headDim / 2, (at) => {
    const [a, b] = [k.load(from, at), k.load(from, at, half)];
    const [cos, sin] = [k.load(angles, at), k.load(angles, at, half)];
    k.store(a.mul(cos).sub(b.mul(sin)), to, at);
    k.store(b.mul(cos).add(a.mul(sin)), to, at, half);
  });
}

function rotateNeighbours(k: Builder, headDim: number, from: Int, angles: Int, to: Int): void {
  k.lanes(headDim, (at) => {
    const pair = k.load(from, at);
    const [cos, sin] = [k.load(angles, at), k.load(angles, at, headDim * 4)];
    k.store(pair.mul(cos).add(pair.swapNeighbours().mul(sin)), to, at);
  });
}
