// Weights as they lie, of every layout: widened, looked up, multiplied in float32, packed from 16 bits.
import { describe, expect, test } from "vitest";
import { dequantise, elementLayouts, isQuantised, Rng } from "../../base/index.ts";
import { exampleBytes } from "../../graph/index.ts";
import { ints, random, runs, sameBits, unwritten } from "../testing.test.helper.ts";
import { embeddingRows } from "./embedding.ts";
import { matmul } from "./matmul.ts";
import { packedBytes, packMatrix } from "./pack.ts";
import { rowsTimesWeight } from "./rows-times-weight.ts";
import { type WeightType, widenRows } from "./weights.ts";

const types = (Object.keys(elementLayouts) as WeightType[]).filter((type) => (type as string) !== "i32");

/** Rows that fill no vector evenly: 53 elements, 5 blocks of 32, 2 of 256. */
const depthOf = (type: WeightType) => ({ 1: 53, 32: 160, 256: 512 })[elementLayouts[type].block];

describe.each(runs)("$name", ({ run, target }) => {
  test.each(types)("rows of %s become float32", (type) => {
    const [rows, channels] = [9, depthOf(type)];
    const { held, values } = weights(type, rows, channels);
    expect(sameBits(run(widenRows, { type, rows, channels }, [held, unwritten(rows * channels)])[1]!, values)).toBe(true);
    const tokens = [3, 8, 0, -7, 99];
    const made = run(embeddingRows, { type, rows: tokens.length, channels, vocabulary: rows }, [
      held,
      ints(tokens),
      unwritten(tokens.length * channels),
    ])[2]!;
    const wanted = [3, 8, 0, 0, 8].flatMap((row) => [...values.subarray(row * channels, (row + 1) * channels)]);
    expect(sameBits(made, Float32Array.from(wanted))).toBe(true);
  });

  test.each(types)("rows times %s, one, few and many, to the same bits", (type) => {
    const [n, k, most] = [11, depthOf(type), 6];
    const { held, values } = weights(type, n, k);
    const x = random(most * k, 3);
    const all = run(rowsTimesWeight, { type, m: most, n, k }, [x, held, unwritten(most * n)])[2]!;
    for (let i = 0; i < most * n; i++) {
      let [sum, magnitude] = [0, 0];
      for (let p = 0; p < k; p++) {
        const term = x[Math.floor(i / n) * k + p]! * values[(i % n) * k + p]!;
        [sum, magnitude] = [sum + term, magnitude + Math.abs(term)];
      }
      expect(Math.abs(all[i]! - sum)).toBeLessThan(1e-6 * magnitude);
    }
    for (const m of [1, 3]) {
      const some = run(rowsTimesWeight, { type, m, n, k }, [x.slice(0, m * k), held, unwritten(m * n)])[2]!;
      expect(sameBits(some, all.slice(0, m * n)), `${m} rows`).toBe(true);
    }
  });

  test.each(["f32", "bf16", "q4_0"] as const)("many blocks of rows times %s", (type) => {
    const [m, n, k] = [130, 34, 32];
    const { held, values } = weights(type, n, k);
    const x = random(m * k, 6);
    const all = run(rowsTimesWeight, { type, m, n, k }, [x, held, unwritten(m * n)])[2]!;
    for (const row of [31, 32, 129]) {
      const one = run(rowsTimesWeight, { type, m: 1, n, k }, [x.slice(row * k, (row + 1) * k), held, unwritten(n)])[2]!;
      expect(sameBits(one, all.slice(row * n, (row + 1) * n)), `row ${row}`).toBe(true);
    }
    let sum = 0;
    for (let p = 0; p < k; p++) sum += x[129 * k + p]! * values[33 * k + p]!;
    expect(all[129 * n + 33]).toBeCloseTo(sum, 4);
  });

  test.each(types.filter((type) => type !== "f32" && !isQuantised(type)))("%s is packed as its float32 is", (type) => {
    for (const form of ["nt", "nn"] as const)
      for (const precision of ["float32", "bfloat16"] as const) {
        const [n, k] = [37, 29];
        const { held, values } = weights(type, n, k);
        const right = { form, n, k, precision };
        const size = packedBytes(target, right) / 4;
        const made = run(packMatrix, { ...right, type: type as "bf16" }, [held, unwritten(size)])[1]!;
        expect(sameBits(made, run(packMatrix, right, [values, unwritten(size)])[1]!), `${form} ${precision}`).toBe(true);
      }
  });

  test.each(["float32", "bfloat16"] as const)("a row's bits in %s do not depend on how many there are", (precision) => {
    const [n, k, most] = [9, 677, 5];
    const right = { form: "nt" as const, n, k, precision };
    const packed = run(packMatrix, right, [random(n * k, 1), unwritten(packedBytes(target, right) / 4)])[1]!;
    const x = random(most * k, 2);
    const all = run(matmul, { ...right, m: most, accumulate: false }, [x, packed, unwritten(most * n)])[2]!;
    const one = run(matmul, { ...right, m: 1, accumulate: false }, [x.slice(0, k), packed, unwritten(n)])[2]!;
    expect(sameBits(one, all.slice(0, n))).toBe(true);
  });
});

/** Bytes of random weights, in whole words, and what they are: every layout's values are float32. */
function weights(type: WeightType, rows: number, channels: number): { held: Float32Array; values: Float32Array } {
  const bytes =
    type === "f32" ? new Uint8Array(random(rows * channels, 5).buffer) : exampleBytes({ dtype: type, shape: [rows, channels] }, new Rng(5));
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  return { held: new Float32Array(padded.buffer), values: Float32Array.from(dequantise(type, bytes)) };
}
