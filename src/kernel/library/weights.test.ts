// Weights as they lie, of every layout: looked up, and the plain ones packed with the bits that they have.
import { describe, expect, test } from "vitest";
import { bytesOf, dequantise, elementLayouts, isQuantised, Rng, type WeightDType, weightDTypes } from "../../base/index.ts";
import { exampleBytes } from "../../graph/index.ts";
import { ints, random, runs, sameBits, unwritten } from "../testing.test.helper.ts";
import { embeddingRows } from "./embedding.ts";
import { matmul } from "./matmul.ts";
import { keepsBits, packedBytes, packMatrix, unpackMatrix } from "./pack.ts";
import type { PlainType } from "./weights.ts";

const plainTypes = weightDTypes.filter((type): type is PlainType => !isQuantised(type));

/** Rows that fill no vector evenly: 53 elements, 5 blocks of 32, 2 of 256. */
const depthOf = (type: WeightDType) => ({ 1: 53, 32: 160, 256: 512 })[elementLayouts[type].block];

describe.each(runs)("$name", ({ run, target }) => {
  test.each(weightDTypes)("rows of %s are looked up as float32", (type) => {
    const [rows, channels] = [9, depthOf(type)];
    const { held, values } = anyBits(type, rows, channels);
    const tokens = [3, 8, 0, -7, 99, 1, 2, 4, 5, 6, 7];
    const made = run(embeddingRows, { type, rows: tokens.length, channels, vocabulary: rows }, [
      held,
      ints(tokens),
      unwritten(tokens.length * channels),
    ])[2]!;
    const wanted = tokens.flatMap((token) => {
      const row = Math.min(rows - 1, Math.max(0, token));
      return [...values.subarray(row * channels, (row + 1) * channels)];
    });
    expect(made.findIndex((value, i) => !Object.is(value, wanted[i]))).toBe(-1);
  });

  describe.each(plainTypes)("%s", (type) => {
    const kinds = (["nt", "nn"] as const).flatMap((form) => (["float32", "bfloat16"] as const).map((precision) => ({ form, precision })));

    test.each(kinds)("packed for form $form in $precision, gives the product that its float32 gives", ({ form, precision }) => {
      for (const [m, n, k] of [
        [1, 37, 29],
        [5, 3, 677],
        [5, 9, 64],
      ] as const) {
        const { held, values } = weights(type, n, k);
        const right = { form, n, k, precision };
        const pack = (from: Float32Array, type: PlainType) =>
          run(packMatrix, { ...right, type }, [from, unwritten(Math.ceil(packedBytes(target, { ...right, type }) / 4))])[1]!;
        const x = random(m * k, 3);
        const wanted = run(matmul, { ...right, m }, [x, pack(values, "f32"), unwritten(m * n)])[2]!;
        const made = run(matmul, { ...right, m, type }, [x, pack(held, type), unwritten(m * n)])[2]!;
        expect(sameBits(made, wanted), `${m} × ${n} × ${k}`).toBe(true);
      }
    });

    test.each(kinds)("packed for form $form in $precision, comes back where no bit was lost", ({ form, precision }) => {
      const [n, k] = [37, 29];
      const right = { form, n, k, precision, type };
      if (!keepsBits(right)) return expect(form === "nn" || (precision === "bfloat16" && type !== "bf16")).toBe(true);
      const { held } = everyKind(type, n * k);
      const packed = run(packMatrix, right, [held, unwritten(Math.ceil(packedBytes(target, right) / 4))])[1]!;
      const made = run(unpackMatrix, right, [packed, unwritten(held.length)])[1]!;
      const bytes = ({ buffer }: Float32Array) => new Uint8Array(buffer, 0, n * k * elementLayouts[type].bytes);
      expect(bytes(made)).toEqual(bytes(held));
    });
  });

  test("bfloat16 has one form for both roundings, of its own bits", () => {
    const [n, k] = [5, 21];
    const { held } = everyKind("bf16", n * k);
    const [first, second] = (["float32", "bfloat16"] as const).map((precision) => {
      const right = { form: "nt" as const, n, k, precision, type: "bf16" as const };
      return run(packMatrix, right, [held, unwritten(packedBytes(target, right) / 4)])[1]!;
    });
    expect(sameBits(first!, second!)).toBe(true);
    const [bits, words] = [new Uint16Array(held.buffer), new Uint16Array(first!.buffer)];
    const width = words.length / Math.ceil(k / 2) / 2;
    for (let row = 0; row < n; row++)
      for (let p = 0; p < k; p++) expect(words[2 * (Math.floor(p / 2) * width + row) + (p % 2)]).toBe(bits[row * k + p]);
  });

  test.each(["float32", "bfloat16"] as const)("a row's bits in %s do not depend on how many there are", (precision) => {
    const [n, k, most] = [9, 677, 5];
    const right = { form: "nt" as const, n, k, precision };
    const packed = run(packMatrix, right, [random(n * k, 1), unwritten(packedBytes(target, right) / 4)])[1]!;
    const x = random(most * k, 2);
    const all = run(matmul, { ...right, m: most }, [x, packed, unwritten(most * n)])[2]!;
    const one = run(matmul, { ...right, m: 1 }, [x.slice(0, k), packed, unwritten(n)])[2]!;
    expect(sameBits(one, all.slice(0, n))).toBe(true);
  });
});

/** Bytes of random weights, in whole words, and what they are: every layout's values are float32. */
function weights(type: WeightDType, rows: number, channels: number): { held: Float32Array; values: Float32Array } {
  const bytes =
    type === "f32" ? new Uint8Array(random(rows * channels, 5).buffer) : exampleBytes({ dtype: type, shape: [rows, channels] }, new Rng(5));
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  return { held: new Float32Array(padded.buffer), values: Float32Array.from(dequantise(type, bytes)) };
}

/** The same of bytes that are all random: scales are subnormal, infinite and no numbers, too. */
function anyBits(type: WeightDType, rows: number, channels: number): { held: Float32Array; values: Float32Array } {
  const size = bytesOf(type, [rows, channels]);
  const rng = new Rng(9);
  const bytes = Uint8Array.from({ length: Math.ceil(size / 4) * 4 }, () => rng.below(256));
  return { held: new Float32Array(bytes.buffer), values: Float32Array.from(dequantise(type, bytes.subarray(0, size))) };
}

/** Elements of every bit pattern in turn, of subnormals, infinities and NaNs too. */
function everyKind(type: PlainType, count: number): { held: Float32Array } {
  const bytes = new Uint8Array(Math.ceil((count * elementLayouts[type].bytes) / 4) * 4);
  const rng = new Rng(8);
  for (let i = 0; i < bytes.length; i++) bytes[i] = i % 7 === 0 ? 0xff : i % 5 === 0 ? 0 : rng.below(256);
  return { held: new Float32Array(bytes.buffer) };
}
