import { describe, expect, test } from "vitest";
import type { KernelDefinition } from "../language.ts";
import { ints, random, runs, sameBits, unwritten } from "../testing.test.helper.ts";
import { activation, glu } from "./activation.ts";
import { add, addBias, scale } from "./elementwise.ts";
import { embeddingRows } from "./embedding.ts";
import { layerNorm, rmsNorm } from "./norm.ts";
import { rope } from "./rope.ts";
import type { Elements, Live } from "./rows.ts";

/** A kernel over rows, its constants, and its pointers before the output and the number of live rows. */
interface Case {
  readonly definition: KernelDefinition<never>;
  readonly constants: object;
  readonly live: Live | Pick<Elements, "liveWidth">;
  readonly inputs: readonly Float32Array[];
}

function cases(rows: number, width: number): Case[] {
  const count = rows * width;
  const [x, y, gain, bias] = [random(count, 1), random(count, 2), random(width, 3), random(width, 4)] as const;
  const tokens = ints(Array.from({ length: rows }, (_, i) => (5 * i) % 7));
  const positions = ints(Array.from({ length: rows }, (_, i) => 3 * i));
  const headDim = 2;
  const pairing = "half" as const;
  const heads = { rows, heads: width / headDim, headDim, pairing, attentionFactor: 1, inverse: false };
  const swish = { count, activation: "swish", beta: 1 } as const;
  const byRow = { live: { live: true } } as const;
  const byElement = { live: { liveWidth: width } } as const;
  return [
    {
      ...byRow,
      definition: embeddingRows,
      constants: { type: "f32", rows, channels: width, vocabulary: 7 },
      inputs: [random(7 * width, 5), tokens],
    },
    { ...byRow, definition: rmsNorm, constants: { rows, channels: width, epsilon: 1e-5 }, inputs: [x, gain] },
    { ...byRow, definition: layerNorm, constants: { rows, channels: width, epsilon: 1e-5 }, inputs: [x, gain, bias] },
    ...(width % 2 === 0
      ? [{ ...byRow, definition: rope, constants: heads, inputs: [x, positions, ints([683_565_276, -72_843_213])] }]
      : []),
    { ...byElement, definition: glu, constants: swish, inputs: [x, y] },
    { ...byElement, definition: activation, constants: swish, inputs: [x] },
    { ...byElement, definition: add, constants: { count }, inputs: [x, y] },
    { ...byElement, definition: scale, constants: { count, factor: 0.3 }, inputs: [x] },
    { ...byRow, definition: addBias, constants: { rows, channels: width }, inputs: [x, bias] },
    ...(width % 2 === 0
      ? [{ ...byRow, definition: rmsNorm, constants: { rows, channels: width / 2, heads: 2, epsilon: 1e-5 }, inputs: [x, gain] }]
      : []),
  ];
}

describe.each(runs)("$name", ({ run }) => {
  test.each([
    [20, 67],
    [9, 80],
    [3, 4096 + 22],
  ])("of %i rows of %i elements only live ones are written, with the bits that they have among all", (rows, width) => {
    for (const { definition, constants, live, inputs } of cases(rows, width)) {
      const result = inputs.length;
      const all = run(definition, constants as never, [...inputs, unwritten(rows * width)])[result]!;
      for (const count of [-1, Math.ceil(rows / 2), rows + 5]) {
        const buffers = [...inputs, unwritten(rows * width), ints([count])];
        const actual = run(definition, { ...constants, ...live } as never, buffers)[result]!;
        const end = Math.min(rows, Math.max(0, count)) * width;
        expect(sameBits(actual.subarray(0, end), all.subarray(0, end)), `${definition.name}: ${count} live rows`).toBe(true);
        expect(actual.subarray(end).every(Number.isNaN), `${definition.name}: ${count} live rows, the others`).toBe(true);
      }
    }
  });
});
