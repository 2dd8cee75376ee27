import { describe, expect, test } from "vitest";
import { ints, random, runs, unwritten, worstError } from "../testing.test.helper.ts";
import { type RopeSizes, rope, ropeFrequencies } from "./rope.ts";

const theta = 10000;
const positions = [0, 1, 2, 17, 511, 8191, 131_071, 2 ** 20, 2 ** 24];
/** Heads and their channels: odd numbers of pairs, tails of every length, several vectors. */
const shapes = [
  [1, 2],
  [3, 6],
  [2, 10],
  [2, 34],
  [3, 48],
  [1, 64],
] as const;

describe.each(runs)("$name", ({ run }) => {
  for (const pairing of ["half", "neighbours"] as const)
    for (const inverse of [false, true])
      test.each(shapes)(`${pairing}${inverse ? ", inverse" : ""}: %i heads of %i`, (heads, headDim) => {
        const sizes = { rows: positions.length, heads, headDim, pairing, inverse };
        const x = random(sizes.rows * heads * headDim);
        const inputs = [x, ints(positions), ropeFrequencies(sizes, theta)];
        const y = run(rope, sizes, [...inputs, unwritten(x.length)])[3]!;
        expect(worstError(y, turned(sizes, x))).toBeLessThan(3e-7);
        expect(run(rope, sizes, [...inputs, x])[3]).toEqual(y);
      });
});

function turned({ rows, heads, headDim, pairing, inverse }: RopeSizes, x: Float32Array): Float64Array {
  const y = new Float64Array(x.length);
  const [first, second] = pairing === "half" ? [1, headDim / 2] : [2, 1];
  for (let row = 0; row < rows; row++)
    for (let head = 0; head < heads; head++)
      for (let i = 0; i < headDim / 2; i++) {
        const angle = positions[row]! * theta ** ((-2 * i) / headDim) * (inverse ? -1 : 1);
        const a = (row * heads + head) * headDim + i * first;
        const b = a + second;
        y[a] = x[a]! * Math.cos(angle) - x[b]! * Math.sin(angle);
        y[b] = x[b]! * Math.cos(angle) + x[a]! * Math.sin(angle);
      }
  return y;
}
