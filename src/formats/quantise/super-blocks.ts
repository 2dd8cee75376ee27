// Blocks of 256 values: blocks of 16 or 32 of them have scales, and minima, in a few bits, which are steps of the super-block's own
// (ggml-common.h).
//
//   q4_K | d f16 | dmin f16 | 8 scales and 8 minima u6 | q u4[256] |                              d · scale · q − dmin · minimum
//   q5_K | d f16 | dmin f16 | 8 scales and 8 minima u6 | high bits u1[256] | low bits u4[256] |   the same
//   q6_K | low bits u4[256] | high bits u2[256] | 16 scales i8 | d f16 |                          d · scale · (q − 32)
//
// The least Σ w · (x − x̂)² is searched in three steps: every block's best scale and minimum by themselves (fit-scale.ts), the super-block's steps
// with which these are hit best, and for each block the steps around the nearest ones; then every value becomes the quant that is nearest.
import { float16Bits, float16Value } from "../../base/index.ts";
import { type Fit, fitAroundZero, fitWithMinimum, type QuantRange, type Scales, type Weighted } from "./fit-scale.ts";
import type { BlockWriter } from "./simple-blocks.ts";

const size = 256;
const ones = new Float32Array(size).fill(1);
// What follows is of the super-block that is being written; a copy costs less than a view.
const current = new Float32Array(size);
/** Its quants, all from 0 on. */
const quants = new Uint8Array(size);
/** What its blocks want of its steps, and how much each counts. */
const [wanted, counts] = [new Float32Array(16), new Float32Array(16)];

/** A writer per layout. */
export const superBlocks = {
  q4_K(values, from, out, at, importance) {
    putScales(fitSuperBlock(weighted(values, from, importance), fifteens), out, at);
    putNibblePairs(out, at + 16);
  },
  q5_K(values, from, out, at, importance) {
    putScales(fitSuperBlock(weighted(values, from, importance), thirtyOnes), out, at);
    for (let i = 0; i < 32; i++) {
      let bits = 0;
      for (let j = 0; j < 8; j++) bits |= (quants[32 * j + i]! >> 4) << j;
      out.setUint8(at + 16 + i, bits);
    }
    putNibblePairs(out, at + 48);
  },
  q6_K(values, from, out, at, importance) {
    const { d, chosen } = fitSuperBlock(weighted(values, from, importance), sixtyThrees);
    putSixBits(out, at);
    for (let j = 0; j < 16; j++) out.setInt8(at + 192 + j, chosen[j]!.scale);
    out.setUint16(at + 208, d, true);
  },
} as const satisfies Record<string, BlockWriter>;

/** How the blocks of a super-block are made. */
interface Form {
  /** Values of a block. */
  readonly count: number;
  /** The largest quant, where the least is 0. */
  readonly most: number;
  /** What a block's scale may be in steps of the super-block's. */
  readonly steps: QuantRange;
  /** The quant that stands for zero; undefined where blocks have minima. */
  readonly zero?: number;
}

const sixBits: QuantRange = { least: 0, most: 63, end: 63 };
const fifteens: Form = { count: 32, most: 15, steps: sixBits };
const thirtyOnes: Form = { count: 32, most: 31, steps: sixBits };
const sixtyThrees: Form = { count: 16, most: 63, steps: { least: -128, most: 127, end: -128 }, zero: 32 };

/** The scales of a super-block as they are written: d and dmin are bits of binary16, the others are their multiples, block by block. */
interface Chosen {
  readonly d: number;
  readonly dmin: number;
  readonly chosen: readonly Scales[];
}

function weighted(values: Float32Array, from: number, weights: Float32Array = ones): Weighted {
  for (let i = 0; i < size; i++) current[i] = values[from + i]!;
  return { values: current, weights, from: 0, count: size };
}

/** Chooses all scales, and fills the quants. */
function fitSuperBlock(all: Weighted, form: Form): Chosen {
  const { count, most, steps, zero } = form;
  const blocks = Array.from({ length: size / count }, (_, j): Weighted => ({ ...all, from: count * j, count }));
  const fits = blocks.map((block) =>
    zero === undefined ? fitWithMinimum(block, most) : fitAroundZero(block, { least: -zero, most: most - zero, end: -zero }),
  );
  const [d, dmin] = [stepFor(fits, "scale", steps), stepFor(fits, "minimum", sixBits)];
  const unit = { scale: float16Value(d), minimum: float16Value(dmin) };
  return { d, dmin, chosen: blocks.map((block, j) => chooseSteps(block, fits[j]!, unit, form)) };
}

