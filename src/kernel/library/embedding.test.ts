import { describe, expect, test } from "vitest";
import { ints, random, runs, sameBits, unwritten } from "../testing.test.helper.ts";
import { embeddingGradient, embeddingRows } from "./embedding.ts";

const sizes = [
  [1, 1, 1],
  [2, 3, 5],
  [33, 17, 4],
  [70, 67, 37],
  [9, 64, 300],
] as const;

describe.each(runs)("$name", ({ run }) => {
  test.each(sizes)("%i rows of %i channels out of %i", (rows, channels, vocabulary) => {
    const [table, tokens] = [random(vocabulary * channels), pick(rows, vocabulary)];
    const y = run(embeddingRows, { type: "f32", rows, channels, vocabulary }, [table, ints(tokens), unwritten(rows * channels)])[2]!;
    expect(y).toEqual(Float32Array.from(tokens.flatMap((t) => [...table.subarray(t * channels, (t + 1) * channels)])));
  });

  test.each(sizes)("gradient of %i rows of %i channels out of %i", (rows, channels, vocabulary) => {
    const [dy, tokens] = [random(rows * channels), pick(rows, vocabulary)];
    const have = run(embeddingGradient, { rows, channels, vocabulary }, [ints(tokens), dy, unwritten(vocabulary * channels)])[2]!;
    const want = new Float32Array(vocabulary * channels);
    for (let i = 0; i < dy.length; i++) want[tokens[Math.floor(i / channels)]! * channels + (i % channels)]! += dy[i]!;
    expect(sameBits(have, want)).toBe(true);
  });

  test("indices outside the table touch nothing outside it", () => {
    const shape = { rows: 4, channels: 3, vocabulary: 2 };
    const [table, tokens] = [random(6), ints([-1, 2, 2 ** 31 - 1, -(2 ** 31)])];
    const y = run(embeddingRows, { type: "f32", ...shape }, [table, tokens, unwritten(12)])[2]!;
    expect(y).toEqual(Float32Array.from([0, 1, 1, 0].flatMap((row) => [...table.subarray(row * 3, row * 3 + 3)])));
    expect(run(embeddingGradient, shape, [tokens, random(12), unwritten(6)])[2]).toEqual(new Float32Array(6));
  });
});

/** Indices that repeat and that miss some rows. */
function pick(rows: number, vocabulary: number): number[] {
  return Array.from({ length: rows }, (_, i) => (i * i * 7 + 3) % vocabulary);
}
