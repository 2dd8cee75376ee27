// Rotary position embedding (Su et al. 2021, arXiv 2104.09864): pair i of a head at position m turns by m · theta^(−2i/d).
// Shapes: R rows, H heads, d channels of a head.
import { type Builder, type Int, kernel } from "../language.ts";
import { sinCos } from "./math.ts";
import { eachRow, rowAt } from "./rows.ts";

export interface RopeSizes {
  readonly rows: number;
  readonly heads: number;
  /** Even. */
  readonly headDim: number;
  /** Channels turned together: (i, i + d/2), or (2i, 2i + 1). */
  readonly pairing: "half" | "neighbours";
  /** Turns the other way: the gradient. */
  readonly inverse: boolean;
}

/** The bits that an angle's high part may have: a position below 2^13 times a frequency of 11 bits is exact in float32. */
const highBits = 11;

/**
 * The table that {@link rope} reads, [2, d/2]: theta^(−2i/d) / factor as a short high part and the rest. In one float32, the angle at
 * position 2048 would be off by 2e-4.
 */
export function ropeFrequencies(headDim: number, theta: number, factor = 1): Float32Array {
  const half = headDim / 2;
  const exact = Array.from({ length: half }, (_, i) => theta ** (-i / half) / factor);
  const high = exact.map((f) => {
    const unit = 2 ** (Math.floor(Math.log2(f)) + 1 - highBits);
    return Math.floor(f / unit) * unit;
  });
  return Float32Array.from([...high, ...exact.map((f, i) => f - high[i]!)]);
}

/**
 * Turns every head of a row by the row's position, |position| < 8192 for full precision; y may be x.
 * Pointers: x [R, H · d], positions i32 [R], frequencies [2, d/2] from {@link ropeFrequencies}, y [R, H · d].
 */
export const rope = kernel<RopeSizes>("rope", (k, { rows, heads, headDim, pairing, inverse }) => {
  const { x, positions, frequencies, y } = k.pointers("x", "positions", "frequencies", "y");
  const range = k.range();
  const turn = pairing === "half" ? turnHalves : turnNeighbours;
  const units = eachRow(k, rows, range, (row) => {
    storeAngles(k, headDim, k.loadInt(rowAt(positions, row, 1)), frequencies, range.scratch, inverse);
    if (pairing === "neighbours") spreadAngles(k, headDim, range.scratch);
    const [from, to] = [rowAt(x, row, heads * headDim), rowAt(y, row, heads * headDim)];
    k.loop(0, heads * headDim * 4, headDim * 4, (head) => turn(k, headDim, from.add(head), range.scratch, to.add(head)));
  });
  return { units, scratchBytes: (pairing === "half" ? 1 : 3) * headDim * 4 };
});

/** scratch = cos [d/2], ± sin [d/2]. */
function storeAngles(k: Builder, headDim: number, position: Int, frequencies: Int, scratch: Int, inverse: boolean): void {
  const half = headDim / 2;
  const at = k.splatInt(position).toFloat();
  k.lanes(half, (i) => {
    const { sin, cos } = sinCos(k, at.mul(k.load(frequencies, i)), at.mul(k.load(frequencies, i, half * 4)));
    k.store(cos, scratch, i);
    k.store(inverse ? sin.neg() : sin, scratch, i, half * 4);
  });
}

/** scratch[d …] = c0, c0, c1, c1, … [d], −s0, s0, −s1, s1, … [d]. */
function spreadAngles(k: Builder, headDim: number, scratch: Int): void {
  const negateFirst = k.iota().intEquals(k.intConstant(0)).select(k.constant(-0), k.constant(0));
  const pair = { offset: 0, span: 2, copy: 0 };
  k.loop(0, (headDim / 2) * 4, 4, (i) => {
    const from = scratch.add(i);
    const to = from.add(i);
    k.store(k.splat(from), to, pair, headDim * 4);
    k.store(k.splat(from, headDim * 2).xor(negateFirst), to, pair, headDim * 8);
  });
}

function turnHalves(k: Builder, headDim: number, from: Int, angles: Int, to: Int): void {
  const half = headDim * 2; // bytes
  k.lanes(headDim / 2, (at) => {
    const [a, b] = [k.load(from, at), k.load(from, at, half)];
    const [cos, sin] = [k.load(angles, at), k.load(angles, at, half)];
    k.store(a.mul(cos).sub(b.mul(sin)), to, at);
    k.store(b.mul(cos).add(a.mul(sin)), to, at, half);
  });
}

function turnNeighbours(k: Builder, headDim: number, from: Int, angles: Int, to: Int): void {
  k.lanes(headDim, (at) => {
    const pair = k.load(from, at);
    const [cos, sin] = [k.load(angles, at, headDim * 4), k.load(angles, at, headDim * 8)];
    k.store(pair.mul(cos).add(pair.swapNeighbours().mul(sin)), to, at);
  });
}