/** The step whose multiples are the nearest to what the blocks want, as bits of binary16. */
function stepFor(fits: readonly Fit[], value: "scale" | "minimum", range: QuantRange): number {
  for (const [j, fit] of fits.entries()) {
    wanted[j] = fit[value];
    counts[j] = value === "scale" ? fit.scaleWeight : fit.minimumWeight;
  }
  return float16Bits(fitAroundZero({ values: wanted, weights: counts, from: 0, count: fits.length }, range).scale);
}

/** The multiples of a super-block's steps with which a block's error is least: the nearest, or their neighbours, first of the scale, then of the minimum. */
function chooseSteps(block: Weighted, fit: Fit, unit: Scales, { most, steps, zero }: Form): Scales {
  const errorWith = (scale: number, minimum: number) => errorOf(block, offsetBy(zero, scale * unit.scale, minimum * unit.minimum), most);
  const nearest = multipleNear(fit.minimum, unit.minimum, sixBits);
  const scale = bestOf(multipleNear(fit.scale, unit.scale, steps), steps, (one) => errorWith(one, nearest));
  const minimum = unit.minimum === 0 ? 0 : bestOf(nearest, sixBits, (one) => errorWith(scale, one));
  fillQuants(block, offsetBy(zero, scale * unit.scale, minimum * unit.minimum), most);
  return { scale, minimum };
}

function bestOf(nearest: number, { least, most }: QuantRange, errorWith: (multiple: number) => number): number {
  let [best, error] = [nearest, errorWith(nearest)];
  for (const neighbour of [nearest - 1, nearest + 1]) {
    if (neighbour < least || neighbour > most) continue;
    const its = errorWith(neighbour);
    if (its < error) [best, error] = [neighbour, its];
  }
  return best;
}

function multipleNear(value: number, unit: number, { least, most }: QuantRange): number {
  return unit === 0 ? 0 : Math.max(least, Math.min(Math.floor(value / unit + 0.5), most));
}

/** Quants that begin with 0 have a minimum in any form: x̂ = scale · (q − zero). */
function offsetBy(zero: number | undefined, scale: number, minimum: number): Scales {
  return { scale, minimum: zero === undefined ? minimum : zero * scale };
}

function errorOf({ values, weights, from, count }: Weighted, { scale, minimum }: Scales, most: number): number {
  const inverse = scale === 0 ? 0 : 1 / scale;
  let sum = 0;
  for (let i = from; i < from + count; i++) {
    const q = Math.max(0, Math.min((values[i]! + minimum) * inverse + 0.5, most)) | 0;
    const error = scale * q - minimum - values[i]!;
    sum += weights[i]! * error * error;
  }
  return sum;
}

function fillQuants({ values, from, count }: Weighted, { scale, minimum }: Scales, most: number): void {
  const inverse = scale === 0 ? 0 : 1 / scale;
  for (let i = from; i < from + count; i++) quants[i] = Math.max(0, Math.min((values[i]! + minimum) * inverse + 0.5, most));
}

/** Six bits each: bytes j and j + 4 begin with scale and minimum j of the first four, whose upper two bits are those of the last four. */
function putScales({ d, dmin, chosen }: Chosen, out: DataView, at: number): void {
  out.setUint16(at, d, true);
  out.setUint16(at + 2, dmin, true);
  for (let j = 0; j < 4; j++) {
    const [first, last] = [chosen[j]!, chosen[j + 4]!];
    out.setUint8(at + 4 + j, first.scale | ((last.scale >> 4) << 6));
    out.setUint8(at + 8 + j, first.minimum | ((last.minimum >> 4) << 6));
    out.setUint8(at + 12 + j, (last.scale & 15) | ((last.minimum & 15) << 4));
  }
}

/** Every 32 bytes hold the lower four bits of two blocks. */
function putNibblePairs(out: DataView, at: number): void {
  for (let i = 0; i < size / 2; i++) {
    const first = 64 * (i >> 5) + (i & 31);
    out.setUint8(at + i, (quants[first]! & 15) | ((quants[first + 32]! & 15) << 4));
  }
}

/** Elements i, i + 32, i + 64 and i + 96 of either half of 128 share a byte of high bits; the first and third share one of low bits, and so do the others. */
function putSixBits(out: DataView, at: number): void {
  for (let half = 0; half < 2; half++)
    for (let i = 0; i < 32; i++) {
      const q = (quarter: number) => quants[128 * half + 32 * quarter + i]!;
      out.setUint8(at + 64 * half + i, (q(0) & 15) | ((q(2) & 15) << 4));
      out.setUint8(at + 64 * half + 32 + i, (q(1) & 15) | ((q(3) & 15) << 4));
      out.setUint8(at + 128 + 32 * half + i, (q(0) >> 4) | ((q(1) >> 4) << 2) | ((q(2) >> 4) << 4) | ((q(3) >> 4) << 6));
    }
}
