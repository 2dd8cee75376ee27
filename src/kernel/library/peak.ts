// What a machine can do at most, reached by our own code: multiply-adds that never leave the registers, and streams of memory with next
// to no arithmetic. Other kernels are held against these.
import type { Target } from "../ir.ts";
import { kernel, type Position, type Vec } from "../language.ts";

/** What is multiplied: floats, pairs of bf16 into floats, or quads of bytes into integers. */
export type PeakProduct = "float32" | "bf16" | "int8";

const productsOfLane: Readonly<Record<PeakProduct, number>> = { float32: 1, bf16: 2, int8: 4 };

/** What one instruction of the target multiplies and sums. */
export function peakProducts({ bf16Dot, int8Dot }: Target): PeakProduct[] {
  return ["float32", ...(bf16Dot ? (["bf16"] as const) : []), ...(int8Dot ? (["int8"] as const) : [])];
}

/** How much a measurement of the peak rate computes. */
export interface PeakSizes {
  /** float32 where it is left out. */
  readonly product?: PeakProduct;
  readonly units: number;
  /** Multiply-adds of each accumulator in a unit. */
  readonly repeats: number;
}

/** Accumulators of {@link multiplyAddPeak}: a matrix product's, which are more than the latency of a multiply-add asks for. */
function accumulators({ tile }: Target): number {
  return tile.rows * tile.vectors;
}

/** Operations of {@link multiplyAddPeak}, two a multiply-add. */
export function multiplyAddPeakFlops(target: Target, { product = "float32", units, repeats }: PeakSizes): number {
  return 2 * units * repeats * accumulators(target) * target.lanes * productsOfLane[product];
}

/**
 * y[unit] = Σ over accumulators and repeats of factors[0] · factors[1] in float32, factors being words of what is multiplied.
 * Pointers: factors [2], y [units].
 */
export const multiplyAddPeak = kernel<PeakSizes>("multiplyAddPeak", (k, { product = "float32", units, repeats }) => {
  const { factors, y } = k.pointers("factors", "y");
  const { begin, end } = k.range();
  const [a, b] = [k.splat(factors), k.splat(factors, 4)];
  k.loop(begin, end, 1, (unit) => {
    const sums = Array.from({ length: accumulators(k.target) }, () => k.variable());
    k.loop(0, repeats, 1, () => sums.forEach((sum) => accumulate[product](sum, a, b)));
    k.storeScalar(total(product === "int8" ? sums.map((sum) => sum.toFloat()) : sums), y.add(unit.mul(4)));
  });
  return { units };
});

const accumulate: Readonly<Record<PeakProduct, (sum: Vec, a: Vec, b: Vec) => void>> = {
  float32: (sum, a, b) => sum.accumulate(a, b),
  bf16: (sum, a, b) => sum.accumulatePairs(a, b),
  int8: (sum, a, b) => sum.accumulateBytes(a, b),
};

/** How many arrays a pass over memory touches. */
export interface StreamMix {
  /** Read only. */
  readonly reads: number;
  /** Written only. */
  readonly writes: number;
  /** Read, then written in place. */
  readonly updates: number;
}

/** How many elements each array of a measurement of bandwidth has, and how many arrays there are. */
export interface StreamSizes extends StreamMix {
  readonly count: number;
}

/** Bytes that the pass must move: what is read and what is written, an update both. */
export function streamBytes({ count, reads, writes, updates }: StreamSizes): number {
  return 4 * count * (reads + writes + 2 * updates);
}

/** Elements of a unit: several pages of each array. */
const streamBlock = 16384;

/** The sum of all arrays read, element by element, into all arrays written. Pointers: the reads, the updates, the writes, each [count]. */
export const stream = kernel<StreamSizes>("stream", (k, { count, reads, writes, updates }) => {
  const arrays = Array.from({ length: reads + updates + writes }, (_, i) => k.pointers(`array${i}`)[`array${i}`]!);
  const body = (at: Position) => {
    const sum = total(arrays.slice(0, reads + updates).map((array) => k.load(array, at)));
    for (const array of arrays.slice(reads)) k.store(sum, array, at);
  };
  return { units: k.flat(count, k.range(), body, streamBlock) };
});

function total(values: readonly Vec[]): Vec {
  return values.reduce((sum, value) => sum.add(value));
}
