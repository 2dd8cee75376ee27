import { describe, expect, test } from "vitest";
import { ints, random, runs, unwritten, worstError } from "../testing.test.helper.ts";
import { type RopeSizes, rope } from "./rope.ts";

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
/** Radians per position of pair i: the paper's, and one that turns several times per position and has pairs that stand still. */
const paper = (i: number, headDim: number) => 10000 ** ((-2 * i) / headDim);
const odd = (i: number) => [29.3, 0, 1e-9, 0.7][i % 4]!;

describe.each(runs)("$name", ({ run }) => {
  const check = (sizes: RopeSizes, frequency: (i: number, headDim: number) => number) => {
    const frequencies = Array.from({ length: sizes.headDim / 2 }, (_, i) => frequency(i, sizes.headDim));
    const x = random(sizes.rows * sizes.heads * sizes.headDim);
    const inputs = [x, ints(positions), table(frequencies, sizes.pairing)];
    const y = run(rope, sizes, [...inputs, unwritten(x.length)])[3]!;
    expect(worstError(y, turned(sizes, frequencies, x))).toBeLessThan(3e-7 * Math.max(1, sizes.attentionFactor));
    expect(run(rope, sizes, [...inputs, x])[3]).toEqual(y);
  };
  for (const pairing of ["half", "neighbours"] as const)
    for (const inverse of [false, true]) {
      const name = `${pairing}${inverse ? ", inverse" : ""}`;
      test.each(shapes)(`${name}: %i heads of %i`, (heads, headDim) => {
        check({ rows: positions.length, heads, headDim, pairing, attentionFactor: 1, inverse }, paper);
      });
      test(`${name}: an attention factor and frequencies of any size`, () => {
        check({ rows: positions.length, heads: 2, headDim: 34, pairing, attentionFactor: 1.37, inverse }, odd);
      });
    }
});

/** What the kernel reads, from its description. */
function table(frequencies: readonly number[], pairing: RopeSizes["pairing"]): Float32Array {
  const each = pairing === "half" ? frequencies : frequencies.flatMap((frequency) => [frequency, frequency]);
  const turns = each.map((frequency) => (frequency / 2 / Math.PI) * 2 ** 32);
  return ints([...turns.map(Math.round), ...turns.map((turn) => (turn - Math.round(turn)) * 2 ** 32)]);
}

function turned({ rows, heads, headDim, pairing, attentionFactor, inverse }: RopeSizes, frequencies: readonly number[], x: Float32Array) {
  const y = new Float64Array(x.length);
  const [first, second] = pairing === "half" ? [1, headDim / 2] : [2, 1];
  for (let row = 0; row < rows; row++)
    for (let head = 0; head < heads; head++)
      for (let i = 0; i < headDim / 2; i++) {
        const angle = positions[row]! * frequencies[i]! * (inverse ? -1 : 1);
        const [cos, sin] = [Math.cos(angle) * attentionFactor, Math.sin(angle) * attentionFactor];
        const a = (row * heads + head) * headDim + i * first;
        const b = a + second;
        y[a] = x[a]! * cos - x[b]! * sin;
        y[b] = x[b]! * cos + x[a]! * sin;
      }
  return y;
}
