// What the operations of the IR are on numbers, where that takes more than a formula: the judge of what machines do in one instruction.
import { fail } from "../base/index.ts";
import type { Target } from "./ir.ts";
import { float32Bits, float32Value } from "./narrow.ts";

/** a · b + c, with one rounding or two as the target has it; the last one is left to whoever writes the result. */
export function multiplyAdd({ fusedMultiplyAdd }: Target, a: number, b: number, c: number): number {
  return fusedMultiplyAdd ? roundedOnce(a, b, c) : Math.fround(a * b) + c;
}

/**
 * a · b is exact in float64 (24 + 24 bits); the sum is rounded there before it is rounded to float32, which differs from one rounding
 * only when the float64 sum lies halfway between two floats: then the sign of what was lost decides.
 */
function roundedOnce(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const virtual = sum - product; // TwoSum (Knuth): sum + lost = product + c exactly
  const lost = product - (sum - virtual) + (c - virtual);
  const rounded = Math.fround(sum);
  if (lost === 0 || !Number.isFinite(sum) || rounded === sum) return rounded;
  const other = nextFloat(rounded, sum > rounded);
  return Math.abs(sum - rounded) === Math.abs(other - sum) ? (lost > 0 === other > rounded ? other : rounded) : rounded;
}

function nextFloat(value: number, up: boolean): number {
  if (value === 0) return up ? 2 ** -149 : -(2 ** -149);
  return float32Value(float32Bits(value) + (up === value > 0 ? 1 : -1));
}

/** c plus the products of two pairs of bfloat16, those in the low halves of the words first. */
export function dotPairs(target: Target, a: number, b: number, c: number): number {
  const low = Math.fround(multiplyAdd(target, float32Value(a << 16), float32Value(b << 16), c));
  return multiplyAdd(target, float32Value(a & upperHalf), float32Value(b & upperHalf), low);
}

const upperHalf = -0x10000;

/** Sum of four products of bytes, those of a unsigned, those of b signed. @throws CriaError where a byte of a is more than `most`. */
export function dotBytes(a: number, b: number, most: number): number {
  return productOfBytes(a, b, most, 0) + productOfBytes(a, b, most, 8) + productOfBytes(a, b, most, 16) + productOfBytes(a, b, most, 24);
}

/** The same products, added in pairs. @throws CriaError where a byte of a is more than `most`, or 16 bits do not hold a sum. */
export function dotBytePairs(a: number, b: number, most: number): number {
  const [low, high] = [0, 16].map((shift) => productOfBytes(a, b, most, shift) + productOfBytes(a, b, most, shift + 8)) as [number, number];
  for (const sum of [low, high]) if ((sum << 16) >> 16 !== sum) fail("interpret", `pairsu8 has the sum ${sum}, which must fit 16 bits`);
  return halves(low, high);
}

function productOfBytes(a: number, b: number, most: number, shift: number): number {
  const byte = (a >>> shift) & 255;
  if (byte > most) fail("interpret", `a byte of ${byte} is multiplied, which must be at most ${most}`);
  return byte * ((b << (24 - shift)) >> 24);
}

/** Sums of the lower and of the upper 16 bits, each alone. */
export function addHalves(a: number, b: number): number {
  return halves(a + b, (a >>> 16) + (b >>> 16));
}

/** Sum of two products of signed numbers of 16 bits. */
export function dotHalves(a: number, b: number): number {
  return ((a << 16) >> 16) * ((b << 16) >> 16) + (a >> 16) * (b >> 16);
}

function halves(low: number, high: number): number {
  return (low & 0xffff) | (high << 16);
}

/** Sum of four products of signed bytes. @throws CriaError where a byte of b is -128, whose sign cannot be changed. */
export function dotSignedBytes(a: number, b: number): number {
  let sum = 0;
  for (let shift = 0; shift < 32; shift += 8) {
    const byte = (b << (24 - shift)) >> 24;
    if (byte === -128) fail("interpret", "dots8 multiplies by the byte -128, which must be at least -127");
    sum += ((a << (24 - shift)) >> 24) * byte;
  }
  return sum;
}

/** The table's byte for each of four bytes. @throws CriaError where one is more than 15. */
export function lookUpBytes(a: number, table: readonly number[]): number {
  let found = 0;
  for (let shift = 0; shift < 32; shift += 8) {
    const index = (a >>> shift) & 255;
    if (index > 15) fail("interpret", `vlookup looks up byte ${index} of a table of 16`);
    found |= table[index]! << shift;
  }
  return found;
}

/** float32 → int32, toward zero, saturating, NaN → 0. */
export function truncateSaturating(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(value)));
}

/**
 * All lanes as one, joined pairwise, the first half with the second; every step is rounded to float32.
 * @param count how many lanes are left at this step, @param i which of them is asked for.
 */
export function reduced(lanes: Float32Array, join: (x: number, y: number) => number, i = 0, count = 1): number {
  if (count === lanes.length) return lanes[i]!;
  return Math.fround(join(reduced(lanes, join, i, 2 * count), reduced(lanes, join, i + count, 2 * count)));
}
