// Rotary position embedding (Su et al. 2021, arXiv 2104.09864): pair i of a head at position m turns by m · theta^(−2i/d).
// Shapes: R rows, H heads, d channels of a head.
import { type Builder, type Int, kernel } from "../language.ts";
import { sinCosOfTurn } from "./math.ts";
import { eachLiveRow, type Live, rowAt } from "./rows.ts";

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

/**
 * The table that {@link rope} reads, [2, n]: what pair i turns a position, theta^(−2i/d) / factor / 2π, in units of 2⁻³² turns, as an integer
 * (its bits) and the fraction left. A float32 angle would be off by 2e-4 at position 2048; whole turns fall out of an integer by
 * themselves. n is d/2, a number a pair, or for `neighbours` d, a number a channel.
 */
export function ropeFrequencies(sizes: Pick<RopeSizes, "headDim" | "pairing">, theta: number, factor = 1): Float32Array {
  const count = angles(sizes);
  const table = new Float32Array(2 * count);
  const whole = new Int32Array(table.buffer, 0, count);
  for (let i = 0; i < count; i++) {
    const pair = sizes.pairing === "half" ? i : Math.floor(i / 2);
    const turn = (theta ** ((-2 * pair) / sizes.headDim) / factor / (2 * Math.PI)) * 2 ** 32;
    whole[i] = Math.floor(turn);
    table[count + i] = turn - Math.floor(turn);
  }
  return table;
}

/** Angles that a row needs. */
function angles({ headDim, pairing }: Pick<RopeSizes, "headDim" | "pairing">): number {
  return pairing === "half" ? headDim / 2 : headDim;
}

/**
 * Turns every head of a row by the row's position; angles are within 5e-9 of theta^(−2i/d) · position up to positions of 2²⁴, and lose
 * precision slowly beyond. y may be x.
 * Pointers: x [R, H · d], positions i32 [R], frequencies [2, n] from {@link ropeFrequencies}, y [R, H · d].
 */
export const rope = kernel<RopeSizes & Live>("rope", (k, sizes) => {
  const { x, positions, frequencies, y } = k.pointers("x", "positions", "frequencies", "y");
  const { heads, headDim, pairing } = sizes;
  const turn = pairing === "half" ? turnHalves : turnNeighbours;
  const units = eachLiveRow(k, sizes, (row, scratch) => {
    storeAngles(k, sizes, k.loadInt(rowAt(positions, row, 1)), frequencies, scratch);
    const [from, to] = [rowAt(x, row, heads * headDim), rowAt(y, row, heads * headDim)];
    k.loop(0, heads * headDim * 4, headDim * 4, (head) => turn(k, headDim, from.add(head), scratch, to.add(head)));
  });
  return { units, scratchBytes: 2 * angles(sizes) * 4 };
});

/** scratch = cos [n], ± sin [n]; of neighbours, the first takes the second's part with a minus. */
function storeAngles(k: Builder, sizes: RopeSizes, position: Int, frequencies: Int, scratch: Int): void {
  const count = angles(sizes);
  const firsts = k.iota().intAdd(k.intConstant(1)).shiftLeft(31); // the sign bit, in even lanes
  const sign = sizes.pairing === "half" ? k.intConstant(0) : firsts;
  const flip = sizes.inverse ? sign.xor(k.intConstant(-(2 ** 31))) : sign;
  const at = k.splatInt(position);
  k.lanes(count, (i) => {
    const fraction = at.toFloat().mul(k.load(frequencies, i, count * 4));
    const { sin, cos } = sinCosOfTurn(k, at.intMul(k.load(frequencies, i)).intAdd(fraction.toInt()));
    k.store(cos, scratch, i);
    k.store(sin.xor(flip), scratch, i, count * 4);
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
    const [cos, sin] = [k.load(angles, at), k.load(angles, at, headDim * 4)];
    k.store(pair.mul(cos).add(pair.swapNeighbours().mul(sin)), to, at);
  });
}
